#include "ra/withdraw.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <future>
#include <optional>
#include <system_error>
#include <thread>

#include "ra/link_sockets.h"
#include "ra/sender.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

/// One is lost at times: a daemon that has just started reads it late.
constexpr std::chrono::milliseconds ask_again_after{300};
/// An interface that is just being changed can refuse for a moment.
constexpr std::chrono::seconds send_within{3};

struct Sockets {
    FileDescriptor icmpv6;
    FileDescriptor frames;
};

struct Heard {
    Ipv6 source;
    Advertisement said;
};

Result<Sockets> open_sockets(const std::string& interface) {
    Sockets sockets;
    auto icmpv6 = open_icmpv6_socket(interface);
    if (!icmpv6) return icmpv6.error();
    auto frames = open_frame_socket(interface);
    if (!frames) return frames.error();
    sockets.icmpv6 = std::move(*icmpv6);
    sockets.frames = std::move(*frames);
    return sockets;
}

/// The daemon's header, if that is what came.
std::optional<Heard> heard_from_daemon(const std::optional<Received>& received) {
    if (!received) return std::nullopt;
    auto advertisement = parse_advertisement(received->octets, received->envelope);
    if (!advertisement || is_supplement(*advertisement)) return std::nullopt;
    return Heard{received->envelope.source, std::move(*advertisement)};
}

/// What lies ready on the sockets, the last word last. A daemon may spread its options over
/// several.
std::vector<Heard> read_ready(const Sockets& sockets) {
    std::array<std::uint8_t, receive_octets_max> buffer;
    std::vector<Heard> heard;
    while (const auto received = receive_icmpv6(sockets.icmpv6, buffer))
        if (is_own_answer(*received))
            if (auto one = heard_from_daemon(received)) heard.push_back(std::move(*one));
    while (const auto received = receive_frame(sockets.frames, buffer))
        if (auto one = heard_from_daemon(received)) heard.push_back(std::move(*one));
    return heard;
}

std::vector<Heard> ask_daemon(const Sockets& sockets, std::chrono::milliseconds within) {
    const Clock::time_point end = Clock::now() + within;
    Clock::time_point ask_at = Clock::now();
    while (Clock::now() < end) {
        if (Clock::now() >= ask_at) {
            // Fails while the interface has no address: then it has no hosts either, for now.
            (void)bool(solicit(sockets.icmpv6));
            ask_at = Clock::now() + ask_again_after;
        }
        const auto left = std::min(end, ask_at) - Clock::now();
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        std::array<pollfd, 2> ready{pollfd{sockets.icmpv6.get(), POLLIN, 0},
                                    pollfd{sockets.frames.get(), POLLIN, 0}};
        ::poll(ready.data(), ready.size(), std::max(0, static_cast<int>(wait)));
        if (auto heard = read_ready(sockets); !heard.empty()) return heard;
    }
    return {};
}

/// Sends until everything is taken back, or nothing more can be. What can't be sent is tried again
/// for a while. A daemon that speaks meanwhile is followed, if `beside_daemon`; else what is heard
/// is our own farewell.
Result<unsigned> send_withdrawals(const Sockets& sockets, Ipv6 source, bool beside_daemon,
                                  Sender& sender) {
    const Clock::time_point give_up = Clock::now() + send_within;
    unsigned packets = 0;
    std::optional<Error> failure;
    const auto send = [&](const Packet& packet) {
        auto sent = send_icmpv6(sockets.icmpv6, source, packet.destination, packet.octets);
        if (sent) {
            ++packets;
        } else {
            failure = sent.error();
        }
        return bool(sent);
    };
    while (!sender.silent() && sender.wake() != Sender::never && Clock::now() < give_up) {
        std::this_thread::sleep_until(std::min(sender.wake(), give_up));
        for (const Heard& heard : read_ready(sockets)) {
            if (!beside_daemon) continue;
            source = heard.source;
            sender.on_daemon_advertisement(heard.said, false, true, Clock::now());
        }
        sender.send_due(Clock::now(), send);
    }
    if (sender.silent()) return packets;
    if (failure) return *failure;
    // The remembered header ended before anything could leave under it.
    if (packets == 0) return packets;
    return Error{Errc::timeout, "not everything was taken back in time"};
}

}  // namespace

Result<WithdrawOutcome> withdraw_now(const Announced& announced,
                                     std::chrono::milliseconds ask_within) {
    WithdrawOutcome outcome;
    if (!announced.standing()) return outcome;
    auto sockets = open_sockets(announced.interface);
    if (!sockets) return sockets.error();

    SystemRandom random;
    Sender sender({}, random);
    const auto heard = ask_daemon(*sockets, ask_within);
    const Clock::time_point now = Clock::now();
    sender.adopt(announced, now);
    if (!heard.empty()) {
        outcome.header = WithdrawOutcome::Header::asked;
        for (const Heard& one : heard) sender.on_daemon_advertisement(one.said, false, true, now);
    } else {
        const bool had_route = announced.header.router_lifetime > 0s;
        // Ended, or never known. A header that never gave hosts a route does them no harm, though,
        // and where we were the router it is our route.
        if (announced.source == Ipv6{} ||
            (!announced.full && had_route && remaining_lifetime(announced, now) == 0s)) {
            outcome.header = WithdrawOutcome::Header::unknown;
            return outcome;
        }
        outcome.header = WithdrawOutcome::Header::remembered;
    }
    sender.finish(now);
    auto packets = send_withdrawals(
        *sockets, heard.empty() ? announced.source : heard.back().source, !announced.full, sender);
    if (!packets) return packets.error();
    outcome.packets = *packets;
    if (heard.empty() && outcome.packets == 0) outcome.header = WithdrawOutcome::Header::unknown;
    return outcome;
}

std::vector<Result<WithdrawOutcome>> withdraw_all(std::span<const Announced> announced,
                                                  std::chrono::milliseconds ask_within) {
    std::vector<Result<WithdrawOutcome>> outcomes;
    outcomes.reserve(announced.size());
    while (!announced.empty()) {
        const auto batch = announced.first(std::min(announced.size(), links_at_once));
        announced = announced.subspan(batch.size());
        std::vector<std::future<Result<WithdrawOutcome>>> at_work;
        for (const Announced& link : batch) {
            const auto work = [&link, ask_within] { return withdraw_now(link, ask_within); };
            try {
                at_work.push_back(std::async(std::launch::async, work));
            } catch (const std::system_error&) {  // no more threads: one after the other, then
                at_work.push_back(std::async(std::launch::deferred, work));
            }
        }
        for (auto& one : at_work) outcomes.push_back(one.get());
    }
    return outcomes;
}

}  // namespace porchlight::ra
