#include "ra/mirror.h"

#include <algorithm>

namespace porchlight::ra {

bool is_supplement(const Advertisement& advertisement) {
    const RouterHeader& header = advertisement.header;
    return header.cur_hop_limit == 0 && header.reachable_time.count() == 0 &&
           header.retrans_timer.count() == 0 && !advertisement.options.empty() &&
           std::none_of(advertisement.options.begin(), advertisement.options.end(),
                        [](const Buffer& option) { return is_router_option(option[0]); });
}

void Mirror::on_advertisement(const RouterHeader& header, bool asked, Clock::time_point now) {
    const bool was_default_router = said_ && said_->router_lifetime.count() > 0;
    const bool is_default_router = header.router_lifetime.count() > 0;
    if (is_default_router || asked || (farewell_ && now - *farewell_ > farewell_max)) {
        farewell_.reset();
    } else if (was_default_router) {
        farewell_ = now;
    }
    heard_ = true;
    said_ = RouterHeader{0, header.flags, header.router_lifetime, {}, {}};
    route_until_ = now + header.router_lifetime;
    forget_at_ = is_default_router ? route_until_ : now + silence_max;
    last_from_ = Clock::time_point::min();
}

void Mirror::remember(const RouterHeader& header, Clock::time_point route_until,
                      Clock::time_point from) {
    if (heard_) return;
    said_ = RouterHeader{0, header.flags, header.router_lifetime, {}, {}};
    // More than the header ever gave is a moment of another boot.
    const bool other_boot = route_until - from > header.router_lifetime;
    route_until_ = other_boot ? Clock::time_point{} : route_until;
    last_from_ = from;
}

std::optional<RouterHeader> Mirror::header(Clock::time_point now) const {
    if (!heard_ || farewell_ || now >= forget_at_) return std::nullopt;
    return left_of_said(now);
}

std::optional<RouterHeader> Mirror::last(Clock::time_point now) const {
    if (!said_ || now < last_from_) return std::nullopt;
    const bool ended = said_->router_lifetime.count() > 0 && now >= route_until_;
    if (!heard_ && !told_ && ended) return std::nullopt;
    return left_of_said(now);
}

RouterHeader Mirror::left_of_said(Clock::time_point now) const {
    RouterHeader left = *said_;
    left.router_lifetime = std::max(std::chrono::ceil<std::chrono::seconds>(route_until_ - now),
                                    std::chrono::seconds(0));
    return left;
}

}  // namespace porchlight::ra
