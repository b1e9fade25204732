#include "agent/companion.h"

#include "agent/plan.h"
#include "agent/state_files.h"
#include "core/log.h"

namespace porchlight::agent {

Companion::Companion(const Config& config, Storage& storage)
    : config_(config), storage_(&storage), dnsmasq_(storage, dnsmasq_settings(config)) {}

void Companion::restore() {
    if (!uses_dnsmasq(config_)) return;
    const auto options = storage_->read(StatePaths(config_).dhcp_options);
    options_ = options && announces(config_) ? text_of(*options) : "";
    feed();
}

Result<void> Companion::follow(const Config& next) {
    const bool used = uses_dnsmasq(config_);
    const std::string former_fragment = config_.dnsmasq.fragment;
    config_ = next;
    if (!uses_dnsmasq(config_)) {
        // The files are still where the former configuration had them.
        if (used) (void)let_go();
        return {};
    }
    Result<void> removed;
    if (used && former_fragment != config_.dnsmasq.fragment)
        removed = storage_->remove(former_fragment);
    dnsmasq_ = Dnsmasq(*storage_, dnsmasq_settings(config_));
    feed();
    return removed;
}

void Companion::set_options(std::string_view options) {
    if (!uses_dnsmasq(config_) || (told_ && options == options_)) return;
    options_ = options;
    if (!told_) return;  // there is more to be told than options: the next look does it
    const std::string before = trouble();
    told_ = dnsmasq_.feed_options(options_);
    note_change(before);
}

void Companion::look() {
    const std::string before = trouble();
    if (!told_ && uses_dnsmasq(config_)) return feed();
    if (!told_) (void)let_go();
    // One that a person restarted has read the fragment without anybody telling us.
    if (!read_ && dnsmasq_.takes(fragment())) read_ = {};
    note_change(before);
}

Result<void> Companion::let_go() {
    const std::string before = trouble();
    options_.clear();
    read_ = {};
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

void Companion::feed() {
    const std::string before = trouble();
    const std::string servers =
        config_.upstream.empty() ? former_servers(config_, *storage_) : our_servers(config_);
    // Asked before it is written anew: by a clock that was set since, the file would seem older
    // than the process that has not read it.
    const bool has_read = dnsmasq_.takes(fragment());
    told_ = dnsmasq_.feed(fragment(), options_, servers);
    read_ = {};
    if (told_ && found() && !has_read) read_ = dnsmasq_.restart();
    note_change(before);
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
