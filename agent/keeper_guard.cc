// The keeper's part of the guard against rogue servers: it opens the sockets by which the agent
// hears of them, and loads the rules that drop what they say.

#include <linux/capability.h>

#include <algorithm>

#include "agent/keeper.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::minutes guard_looked_at{1};
constexpr std::chrono::seconds lost_sockets_sent_again_after{1};

using Area = Hindrances::Area;

Blockade blockade(const Config& config, const std::vector<net::Link>& links) {
    Blockade whole{{}, config.guard.trusted_macs};
    for (const GuardPort& port : bridge_ports(config, links)) {
        const auto bridge = std::find_if(links.begin(), links.end(), [&](const net::Link& one) {
            return one.name == port.link;
        });
        whole.ports.push_back({port.port, net::vlan_of(*bridge)});
    }
    return whole;
}

/// The home's links that are there and no bridge.
Hindrances::Reasons not_to_be_blocked(const Config& config, const std::vector<net::Link>& links) {
    Hindrances::Reasons reasons;
    for (const LanConfig& lan : config.lan)
        for (const net::Link& link : links)
            if (link.name == lan.interface && !link.bridge)
                reasons["block rogue servers on " + link.name] =
                    "it is no bridge, and what its hosts send each other can't be stopped here";
    return reasons;
}

}  // namespace

/// Ports come and go: at the start, at each reload, for a new agent and when the links changed.
void Keeper::guard_links() {
    const auto links = net::read_links();
    if (!links) return log::warn("cannot read links", {{"error", links.error().message}});
    block_rogues(*links);
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

void Keeper::block_rogues(const std::vector<net::Link>& links) {
    if (!config_.guard.block) {
        // Also where that failed before, or those of a former run were left.
        if (guard_rules_.may_stand())
            report(guard_rules_.unload(), "cannot unload the guard's rules");
        return hindrances_.set(Area::guard_rules, {});
    }
    Hindrances::Reasons reasons = not_to_be_blocked(config_, links);
    Blockade wanted = blockade(config_, links);
    const std::string what = "load the rules that block rogue servers";
    if (!has_capability(CAP_NET_ADMIN)) {
        reasons[what] = "";
    } else if (guard_rules_.loaded() != wanted) {
        if (const auto loaded = guard_rules_.load(wanted); !loaded)
            reasons[what] = loaded.error().message;
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
    if (told_.blocks_rogues != guard_rules_.loaded().has_value() ||
        told_.blocked != guard_rules_.blocked())
        send_processes();
}

}  // namespace porchlight::agent
