#include "ra/mirror.h"

#include <algorithm>

#include "ra/dnr_option.h"

namespace porchlight::ra {
namespace {

constexpr std::uint8_t experiment_types[] = {253, 254};  // RFC 4727 section 5.1.3

bool is_ours(const Buffer& option) {
    return option[0] == dnr_option_type || option[0] == experiment_types[0] ||
           option[0] == experiment_types[1];
}

}  // namespace

bool is_supplement(const Advertisement& advertisement) {
    const RouterHeader& header = advertisement.header;
    return header.cur_hop_limit == 0 && header.reachable_time.count() == 0 &&
           header.retrans_timer.count() == 0 && !advertisement.options.empty() &&
           std::all_of(advertisement.options.begin(), advertisement.options.end(), is_ours);
}

void Mirror::on_advertisement(const RouterHeader& header, Clock::time_point now) {
    const bool was_default_router = last_ && last_->router_lifetime.count() > 0;
    const bool is_default_router = header.router_lifetime.count() > 0;
    if (is_default_router || (farewell_ && now - *farewell_ > farewell_max)) {
        farewell_.reset();
    } else if (was_default_router) {
        farewell_ = now;
    }
    last_ = RouterHeader{0, header.flags, header.router_lifetime, {}, {}};
    forget_at_ = now + (is_default_router ? header.router_lifetime : silence_max);
}

std::optional<RouterHeader> Mirror::header(Clock::time_point now) const {
    if (!last_ || farewell_ || now >= forget_at_) return std::nullopt;
    return last_;
}

}  // namespace porchlight::ra
