#include "ra/sender.h"

#include <algorithm>
#include <utility>

namespace porchlight::ra {
namespace {

/// Hosts drop the route at once. Who is no default router has no preference (RFC 4191 section 2.2).
RouterHeader last_words(RouterHeader header) {
    header.flags &= static_cast<std::uint8_t>(~RouterHeader::preference_bits);
    header.router_lifetime = std::chrono::seconds(0);
    return header;
}

/// Unlike unique local prefixes (RFC 4193), which are the home's own.
bool has_prefix_of_uplink(const LinkFacts& link) {
    return std::any_of(link.prefixes.begin(), link.prefixes.end(), [](const auto& own) {
        return (own.prefix.address.octets[0] & 0xfe) != 0xfc;
    });
}

}  // namespace

/// The interval begins when the last packet of a round has left.
std::chrono::seconds option_lifetime(std::chrono::seconds interval_max, std::size_t packets) {
    constexpr unsigned rounds = 3;
    const auto pauses = std::chrono::seconds::rep(std::max<std::size_t>(packets, 1) - 1);
    return rounds * (interval_max + pauses * Sender::multicast_spacing);
}

void Sender::adopt(const Announced& former, Clock::time_point from) {
    if (!former.standing()) return;
    former_ = former;
    std::erase_if(former_->options,
                  [](const Buffer& unit) { return !is_sendable(unit, option_octets_max); });
    farewell_from_ = from;
    if (!former.full && former.source != Ipv6{})
        mirror_.remember(former.header, former.route_until, from);
}

void Sender::adopt_prefixes(const NdOptions& prefixes, Clock::time_point now) {
    former_prefixes_ = prefixes;
    std::erase_if(former_prefixes_, [](const Buffer& unit) { return !is_prefix(unit); });
    former_until_ = now + uplink_within;
}

void Sender::judge_former_prefixes(Clock::time_point now) {
    if (!full_ || !begun_ || former_prefixes_.empty()) return;
    if (now < former_until_ && !has_prefix_of_uplink(link_)) return;
    for (Buffer& unit : std::exchange(former_prefixes_, {})) dormant_.push_back(std::move(unit));
    const std::size_t withdrawing_before = withdrawing_.size();
    take_back_all_but(wanted(now), now);
    if (withdrawing_.size() > withdrawing_before) start(now);
}

void Sender::set_full(std::optional<FullSettings> settings, Clock::time_point now) {
    if (!settings) {
        dormant_.clear();
        former_prefixes_.clear();
    }
    if (yielded_ || (settings && !full_ && mirror_.header(now))) {
        yielded_ = std::move(settings);
        return;
    }
    const auto former_header = full_header();
    const NdOptions former = wanted(now);
    full_ = std::move(settings);
    if (full_) {
        end_farewell();
    } else if (former_header && std::exchange(told_full_, false)) {
        begin_farewell(*former_header, now);
    }
    changed(former_header, former, now);
}

void Sender::set_link(LinkFacts link, Clock::time_point now) {
    const bool could_announce = can_announce(now);
    const NdOptions former = wanted(now);
    link_ = std::move(link);
    changed(full_header(), former, now);
    if (begun_ && !could_announce && can_announce(now)) start(now);
}

std::size_t Sender::set_options(NdOptions options, Clock::time_point now, Ends ends) {
    const std::size_t left_out = std::erase_if(
        options, [](const Buffer& unit) { return !is_sendable(unit, option_octets_max); });
    // A Lifetime of 0 says the same as leaving it out.
    std::erase_if(options, [](const Buffer& unit) { return withdrawn(unit) == unit; });
    if (!options.empty()) finishing_ = false;

    const NdOptions former = wanted(now);
    options_ = std::move(options);
    const bool nearer = comes_nearer(ends, now);
    ends_ = std::move(ends);
    left_ = left_to_daemon(now);
    const bool first = !std::exchange(begun_, true);
    if (const auto adopted = std::exchange(former_, std::nullopt)) {
        told_ = adopted->options;
        if (adopted->full && full_) told_full_ = true;
        if (adopted->full && !full_) begin_farewell(adopted->header, farewell_from_);
    }
    changed(full_header(), former, now);
    if (first) start(now);
    if (nearer) due_ = std::min(due_, now);
    return left_out;
}

/// Whether hosts may have been told of something for longer than `ends` let it last.
bool Sender::comes_nearer(const Ends& ends, Clock::time_point now) const {
    return std::any_of(options_.begin(), options_.end(), [&](const Buffer& unit) {
        if (!can_be_withdrawn(unit)) return false;
        return lifetime(ends.as_of(unit, now)) + end_slack < lifetime(ends_.as_of(unit, now));
    });
}

void Sender::finish(Clock::time_point now) {
    set_full(std::nullopt, now);
    set_options({}, now);
    finishing_ = true;
    for (Withdrawal& withdrawal : withdrawing_) withdrawal.left = withdrawals;
    if (farewells_left_ > 0) farewells_left_ = withdrawals;
    answers_.clear();
    spaced_ = now;
    start(now);
}

void Sender::on_solicitation(const Ipv6& source, Clock::time_point now) {
    if (finishing_ || !speaks(now)) return;
    Clock::time_point at =
        now + std::chrono::milliseconds(random_.below(std::uint64_t(answer_delay_max.count()) + 1));
    if (full_) at = std::max(at, hold_until_);
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

void Sender::on_daemon_advertisement(const Advertisement& advertisement, bool multicast, bool asked,
                                     Clock::time_point now) {
    const bool could_announce = can_announce(now);
    const bool spoke = speaks(now);
    if (multicast) courtesy_ = now + multicast_spacing;
    if (full_ && advertisement.header.router_lifetime.count() == 0 && !asked) {
        if (!other_last_words_ || now - *other_last_words_ > Mirror::silence_max)
            other_last_words_ = now;
        // Hosts have lost their route by it.
        if (now - *other_last_words_ <= Mirror::farewell_max) return start(now);
    }
    if (!mirror_.header(now)) heard_.clear();  // a daemon that comes anew tells anew
    const bool was_full = full_.has_value();
    if (was_full) yield();
    mirror_.on_advertisement(advertisement.header, asked, now);
    heard_.on_advertisement(advertisement.options, now);
    // The link is another daemon's now: its route, its prefixes, its resolvers.
    end_farewell();
    const bool can = can_announce(now);
    if (begun_ && can) take_back_all_but(wanted(now), now);
    const NdOptions known = wanted(now);
    const bool forgotten = std::any_of(known.begin(), known.end(), [&](const Buffer& unit) {
        const NdOptions parts = options_of(withdrawn(unit));
        return std::find_first_of(parts.begin(), parts.end(), advertisement.options.begin(),
                                  advertisement.options.end()) != parts.end();
    });
    if ((can && !could_announce) || (!spoke && speaks(now)) || was_full || forgotten) start(now);
    follow_daemon(now);
}

void Sender::on_daemon_ended(Clock::time_point now) {
    if (yielded_) take_over(now);
}

/// The other daemon's header is what hosts have from now on.
void Sender::yield() {
    yielded_ = std::exchange(full_, std::nullopt);
    told_full_ = false;
    for (const Withdrawal& withdrawal : withdrawing_)
        if (is_prefix(withdrawal.option)) dormant_.push_back(withdrawal.option);
    std::erase_if(withdrawing_, [](const Withdrawal& withdrawal) {
        return is_router_option(withdrawal.option[0]);
    });
}

void Sender::take_over(Clock::time_point now) {
    full_ = std::exchange(yielded_, std::nullopt);
    mirror_ = Mirror();
    heard_.clear();
    left_.clear();
    other_last_words_.reset();
    if (begun_) take_back_all_but(wanted(now), now);
    start(now);
}

/// When the daemon that has the link counts as ended, if nothing more is heard of it.
Clock::time_point Sender::other_ends_at() const {
    if (!yielded_) return never;
    if (const auto farewell = mirror_.farewell()) return *farewell + farewell_silence;
    return mirror_.forget_at() - takeover_margin;
}

NdOptions Sender::left_to_daemon(Clock::time_point now) const {
    NdOptions left;
    if (heard_.empty()) return left;
    for (const Buffer& unit : options_) {
        const NdOptions parts = options_of(unit);
        if (std::any_of(parts.begin(), parts.end(),
                        [&](const Buffer& part) { return heard_.tells_type(part[0], now); }))
            left.push_back(unit);
    }
    return left;
}

/// What the daemon began to tell is its own, what it no longer tells is ours again.
void Sender::follow_daemon(Clock::time_point now) {
    NdOptions left = left_to_daemon(now);
    if (left == left_ || !begun_) return;
    left_ = std::move(left);
    take_back_all_but(wanted(now), now);
    start(now);
}

void Sender::send_due(Clock::time_point now, const Send& send) {
    settle(now);
    if (!speaks(now)) {  // until something happens, or the time has come that was waited for
        answers_.clear();
        round_.clear();
        if (multicast_at() <= now) due_ = never;
        return;
    }
    for (const Answer& answer : std::exchange(answers_, {})) {
        if (answer.at > now) {
            answers_.push_back(answer);
            continue;
        }
        for (NdOptions& part : spread(content(now), option_octets_max))
            send_to(answer.to, std::move(part), now, send);
    }
    while (multicast_at() <= now && speaks(now)) {
        if (round_.empty()) round_ = spread(content(now), option_octets_max);
        const bool sent = send_to(all_nodes, std::move(round_.front()), now, send);
        round_.pop_front();
        round_failed_ |= !sent;
        if (sent && !full_ && farewells_left_ == 0) mirror_.on_told();
        if (!finishing_) spaced_ = now + multicast_spacing;
        if (round_.empty()) finish_round(now);
    }
}

Clock::time_point Sender::wake() const {
    Clock::time_point at = multicast_at();
    for (const Answer& answer : answers_) at = std::min(at, answer.at);
    if (const auto farewell = mirror_.farewell(); farewell && !full_ && !told_.empty())
        at = std::min(at, *farewell + Mirror::farewell_grace);
    if (begun_) at = std::min(at, other_ends_at());
    if (begun_ && full_ && !former_prefixes_.empty()) at = std::min(at, former_until_);
    if (!left_.empty()) at = std::min(at, heard_.next_end(settled_));
    return at;
}

bool Sender::can_announce(Clock::time_point now) const {
    if (full_) return link_.source.has_value();
    return farewells_left_ == 0 && mirror_.header(now).has_value();
}

bool Sender::silent() const {
    return !full_ && !yielded_ && !former_ && options_.empty() && withdrawing_.empty() &&
           farewells_left_ == 0;
}

Announced Sender::announced(Clock::time_point now) const {
    Announced all;
    if (former_) all = *former_;
    if (full_ || farewells_left_ > 0) all.full = true;
    if (full_ || mirror_.heard())
        for (Buffer& unit : wanted(now)) all.options.push_back(std::move(unit));
    for (const Buffer& unit : told_)
        if (!contains(all.options, withdrawn(unit))) all.options.push_back(unit);
    for (const Withdrawal& withdrawal : withdrawing_) all.options.push_back(withdrawal.option);
    if (full_) {
        for (const Buffer& unit : former_prefixes_)
            if (!contains(all.options, withdrawn(unit))) all.options.push_back(withdrawn(unit));
        all.header = *full_header();
        all.header.cur_hop_limit = 0;
    } else if (farewell_) {
        all.header = *farewell_;
    } else if (mirror_.said()) {
        all.header = *mirror_.said();
        all.route_until = mirror_.route_until();
    }
    return all;
}

std::optional<Advertisement> Sender::said(Clock::time_point now) const {
    if (!speaks(now)) return std::nullopt;
    Advertisement all{*header_at(now), content(now)};
    for (Buffer& unit : all.options) unit = ends_.as_of(unit, now);
    return all;
}

/// What time alone has changed.
void Sender::settle(Clock::time_point now) {
    settled_ = now;
    forget_done(now);
    if (begun_ && now >= other_ends_at()) take_over(now);
    judge_former_prefixes(now);
    follow_daemon(now);
    const auto farewell = mirror_.farewell();
    if (full_ || !farewell || told_.empty() || now < *farewell + Mirror::farewell_grace) return;
    // The daemon has ended: what came from its address ends too.
    take_back_all_but({}, now);
    start(now);
}

void Sender::start(Clock::time_point now) {
    round_.clear();
    round_failed_ = false;
    failures_ = 0;
    initial_left_ = initial_advertisements;
    due_ = silent() ? never : now;
}

/// Takes back what is no longer wanted, and tells soon what is new.
void Sender::changed(const std::optional<RouterHeader>& former_header, const NdOptions& former,
                     Clock::time_point now) {
    if (!begun_) return;
    const NdOptions now_wanted = wanted(now);
    const std::size_t withdrawing_before = withdrawing_.size();
    take_back_all_but(now_wanted, now);
    if (former_header != full_header() || !same_but_for_lifetimes(former, now_wanted) ||
        withdrawing_.size() > withdrawing_before)
        start(now);
}

void Sender::take_back_all_but(const NdOptions& wanted, Clock::time_point now) {
    if (full_) {
        for (Buffer& unit : dormant_)
            if (!contains(told_, withdrawn(unit))) told_.push_back(std::move(unit));
        dormant_.clear();
    }
    for (const Buffer& unit : std::exchange(told_, {})) {
        const Buffer back = withdrawn(unit);
        if (contains(wanted, back)) {
            told_.push_back(unit);
        } else if (yielded_ && is_router_option(unit[0])) {
            dormant_.push_back(unit);
        } else if (is_prefix(unit)) {
            // Without a router hosts go on using their addresses among themselves. With one, they
            // are told for as long as they may know the prefix (RFC 9096 section 3.5).
            if (!full_) continue;
            const auto known =
                valid_lifetime(unit).count() > 0 ? valid_lifetime(unit) : full_->valid_lifetime_max;
            withdrawing_.push_back({back, withdrawals, now + known});
        } else if (can_be_withdrawn(unit) &&
                   (full_ || farewells_left_ > 0 || !is_router_option(unit[0]))) {
            withdrawing_.push_back({back});
        }
    }
    if (!full_)
        for (Withdrawal& withdrawal : withdrawing_) withdrawal.until = Clock::time_point::min();
    for (Withdrawal& withdrawal : withdrawing_)
        withdrawal.option = without_daemons(withdrawal.option, now);
    std::erase_if(withdrawing_, [&](const Withdrawal& withdrawal) {
        return withdrawal.option.empty() || contains(wanted, withdrawal.option);
    });
}

/// What of `unit` the daemon doesn't tell: its options are not ours to take back.
Buffer Sender::without_daemons(const Buffer& unit, Clock::time_point now) const {
    Buffer ours;
    for (const Buffer& option : options_of(unit))
        if (!heard_.tells(option, now)) ours.insert(ours.end(), option.begin(), option.end());
    return ours;
}

/// Ends the withdrawals that were told often and long enough.
void Sender::forget_done(Clock::time_point now) {
    std::erase_if(withdrawing_, [&](const Withdrawal& withdrawal) {
        return withdrawal.left == 0 && now >= withdrawal.until;
    });
    const auto vanished = [](const Withdrawal& withdrawal) { return withdrawal.left == 0; };
    auto surplus = std::count_if(withdrawing_.begin(), withdrawing_.end(), vanished) -
                   std::ptrdiff_t(vanished_prefixes_max);
    std::erase_if(withdrawing_, [&](const Withdrawal& withdrawal) {
        return vanished(withdrawal) && surplus-- > 0;
    });
}

void Sender::begin_farewell(RouterHeader header, Clock::time_point from) {
    if (mirror_.header(from)) return;  // another daemon has the link, and the hosts' route
    farewell_ = last_words(header);
    farewells_left_ = withdrawals;
    farewell_from_ = from;
}

void Sender::end_farewell() {
    if (farewells_left_ == 0) return;
    farewells_left_ = 0;
    farewell_.reset();
    std::erase_if(withdrawing_, [](const Withdrawal& withdrawal) {
        return is_router_option(withdrawal.option[0]);
    });
}

void Sender::finish_round(Clock::time_point now) {
    if (std::exchange(round_failed_, false)) {
        const Clock::duration pause = multicast_spacing * (1U << std::min(failures_++, 5U));
        due_ = now + (finishing_ ? final_spacing : std::min<Clock::duration>(pause, retry_max));
        return;
    }
    failures_ = 0;
    for (Withdrawal& withdrawal : withdrawing_)
        if (withdrawal.left > 0) --withdrawal.left;
    forget_done(now);
    if (farewells_left_ > 0 && --farewells_left_ == 0) farewell_.reset();
    if (initial_left_ > 0) --initial_left_;
    due_ = silent() ? never : now + next_interval(now);
}

void Sender::note_told(const NdOptions& sent) {
    for (const Buffer& unit : sent) {
        const Buffer back = withdrawn(unit);
        if (back == unit) continue;  // taken back, or nothing to be taken back
        const auto known = std::find_if(told_.begin(), told_.end(),
                                        [&](const Buffer& one) { return withdrawn(one) == back; });
        if (known == told_.end()) {
            told_.push_back(unit);
        } else {
            *known = unit;
        }
    }
}

bool Sender::send_to(const Ipv6& to, NdOptions options, Clock::time_point now, const Send& send) {
    for (Buffer& unit : options) unit = ends_.as_of(unit, now);
    Writer out;
    const Advertisement advertisement{*header_at(now), std::move(options)};
    write(out, advertisement);
    const Bytes octets = out.view();
    if (!send({to, {octets.begin(), octets.end()}})) return false;
    note_told(advertisement.options);
    if (full_) told_full_ = true;
    return true;
}

Clock::time_point Sender::multicast_at() const {
    if (due_ == never) return never;
    Clock::time_point at = std::max(due_, spaced_);
    if (full_) at = std::max(at, hold_until_);
    if (farewells_left_ > 0) at = std::max(at, farewell_from_);
    if (!full_ && farewells_left_ == 0) at = std::max(at, mirror_.last_from());
    if (finishing_) return at;
    // A daemon that answers a flood of solicitations must not keep us silent for ever.
    return std::max(at, std::min<Clock::time_point>(courtesy_, at + multicast_spacing));
}

/// Hosts that are to forget something shouldn't wait longer for it than the rules make them.
Clock::duration Sender::next_interval(Clock::time_point now) {
    if (finishing_) return final_spacing;
    if (farewells_left_ > 0 ||
        std::any_of(withdrawing_.begin(), withdrawing_.end(),
                    [](const Withdrawal& withdrawal) { return withdrawal.left > 0; }))
        return multicast_spacing;
    // Upper bounds leave room for the courtesy toward the daemon.
    const std::chrono::milliseconds max =
        std::max(interval_.max - multicast_spacing, interval_.min);
    const std::chrono::milliseconds range = max - interval_.min;
    Clock::duration chosen =
        interval_.min + std::chrono::milliseconds(random_.below(std::uint64_t(range.count()) + 1));
    if (const auto left = ends_.least_left(now))
        chosen = std::clamp<Clock::duration>(*left / 3 - multicast_spacing, multicast_spacing,
                                             std::max<Clock::duration>(chosen, multicast_spacing));
    if (initial_left_ == 0) return chosen;
    return std::min<Clock::duration>(chosen, initial_interval_max - multicast_spacing);
}

/// What hosts shall know.
NdOptions Sender::wanted(Clock::time_point now) const {
    // Beside a daemon that has ended nothing of ours stands, whoever wants it.
    const auto farewell = mirror_.farewell();
    if (!full_ && farewell && now >= *farewell + Mirror::farewell_grace) return {};
    if (!full_) {
        NdOptions ours = options_;
        const NdOptions left = left_to_daemon(now);
        if (left.empty()) return ours;
        std::erase_if(ours, [&](const Buffer& unit) {
            return std::find(left.begin(), left.end(), unit) != left.end();
        });
        return ours;
    }
    NdOptions all = compose_full(*full_, link_, now).options;
    all.insert(all.end(), options_.begin(), options_.end());
    return all;
}

/// What can be sent at `now`, in order. What is new and what it replaces come first where not
/// everything fits one packet: hosts shall not know both, nor neither, for the time between two.
NdOptions Sender::content(Clock::time_point now) const {
    NdOptions live = can_announce(now) ? wanted(now) : NdOptions{};
    std::size_t octets = 0;
    for (const Buffer& unit : live) octets += unit.size();
    for (const Withdrawal& withdrawal : withdrawing_) octets += withdrawal.option.size();
    if (octets <= option_octets_max || withdrawing_.empty()) {
        for (const Withdrawal& withdrawal : withdrawing_) live.push_back(withdrawal.option);
        return live;
    }
    const auto old = std::stable_partition(live.begin(), live.end(), [&](const Buffer& unit) {
        return !contains(told_, withdrawn(unit));
    });
    NdOptions all(live.begin(), old);
    for (const Withdrawal& withdrawal : withdrawing_) all.push_back(withdrawal.option);
    all.insert(all.end(), old, live.end());
    return all;
}

std::optional<RouterHeader> Sender::full_header() const {
    if (!full_) return std::nullopt;
    return router_header(*full_);
}

std::optional<RouterHeader> Sender::header_at(Clock::time_point now) const {
    if (full_) return link_.source ? full_header() : std::nullopt;
    if (farewells_left_ > 0) return now >= farewell_from_ ? farewell_ : std::nullopt;
    if (const auto current = mirror_.header(now)) return current;
    return mirror_.last(now);
}

bool Sender::speaks(Clock::time_point now) const {
    if (!begun_ || !header_at(now)) return false;
    return full_ || farewells_left_ > 0 || !content(now).empty();
}

}  // namespace porchlight::ra
