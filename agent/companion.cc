#include "agent/companion.h"

#include <algorithm>
#include <utility>

#include "agent/former_run.h"
#include "agent/plan.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

/// A command that did not help may have met a bad moment; one that never helps must not keep the
/// home without its dnsmasq.
constexpr std::chrono::seconds restart_wait_first{20};
constexpr std::chrono::seconds restart_wait_max{600};

}  // namespace

Companion::Companion(const Config& config, Storage& storage)
    : config_(config),
      storage_(&storage),
      dnsmasq_(storage, dnsmasq_settings(config)),
      restart_wait_(restart_wait_first) {}

void Companion::succeed(const Config& former) {
    const std::string before = trouble();
    leaving_ = former;
    leave();
    note_change(before);
}

void Companion::follow(const Config& next) {
    const std::string before = trouble();
    // While something of a former one stands, nothing was written by the one that ends here.
    if (!leaving_ && uses_dnsmasq(config_)) leaving_ = config_;
    config_ = next;
    dnsmasq_.use(dnsmasq_settings(config_));
    if (uses_dnsmasq(config_)) left_.reset();
    read_ = {};
    restart_at_ = {};  // a new reason for one
    restart_wait_ = restart_wait_first;
    if (!uses_dnsmasq(config_)) options_.clear();
    if (leaving_) leave();
    note_change(before);
}

void Companion::feed(Clock::time_point now) {
    if (leaving_ || !uses_dnsmasq(config_)) return;
    const std::string before = trouble();
    tell(now);
    note_change(before);
}

void Companion::restore(std::string_view options, Clock::time_point now) {
    if (uses_dnsmasq(config_)) options_ = options;
    feed(now);
}

void Companion::set_options(std::string_view options) {
    if (!uses_dnsmasq(config_) || (told_ && options == options_)) return;
    options_ = options;
    if (!told_) return;  // there is more to be told than options: the next look does it
    const std::string before = trouble();
    told_ = dnsmasq_.feed_options(options_);
    note_change(before);
}

bool Companion::set_upstream_known(bool known) {
    return std::exchange(upstream_known_, known) != known;
}

void Companion::look(Clock::time_point now) {
    const std::string before = trouble();
    if (leaving_) {
        leave();
        // Whoever keeps the configuration gets to keep the new one before anything stands by it.
        if (!leaving_ && uses_dnsmasq(config_))
            told_ = Error{Errc::unavailable, "what a former configuration left had to go first"};
    } else if (uses_dnsmasq(config_)) {
        if (told_ && dnsmasq_.has(fragment(), options_, servers()))
            see_it_read(now);
        else
            tell(now);
    } else if (left_) {
        // At boot its former servers may not be known yet.
        told_ = Dnsmasq(*storage_, dnsmasq_settings(*left_))
                    .keep_servers(former_servers(*left_, *storage_));
    }
    note_change(before);
}

Result<void> Companion::let_go() {
    const std::string before = trouble();
    options_.clear();
    read_ = {};
    if (leaving_) leave();
    if (!leaving_ && uses_dnsmasq(config_))
        told_ = dnsmasq_.unfeed(former_servers(config_, *storage_));
    note_change(before);
    return told_;
}

std::string Companion::trouble() const {
    return !told_ ? told_.error().message : !read_ ? read_.error().message : "";
}

std::string Companion::fragment() const {
    return dhcp::fragment_text(dnsmasq_fragment(config_, dnsmasq_));
}

std::string Companion::servers() const {
    const bool asks_us = learns_upstream(config_) ? upstream_known_ : !config_.upstream.empty();
    return asks_us ? our_servers(config_) : former_servers(config_, *storage_);
}

/// Judged anew each time: by now the user may have gone back to what still stands.
void Companion::leave() {
    const LeftBehind left = left_behind(*leaving_, config_);
    told_ = {};
    if (left.dnsmasq)
        told_ = Dnsmasq(*storage_, dnsmasq_settings(*leaving_))
                    .unfeed(former_servers(*leaving_, *storage_));
    else if (left.fragment)
        told_ = storage_->remove(leaving_->dnsmasq.fragment);
    if (!told_) return;
    if (left.dnsmasq && !uses_dnsmasq(config_)) left_ = leaving_;
    leaving_.reset();
}

void Companion::tell(Clock::time_point now) {
    told_ = dnsmasq_.feed(fragment(), options_, servers());
    if (told_) see_it_read(now);
}

void Companion::see_it_read(Clock::time_point now) {
    if (!found() || dnsmasq_.takes(fragment())) {
        read_ = {};
        restart_at_ = now;
        restart_wait_ = restart_wait_first;
    } else if (now >= restart_at_) {
        restart_at_ = now + restart_wait_;
        restart_wait_ = std::min(restart_wait_ * 2, restart_wait_max);
        read_ = dnsmasq_.restart();
    } else if (read_) {
        read_ = Error{Errc::unavailable,
                      "dnsmasq was restarted but has not read " + config_.dnsmasq.fragment};
    }
}

void Companion::note_change(const std::string& trouble_before) const {
    const std::string now = trouble();
    if (now == trouble_before) return;
    if (now.empty())
        log::info("dnsmasq knows what it should again");
    else
        log::error("dnsmasq does not know what it should", {{"error", now}});
}

}  // namespace porchlight::agent
