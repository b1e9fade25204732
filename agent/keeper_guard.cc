// The keeper's part of the guard against rogue servers: it opens the sockets by which the agent
// hears of them, and loads the rules that drop what they say.

#include <linux/capability.h>

#include <algorithm>
#include <utility>

#include "agent/keeper.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::minutes guard_looked_at{1};
constexpr std::chrono::seconds lost_sockets_sent_again_after{1};

using Area = Hindrances::Area;

std::vector<BridgePort> of_bridges(const std::vector<GuardPort>& ports,
                                   const std::vector<net::Link>& links) {
    std::vector<BridgePort> those;
    for (const GuardPort& port : ports)
        for (const net::Link& link : links)
            if (link.name == port.link && link.bridge)
                those.push_back({port.port, net::vlan_of(link)});
    return those;
}

/// Tentative addresses are left out: whoever has one already must be heard (RFC 4862 section 5.4).
std::vector<IpAddress> own_addresses(const net::Link& link) {
    std::vector<IpAddress> own;
    for (const net::LinkAddress& one : link.addresses)
        if (!one.tentative) own.push_back(one.address);
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
    return own;
}

Sources sources(const Config& config, const std::vector<net::Link>& links,
                const std::vector<Lease>& leases) {
    Sources whole{{}, leases};
    const std::vector<GuardPort> ports = guard_ports(config, links);
    for (const net::Link& link : links) {
        std::vector<GuardPort> of_link = ports;
        std::erase_if(of_link, [&](const GuardPort& port) { return port.link != link.name; });
        if (link.bridge && !of_link.empty())
            whole.links.push_back({of_bridges(of_link, links), own_addresses(link)});
    }
    return whole;
}

Blockade blockade(const Config& config, const std::vector<net::Link>& links,
                  const std::vector<Lease>& leases) {
    Blockade whole;
    whole.blocks = config.guard.block;
    whole.trusted = config.guard.trusted_macs;
    if (whole.blocks) whole.ports = of_bridges(bridge_ports(config, links), links);
    if (config.guard.validate_sources) whole.sources = sources(config, links, leases);
    return whole;
}

/// The home's links that are there and no bridge.
Hindrances::Reasons not_to_be_guarded(const Config& config, const std::vector<net::Link>& links) {
    Hindrances::Reasons reasons;
    for (const LanConfig& lan : config.lan)
        for (const net::Link& link : links)
            if (link.name == lan.interface && !link.bridge)
                reasons["guard the hosts of " + link.name + " from each other"] =
                    "it is no bridge, and what they send each other can't be stopped here";
    return reasons;
}

}  // namespace

/// Ports come and go: at the start, at each reload, for a new agent and when the links changed.
void Keeper::guard_links() {
    const auto links = net::read_links();
    if (!links) return log::warn("cannot read links", {{"error", links.error().message}});
    load_guard_rules(*links);
    if (!agent_.running()) return;
    auto handover = guard_ports_.follow(config_.guard.detect ? guard_ports(config_, *links)
                                                             : std::vector<GuardPort>());
    hindrances_.set(Area::guard_ports, guard_ports_.hindered());
    if (!handover) return;
    Writer out;
    write(out, handover->ports);
    std::vector<int> descriptors;
    for (const FileDescriptor& socket : handover->sockets) descriptors.push_back(socket.get());
    const auto message = out.take();
    if (message &&
        agent_.send(static_cast<std::uint16_t>(Keep::guard_ports), *message, descriptors))
        return;
    // Nobody listens at what did not arrive.
    guard_ports_.forget();
    guard_look_ = Clock::now() + lost_sockets_sent_again_after;
}

void Keeper::load_guard_rules(const std::vector<net::Link>& links) {
    const GuardConfig& guard = config_.guard;
    lease_file_.follow(guard.validate_sources ? config_.dnsmasq.lease_file : "", Clock::now());
    if (!guard.validate_sources) hindrances_.set(Area::leases, {});
    if (!guard.block && !guard.validate_sources) {
        // Also where that failed before, or those of a former run were left.
        if (guard_rules_.may_stand())
            report(guard_rules_.unload(), "cannot unload the guard's rules");
        return hindrances_.set(Area::guard_rules, {});
    }
    Hindrances::Reasons reasons = not_to_be_guarded(config_, links);
    Blockade wanted = blockade(config_, links, leases_);
    const std::string what = "load the guard's rules";
    if (!has_capability(CAP_NET_ADMIN)) {
        reasons[what] = "";
    } else if (guard_rules_.loaded() != wanted) {
        auto loaded = guard_rules_.load(wanted);
        if (!loaded && wanted.blocks && wanted.sources) {
            // A kernel that can't do the one may well do the other.
            reasons["keep addresses to their hosts"] = loaded.error().message;
            wanted.sources.reset();
            loaded = guard_rules_.load(wanted);
        }
        if (!loaded) reasons[what] = loaded.error().message;
    }
    hindrances_.set(Area::guard_rules, std::move(reasons));
}

/// Whoever loads a ruleset flushes everybody's first. What was dropped is read on the way, and what
/// could not be done is tried again.
void Keeper::look_at_guard(Clock::time_point now) {
    if (now < guard_look_) return;
    guard_look_ = now + guard_looked_at;
    if (guard_rules_.loaded() && !guard_rules_.look())
        log::warn("the guard's rules are gone, loading them again");
    guard_links();
    send_processes();
}

/// What stands in it hosts chose, so the agent reads it. Where it can't be had, this router's own
/// addresses are still nobody's.
void Keeper::look_at_leases(Clock::time_point now) {
    const auto file = lease_file_.read(storage_, now);
    if (!file) return;
    // What nobody keeps up to date says nothing of who is here now.
    std::string why = *file ? "" : file->error().message;
    if (*file && !companion_.found()) why = "dnsmasq is not running";
    leases_asked_ = agent_.send(static_cast<std::uint16_t>(Keep::lease_file),
                                why.empty() ? Bytes(**file) : Bytes());
    Hindrances::Reasons reasons;
    if (!why.empty()) reasons["keep leased addresses to their hosts"] = why;
    hindrances_.set(Area::leases, std::move(reasons));
    if (!why.empty()) send_processes();
}

/// One answer to each question, which are seconds apart: loading rules takes its time.
void Keeper::on_leases(Bytes message) {
    if (!std::exchange(leases_asked_, false)) return;
    auto leases = parse_leases(message);
    if (!leases || *leases == leases_) return;
    leases_ = std::move(*leases);
    guard_links();
    send_processes();
}

}  // namespace porchlight::agent
