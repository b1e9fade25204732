// What the filter lets through is parsed again and strictly in the agent; here it only must not
// miss anything, nor wake anybody for the home's ordinary traffic.

#include "agent/guard_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace porchlight::agent {
namespace {

/// The kernel's own, in no older header: frames with LLC instead of a type.
constexpr std::uint32_t llc_protocol = 0x0004;

// Offsets behind the Ethernet header; the kernel has taken a first VLAN tag away before.
constexpr std::uint32_t network = ETH_HLEN;
constexpr std::uint32_t v6_next_header = network + 6;
constexpr std::uint32_t v6_payload = network + 40;
constexpr std::uint32_t v4_fragment = network + 6;
constexpr std::uint32_t v4_protocol = network + 9;
constexpr std::uint32_t udp_destination = 2;

/// Where a step goes on.
enum Label : std::uint8_t {
    next,
    untagged,
    v6,
    v4,
    tag,
    llc,
    udp6,
    icmp6,
    options6,
    icmp6_behind,
    udp6_behind,
    fragment6,
    accept,
    drop
};

/// A step of the filter; `here` names it for those that come from elsewhere.
struct Step {
    std::uint16_t code;
    std::uint32_t value;
    Label yes = next;
    Label no = next;
    Label here = next;
};

constexpr Step load8(std::uint32_t at, Label here = next) {
    return {BPF_LD | BPF_B | BPF_ABS, at, next, next, here};
}
constexpr Step load16(std::uint32_t at, Label here = next) {
    return {BPF_LD | BPF_H | BPF_ABS, at, next, next, here};
}
constexpr Step equals(std::uint32_t value, Label yes, Label no = next) {
    return {BPF_JMP | BPF_JEQ | BPF_K, value, yes, no};
}
constexpr Step any_bit_of(std::uint32_t bits, Label yes, Label no = next) {
    return {BPF_JMP | BPF_JSET | BPF_K, bits, yes, no};
}

constexpr Step load_fact(std::uint32_t fact, Label here = next) {
    return {BPF_LD | BPF_W | BPF_ABS, std::uint32_t(SKF_AD_OFF) + fact, next, next, here};
}

constexpr std::array steps{
    // What is of a VLAN comes by here on its way to an interface of its own: another network.
    load_fact(SKF_AD_VLAN_TAG_PRESENT),
    equals(0, untagged),
    load_fact(SKF_AD_VLAN_TAG),
    any_bit_of(0x0fff, drop),

    load_fact(SKF_AD_PROTOCOL, untagged),
    equals(ETH_P_IPV6, v6),
    equals(ETH_P_IP, v4),
    equals(ETH_P_8021Q, tag),
    equals(ETH_P_8021AD, tag),
    equals(llc_protocol, llc, drop),

    // Next headers: ICMPv6, UDP, and those behind which either may hide.
    load8(v6_next_header, v6),
    equals(58, icmp6),
    equals(17, udp6),
    equals(44, fragment6),
    equals(0, options6),
    equals(60, options6),
    equals(43, accept),
    equals(51, accept),
    equals(135, accept),
    equals(139, accept),
    equals(140, accept, drop),

    // Behind one header of options, as of every report of who listens to a multicast group, things
    // are as if it were not there. Whoever puts another one behind it has to be looked at.
    load8(v6_payload + 1, options6),
    Step{BPF_ALU | BPF_ADD | BPF_K, 1},
    Step{BPF_ALU | BPF_LSH | BPF_K, 3},
    Step{BPF_MISC | BPF_TAX, 0},
    load8(v6_payload),
    equals(58, icmp6_behind),
    equals(17, udp6_behind),
    equals(59, drop),
    equals(6, drop, accept),

    Step{BPF_LD | BPF_B | BPF_IND, v6_payload, next, next, icmp6_behind},
    equals(134, accept, drop),

    Step{BPF_LD | BPF_H | BPF_IND, v6_payload + udp_destination, next, next, udp6_behind},
    equals(546, accept, drop),

    load8(v6_payload, icmp6),
    equals(134, accept, drop),

    load16(v6_payload + udp_destination, udp6),
    equals(546, accept, drop),

    // The first one alone shows anything; large datagrams of hosts come in many.
    load16(v6_payload + 2, fragment6),
    any_bit_of(0xfff8, drop),
    load8(v6_payload),
    equals(6, drop, accept),

    load8(v4_protocol, v4),
    equals(17, next, drop),
    load16(v4_fragment),
    any_bit_of(0x1fff, drop),
    Step{BPF_LDX | BPF_B | BPF_MSH, network},
    Step{BPF_LD | BPF_H | BPF_IND, network + udp_destination},
    equals(68, accept, drop),

    // A second tag: hosts look behind one that says no VLAN.
    load16(network, tag),
    any_bit_of(0x0fff, drop, accept),

    load16(network, llc),  // SNAP
    equals(0xaaaa, accept, drop),

    Step{BPF_RET | BPF_K, guard_frame_octets_max, next, next, accept},
    Step{BPF_RET | BPF_K, 0, next, next, drop},
};

/// How many steps are between one and the one that it goes on at.
constexpr std::uint8_t distance(std::size_t from, Label to) {
    if (to == next) return 0;
    std::size_t at = from + 1;
    while (steps[at].here != to) ++at;  // none there: no constant, which the compiler refuses
    return static_cast<std::uint8_t>(at - from - 1);
}

constexpr auto assembled = [] {
    std::array<sock_filter, steps.size()> program{};
    for (std::size_t i = 0; i < steps.size(); ++i)
        program[i] = {steps[i].code, distance(i, steps[i].yes), distance(i, steps[i].no),
                      steps[i].value};
    return program;
}();

template <class Value>
bool set(const FileDescriptor& socket, int level, int option, const Value& value) {
    return ::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

/// For good: who gets the socket shall not see the home's traffic by taking the filter off.
bool attach_filter(const FileDescriptor& socket) {
    auto program = assembled;
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return set(socket, SOL_SOCKET, SO_ATTACH_FILTER, filter) &&
           set(socket, SOL_SOCKET, SO_LOCK_FILTER, 1);
}

Error failed() {
    const int reason = errno;
    const Errc code = reason == EACCES || reason == EPERM   ? Errc::denied
                      : reason == ENODEV || reason == ENXIO ? Errc::unavailable
                                                            : Errc::internal;
    return {code, std::string("cannot listen for rogue servers: ") + std::strerror(reason)};
}

}  // namespace

Result<FileDescriptor> open_guard_socket(unsigned index) {
    // Of no protocol: nothing comes before the filter is there.
    FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket || !attach_filter(socket) || !set(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1))
        return failed();
    sockaddr_ll link{};
    link.sll_family = AF_PACKET;
    link.sll_ifindex = static_cast<int>(index);
    // A bridge takes its ports' frames away before those who ask for one protocol see them.
    link.sll_protocol = htons(ETH_P_ALL);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&link), sizeof link) != 0)
        return failed();
    return socket;
}

}  // namespace porchlight::agent
