#include "dhcp/v4_message.h"

#include <algorithm>

#include "core/reader.h"
#include "dhcp/long_option.h"

namespace porchlight::dhcp {
namespace {

constexpr std::uint8_t ethernet = 1;
constexpr std::uint16_t broadcast_flag = 0x8000;
constexpr std::size_t padding_behind_hardware_address = 10;
constexpr std::size_t sname_and_file_octets = 64 + 128;
constexpr std::uint32_t cookie = 0x63825363;
constexpr std::uint8_t code_end = 255;
constexpr std::size_t message_octets_min = 300;

Ipv4 read_ipv4(Reader& in) {
    Ipv4 address;
    for (std::uint8_t& octet : address.octets) octet = in.u8();
    return address;
}

}  // namespace

Result<V4Message> parse_v4_message(Bytes octets) {
    Reader in(octets);
    V4Message message;
    message.op = in.u8();
    if (message.op != V4Message::request && message.op != V4Message::reply)
        in.fail("is neither request nor reply");
    if (in.u8() != ethernet) in.fail("is of no Ethernet");
    if (in.u8() != message.hardware_address.size()) in.fail("has a hardware address of odd size");
    (void)in.u8();  // hops
    message.transaction = in.u32();
    (void)in.u16();  // seconds
    message.broadcast = (in.u16() & broadcast_flag) != 0;
    message.client = read_ipv4(in);
    message.yours = read_ipv4(in);
    (void)in.u64();  // next server, relay
    for (std::uint8_t& octet : message.hardware_address) octet = in.u8();
    if (in.failed()) return in.error("DHCPv4 message");
    auto options = join_options(octets);
    if (!options) return options.error();
    message.options = *std::move(options);
    return message;
}

void write(Writer& out, const V4Message& message) {
    const std::size_t start = out.size();
    out.u8(message.op);
    out.u8(ethernet);
    out.u8(static_cast<std::uint8_t>(message.hardware_address.size()));
    out.u8(0);
    out.u32(message.transaction);
    out.u16(0);
    out.u16(message.broadcast ? broadcast_flag : 0);
    out.bytes(message.client);
    out.bytes(message.yours);
    out.u64(0);
    out.bytes(message.hardware_address);
    out.zeros(padding_behind_hardware_address + sname_and_file_octets);
    out.u32(cookie);
    for (const auto& [code, data] : message.options) {
        out.bytes(split_option(code, data));
        if (!data.empty()) continue;
        out.u8(code);
        out.u8(0);
    }
    out.u8(code_end);
    out.zeros(message_octets_min - std::min(out.size() - start, message_octets_min));
}

bool is_answer(const V4Message& answer, const V4Message& asked) {
    const bool fits = asked.type() == v4_type::inform ? answer.type() == v4_type::ack
                                                      : answer.type() == v4_type::offer;
    return fits && answer.op == V4Message::reply && answer.transaction == asked.transaction &&
           answer.hardware_address == asked.hardware_address;
}

}  // namespace porchlight::dhcp
