#include "ra/sender.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace porchlight::ra {
namespace {

// The options sent here have this in common (RFC 9463 section 6.1): type, length, two octets, and a
// 32-bit Lifetime.
constexpr std::size_t lifetime_at = 4;
constexpr std::size_t lifetime_end = 8;

/// Fits a packet, and does not make hosts discard the rest of it (RFC 4861 section 6.1.2).
bool is_sendable(const Buffer& option) {
    return option.size() >= lifetime_end && option.size() <= Sender::option_octets_max &&
           option.size() == option[1] * std::size_t(8);
}

bool contains(const NdOptions& options, const Buffer& taken_back) {
    return std::any_of(options.begin(), options.end(),
                       [&](const Buffer& option) { return withdrawn(option) == taken_back; });
}

bool same_but_for_lifetimes(const NdOptions& a, const NdOptions& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Buffer& x, const Buffer& y) {
        return withdrawn(x) == withdrawn(y);
    });
}

/// As few packets' worth as keep the order.
std::deque<NdOptions> spread(NdOptions options) {
    std::deque<NdOptions> packets;
    std::size_t room = 0;
    for (Buffer& option : options) {
        if (option.size() > room) {
            packets.emplace_back();
            room = Sender::option_octets_max;
        }
        room -= option.size();
        packets.back().push_back(std::move(option));
    }
    return packets;
}

}  // namespace

Buffer withdrawn(Buffer option) {
    assert(option.size() >= lifetime_end);
    for (std::size_t at = lifetime_at; at < lifetime_end && at < option.size(); ++at)
        option[at] = 0;
    return option;
}

void Sender::adopt(const NdOptions& options) {
    for (const Buffer& option : options)
        if (is_sendable(option)) former_.push_back(option);
}

std::size_t Sender::set_options(NdOptions options, Clock::time_point now) {
    const std::size_t left_out =
        std::erase_if(options, [](const Buffer& option) { return !is_sendable(option); });
    // A Lifetime of 0 says the same as leaving it out.
    std::erase_if(options, [](const Buffer& option) { return withdrawn(option) == option; });
    if (!options.empty()) finishing_ = false;

    const bool news = !former_.empty() || !same_but_for_lifetimes(options_, options);
    for (const NdOptions& known : {std::exchange(former_, {}), told_ ? options_ : NdOptions{}})
        for (const Buffer& old : known)
            if (!contains(options, withdrawn(old))) withdrawing_.push_back({withdrawn(old)});
    std::erase_if(withdrawing_, [&](const Withdrawal& withdrawal) {
        return contains(options, withdrawal.option);
    });
    if (withdrawing_.size() > withdrawing_max)
        withdrawing_.erase(withdrawing_.begin(),
                           withdrawing_.end() - std::ptrdiff_t(withdrawing_max));
    options_ = std::move(options);
    if (news) {
        told_ = false;
        start(now);
    }
    return left_out;
}

void Sender::finish(Clock::time_point now) {
    set_options({}, now);
    finishing_ = true;
    for (Withdrawal& withdrawal : withdrawing_) withdrawal.left = withdrawals;
    answers_.clear();
    ready_.clear();
    spaced_ = now;
    start(now);
}

void Sender::on_solicitation(const Ipv6& source, Clock::time_point now) {
    if (finishing_ || content(now).empty()) return;
    const Clock::time_point at =
        now + std::chrono::milliseconds(random_.below(std::uint64_t(answer_delay_max.count()) + 1));
    if (source == Ipv6{}) {
        due_ = std::min(due_, at);
    } else if (std::none_of(answers_.begin(), answers_.end(),
                            [&](const Answer& answer) { return answer.to == source; })) {
        answers_.push_back({source, at});
    }
    if (answers_.size() > answers_waiting_max) {
        answers_.clear();
        due_ = std::min(due_, at);
    }
}

void Sender::on_daemon_advertisement(const RouterHeader& header, bool multicast,
                                     Clock::time_point now) {
    const bool could_announce = can_announce(now);
    mirror_.on_advertisement(header, now);
    route_until_ = now + header.router_lifetime;
    if (multicast) courtesy_ = now + multicast_spacing;
    if (!could_announce && can_announce(now)) start(now);
}

std::optional<Packet> Sender::next(Clock::time_point now) {
    if (!ready_.empty()) {
        Packet packet = std::move(ready_.front());
        ready_.pop_front();
        return packet;
    }
    NdOptions options = content(now);
    if (options.empty()) {  // only an event can change that
        answers_.clear();
        round_.clear();
        due_ = never;
        return std::nullopt;
    }
    const auto answer = std::find_if(answers_.begin(), answers_.end(),
                                     [&](const Answer& one) { return one.at <= now; });
    if (answer != answers_.end()) {
        const Ipv6 to = answer->to;
        answers_.erase(answer);
        for (NdOptions& part : spread(std::move(options)))
            ready_.push_back(packet(to, std::move(part), now));
        return next(now);
    }
    if (multicast_at() > now) return std::nullopt;
    if (round_.empty()) round_ = spread(std::move(options));
    Packet sent = packet(all_nodes, std::move(round_.front()), now);
    round_.pop_front();
    spaced_ = now + (finishing_ ? Clock::duration(final_spacing) : multicast_spacing);
    if (round_.empty()) finish_round(now);
    return sent;
}

Clock::time_point Sender::wake() const {
    if (!ready_.empty()) return Clock::time_point::min();
    Clock::time_point at = multicast_at();
    for (const Answer& answer : answers_) at = std::min(at, answer.at);
    return at;
}

NdOptions Sender::announced() const {
    NdOptions all = told_ || heard_daemon() ? options_ : NdOptions{};
    all.insert(all.end(), former_.begin(), former_.end());
    for (const Withdrawal& withdrawal : withdrawing_) all.push_back(withdrawal.option);
    return all;
}

void Sender::start(Clock::time_point now) {
    round_.clear();
    initial_left_ = initial_advertisements;
    due_ = silent() ? never : now;
}

void Sender::finish_round(Clock::time_point now) {
    for (Withdrawal& withdrawal : withdrawing_) --withdrawal.left;
    std::erase_if(withdrawing_, [](const Withdrawal& withdrawal) { return withdrawal.left == 0; });
    if (initial_left_ > 0) --initial_left_;
    due_ = silent() ? never : now + next_interval();
}

/// Hosts that are to forget something shouldn't wait longer for it than the rules make them.
Clock::duration Sender::next_interval() {
    if (finishing_) return final_spacing;
    if (!withdrawing_.empty()) return multicast_spacing;
    // Upper bounds leave room for the courtesy toward the daemon.
    const std::chrono::milliseconds max =
        std::max(interval_.max - multicast_spacing, interval_.min);
    const std::chrono::milliseconds range = max - interval_.min;
    const Clock::duration random =
        interval_.min + std::chrono::milliseconds(random_.below(std::uint64_t(range.count()) + 1));
    if (initial_left_ == 0) return random;
    return std::min<Clock::duration>(random, initial_interval_max - multicast_spacing);
}

Clock::time_point Sender::multicast_at() const {
    if (due_ == never) return never;
    const Clock::time_point at = std::max(due_, spaced_);
    if (finishing_) return at;
    // A daemon that answers a flood of solicitations must not keep us silent for ever.
    return std::max(at, std::min<Clock::time_point>(courtesy_, at + multicast_spacing));
}

NdOptions Sender::content(Clock::time_point now) const {
    if (!heard_daemon()) return {};
    NdOptions options = can_announce(now) ? options_ : NdOptions{};
    for (const Withdrawal& withdrawal : withdrawing_) options.push_back(withdrawal.option);
    return options;
}

RouterHeader Sender::header_at(Clock::time_point now) const {
    if (const auto current = mirror_.header(now)) return *current;
    RouterHeader former = *mirror_.last();
    former.router_lifetime = std::max(std::chrono::ceil<std::chrono::seconds>(route_until_ - now),
                                      std::chrono::seconds(0));
    return former;
}

Packet Sender::packet(const Ipv6& to, NdOptions options, Clock::time_point now) {
    const RouterHeader header = header_at(now);
    told_ = true;
    if (can_announce(now)) route_until_ = std::max(route_until_, now + header.router_lifetime);
    Writer out;
    write(out, Advertisement{header, std::move(options)});
    const Bytes octets = out.view();
    return {to, {octets.begin(), octets.end()}};
}

}  // namespace porchlight::ra
