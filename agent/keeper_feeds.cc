// The keeper's part in telling dnsmasq and odhcpd what they tell hosts.

#include <utility>

#include "agent/keeper.h"
#include "agent/plan.h"
#include "core/log.h"
#include "dhcp/dnsmasq_feed.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds carriers_looked_at{10};
constexpr std::chrono::seconds dnsmasq_looked_at{10};
constexpr std::chrono::minutes odhcpd_doubted{1};
constexpr unsigned owner_only = 0600;

}  // namespace

/// A daemon that comes or goes takes a carrier over or leaves it.
void Keeper::look_at_carriers(Clock::time_point now) {
    if (now < carriers_look_) return;
    carriers_look_ = now + carriers_looked_at;
    const Found found = carriers_.look(asked_, now);
    if (found == found_) return;
    found_ = found;
    Config next = resolve_carriers(asked_, found_);
    const ConfigChange change = change_between(config_, next);
    config_ = std::move(next);
    follow(change);
}

void Keeper::look_at_dnsmasq(Clock::time_point now) {
    if (now < dnsmasq_look_) return;
    dnsmasq_look_ = now + dnsmasq_looked_at;
    companion_.look(now);
    if (!config_kept_) keep_config();
    const bool found = companion_.found();
    // That it came or went does not show in its lease file.
    if (std::exchange(leases_kept_, found) != found) lease_file_.forget(now);
    if (found != told_.dnsmasq_found || companion_.trouble() != told_.dnsmasq_trouble)
        send_processes();
}

/// Also where it carries nothing any more, until it has taken back what it said.
bool Keeper::looks_at_odhcpd() const {
    return feeds_odhcpd(config_) || !odhcpd_trouble_.empty();
}

/// What a WAN offered before is told by odhcpd until it is taken out of its configuration.
void Keeper::forget_what_hangs_on_a_wan() {
    const auto journal = storage_.read(paths_.odhcpd);
    if (!journal) return;
    const auto left = not_by_wan(config_, text_of(*journal));
    if (left != entries_for(config_, text_of(*journal))) feed_odhcpd(left);
}

/// UCI has other writers: LuCI, or whoever restores a backup.
void Keeper::look_at_odhcpd(Clock::time_point now) {
    if (now < odhcpd_look_ || !looks_at_odhcpd()) return;
    if (now >= odhcpd_doubt_) {
        odhcpd_doubt_ = now + odhcpd_doubted;
        odhcpd_.doubt();
    }
    feed_odhcpd(odhcpd_.wanted());
}

/// Does what is not done yet, and tells where that turned out otherwise than before.
void Keeper::feed_odhcpd(const std::vector<dhcp::OdhcpdEntry>& entries) {
    odhcpd_look_ = Clock::now() + dnsmasq_looked_at;
    const auto fed = odhcpd_.feed(entries);
    const std::string trouble = fed ? "" : fed.error().message;
    if (trouble == odhcpd_trouble_) return;
    odhcpd_trouble_ = trouble;
    if (!fed) log::error("odhcpd is not fed", {{"error", trouble}});
    send_processes();
}

void Keeper::on_upstreams(Bytes learned) {
    report(learned.empty() ? storage_.remove(paths_.upstreams)
                           : storage_.write_whole(paths_.upstreams, learned, owner_only),
           "cannot remember whom this router asks");
    if (companion_.set_upstream_known(!learned.empty())) companion_.feed(Clock::now());
}

void Keeper::on_dnsmasq_options(std::string_view options) {
    companion_.set_options(options);
    if (companion_.trouble() != told_.dnsmasq_trouble) send_processes();
    // What a stop withdraws is there again at the next start, but for what hangs on a WAN: after a
    // power cut it may be another network, or none.
    const std::string kept =
        uses_dnsmasq(config_) ? dhcp::without(options, links_by_wan(config_)) : std::string();
    if (!stopping_)
        report(store_options(paths_, kept, config_json_, storage_),
               "cannot remember the DHCP options");
}

}  // namespace porchlight::agent
