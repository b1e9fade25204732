#include "agent/discover_listen.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <optional>

#include "core/random.h"
#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"
#include "dns/draft_resolver.h"
#include "net/asio.h"
#include "net/raw_udp.h"
#include "ra/advertisement.h"
#include "ra/link_sockets.h"

namespace porchlight::agent::discover {
namespace {

using namespace std::chrono_literals;

/// When everybody is asked again, from the first time on: one question or one answer may be lost,
/// and routers keep three seconds between advertisements.
constexpr std::array asked_again_after{1000ms, 3200ms};
constexpr std::size_t datagram_octets_max = 65535;
constexpr std::size_t notes_max = 16;
constexpr std::uint16_t v4_size_max = 1472;  // what an Ethernet frame carries behind IP and UDP

/// What DHCPv4 is asked, from what the link has.
dhcp::V4Message v4_question(const net::Link& link, std::optional<Ipv4> own, Random& random) {
    dhcp::V4Message asked;
    asked.transaction = static_cast<std::uint32_t>(random.below(0xffffffff));
    std::copy_n(link.hardware_address.begin(),
                std::min(link.hardware_address.size(), asked.hardware_address.size()),
                asked.hardware_address.begin());
    asked.client = own.value_or(Ipv4());
    asked.broadcast = !own;
    asked.options[dhcp::v4_code::message_type] = {own ? dhcp::v4_type::inform
                                                      : dhcp::v4_type::discover};
    asked.options[dhcp::v4_code::parameter_list] = {dhcp::v4_dnr_code, dhcp::v4_code::dns_servers,
                                                    dns::DraftCodePoints().dhcpv4};
    asked.options[dhcp::v4_code::message_size_max] = {v4_size_max >> 8, v4_size_max & 0xff};
    return asked;
}

dhcp::V6Message v6_question(const net::Link& link, Random& random) {
    const dns::DraftCodePoints draft;
    dhcp::V6Message asked;
    asked.transaction = static_cast<std::uint32_t>(random.below(1 << 24));
    Writer duid;  // DUID-LL on Ethernet (RFC 8415 section 11.4)
    duid.u16(3);
    duid.u16(1);
    duid.bytes(link.hardware_address);
    Writer wanted;
    for (std::uint16_t code :
         {dhcp::v6_dnr_code, dhcp::v6_code::dns_servers, dhcp::v6_code::information_refresh_time,
          draft.dhcpv6_adn, draft.dhcpv6_addresses, draft.dhcpv6_templates})
        wanted.u16(code);
    asked.options.push_back({dhcp::v6_code::client_id, *duid.take()});
    asked.options.push_back({dhcp::v6_code::option_request, *wanted.take()});
    asked.options.push_back({dhcp::v6_code::elapsed_time, {0, 0}});
    return asked;
}

template <class Message>
Buffer octets_of(const Message& message) {
    Writer out;
    write(out, message);
    return *out.take();
}

std::optional<Ipv4> ipv4_of(const net::Link& link) {
    for (const net::LinkAddress& one : link.addresses)
        if (const auto* v4 = std::get_if<Ipv4>(&one.address)) return *v4;
    return std::nullopt;
}

bool has_link_local(const net::Link& link) {
    return std::any_of(link.addresses.begin(), link.addresses.end(), [](const auto& one) {
        const auto* v6 = std::get_if<Ipv6>(&one.address);
        return v6 != nullptr && is_link_local(*v6) && !one.tentative;
    });
}

/// One run: the sockets, and what they brought.
class Listener {
  public:
    explicit Listener(const net::Link& link)
        : link_(link),
          own_(ipv4_of(link)),
          v4_(v4_question(link, own_, random_)),
          v6_(v6_question(link, random_)) {}

    Result<Heard> run(std::chrono::milliseconds within,
                      const std::function<Result<void>()>& when_open);

  private:
    Result<void> open();
    void ask();
    awaitable<void> hear(const FileDescriptor& socket, std::function<void()> read);
    void read_v4(const FileDescriptor& socket);
    void read_v6();
    void read_ra(const FileDescriptor& socket,
                 std::optional<ra::Received> (*receive)(const FileDescriptor&,
                                                        std::span<std::uint8_t>));
    void note(std::string text) {
        const bool known =
            std::find(heard_.notes.begin(), heard_.notes.end(), text) != heard_.notes.end();
        if (!known && heard_.notes.size() < notes_max) heard_.notes.push_back(std::move(text));
    }
    /// Notes the first problem of what was asked as `index`.
    void outcome(std::size_t index, const Result<void>& sent) {
        if (!sent && heard_.asked[index].problem.empty())
            heard_.asked[index].problem = sent.error().message;
    }

    SystemRandom random_;
    const net::Link& link_;
    std::optional<Ipv4> own_;
    dhcp::V4Message v4_;
    dhcp::V6Message v6_;
    FileDescriptor packets_, v4_sender_, v4_receiver_, v6_socket_, icmpv6_, frames_;
    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(datagram_octets_max);
    Heard heard_;
    asio::io_context loop_;
};

Result<void> Listener::open() {
    const auto keep = [](Result<FileDescriptor> opened, FileDescriptor& into) -> Result<void> {
        if (!opened) return opened.error();
        into = *std::move(opened);
        return {};
    };
    Result<void> done = keep(net::open_packet_socket(link_.name, dhcp::v4_client_port), packets_);
    if (done) done = keep(net::open_raw_v4_receiver(dhcp::v4_client_port), v4_receiver_);
    if (done && own_) done = keep(net::open_raw_v4_sender(link_.name, *own_), v4_sender_);
    if (!done) return done;
    heard_.asked.push_back({Carrier::dhcpv4,
                            own_ ? "DHCPINFORM from " + to_text(*own_)
                                 : std::string("DHCPDISCOVER, and no lease taken"),
                            ""});
    // A machine without IPv6 still has DHCPv4 to offer.
    const char* without = "the link has no IPv6 link-local address";
    const bool v6 = has_link_local(link_);
    heard_.asked.push_back({Carrier::dhcpv6, "Information-request", v6 ? "" : without});
    heard_.asked.push_back({Carrier::ra, "Router Solicitation", v6 ? "" : without});
    if (!v6) return {};
    done = keep(net::open_raw_v6(link_.name), v6_socket_);
    if (done) done = keep(ra::open_icmpv6_socket(link_.name), icmpv6_);
    if (done) done = keep(ra::open_frame_socket(link_.name), frames_);
    return done;
}

void Listener::ask() {
    const Buffer v4 = octets_of(v4_);
    outcome(0,
            own_ ? net::broadcast_v4(v4_sender_, dhcp::v4_client_port, dhcp::v4_server_port, v4)
                 : net::broadcast_frame(packets_, dhcp::v4_client_port, dhcp::v4_server_port, v4));
    if (!icmpv6_) return;
    const Endpoint servers{dhcp::all_v6_servers, dhcp::v6_server_port, link_.index};
    outcome(1, net::send_v6(v6_socket_, dhcp::v6_client_port, servers, octets_of(v6_)));
    outcome(2, ra::solicit(icmpv6_));
}

awaitable<void> Listener::hear(const FileDescriptor& socket, std::function<void()> read) {
    // A descriptor of its own to be closed by Asio, whenever that is.
    asio::posix::stream_descriptor waiting(loop_, ::dup(socket.get()));
    for (;;) {
        error_code ec;
        co_await waiting.async_wait(asio::posix::stream_descriptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        read();
    }
}

void Listener::read_v4(const FileDescriptor& socket) {
    const auto received = net::receive_v4(socket, buffer_);
    if (!received || received->to_port != dhcp::v4_client_port ||
        received->from.port != dhcp::v4_server_port)
        return;
    const auto answer = dhcp::parse_v4_message(received->payload);
    if (!answer) {
        // Perhaps the answer to another; hosts that get such a one are no better off.
        note("an answer by DHCPv4 from " + to_text(received->from.address) +
             " can't be read: " + answer.error().message);
        return;
    }
    if (dhcp::is_answer(*answer, v4_))
        add(heard_.told, told_by(*answer, {received->from.address, received->hardware_address}));
}

void Listener::read_v6() {
    const auto received = net::receive_v6(v6_socket_, buffer_);
    if (!received || received->to_port != dhcp::v6_client_port ||
        received->from.port != dhcp::v6_server_port)
        return;
    const auto answer = dhcp::parse_v6_message(received->payload);
    if (!answer) {
        note("an answer by DHCPv6 from " + to_text(received->from.address) +
             " can't be read: " + answer.error().message);
        return;
    }
    if (dhcp::is_answer(*answer, v6_))
        add(heard_.told, told_by(*answer, {received->from.address, {}}));
}

void Listener::read_ra(const FileDescriptor& socket,
                       std::optional<ra::Received> (*receive)(const FileDescriptor&,
                                                              std::span<std::uint8_t>)) {
    const auto received = receive(socket, buffer_);
    if (!received || received->octets.empty() || received->octets[0] != ra::advertisement_type)
        return;
    const auto advertisement = ra::parse_advertisement(received->octets, received->envelope);
    if (!advertisement) {
        note("hosts discard an advertisement from " + to_text(received->envelope.source) + ": " +
             advertisement.error().message);
        return;
    }
    Sender from{received->envelope.source, {}};
    for (const Buffer& option : advertisement->options)
        if (option[0] == ra::source_link_layer_option_type && option.size() == 8)
            from.hardware_address.assign(option.begin() + 2, option.end());
    add(heard_.told, told_by(*advertisement, std::move(from)));
}

Result<Heard> Listener::run(std::chrono::milliseconds within,
                            const std::function<Result<void>()>& when_open) {
    if (const Result<void> opened = open(); !opened) return opened.error();
    if (const Result<void> ready = when_open(); !ready) return ready.error();
    const auto start = [&](const FileDescriptor& socket, std::function<void()> read) {
        if (socket) asio::co_spawn(loop_, hear(socket, std::move(read)), asio::detached);
    };
    start(packets_, [this] { read_v4(packets_); });
    start(v4_receiver_, [this] { read_v4(v4_receiver_); });
    start(v6_socket_, [this] { read_v6(); });
    start(icmpv6_, [this] { read_ra(icmpv6_, ra::receive_icmpv6); });
    start(frames_, [this] { read_ra(frames_, ra::receive_frame); });

    ask();
    std::vector<asio::steady_timer> again;
    for (const auto after : asked_again_after) {
        again.emplace_back(loop_, after);
        again.back().async_wait([this](error_code ec) {
            if (!ec) ask();
        });
    }
    loop_.run_for(within);
    return std::move(heard_);
}

}  // namespace

Result<Heard> listen(const net::Link& link, std::chrono::milliseconds within,
                     const std::function<Result<void>()>& when_open) {
    return Listener(link).run(within, when_open);
}

}  // namespace porchlight::agent::discover
