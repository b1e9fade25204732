// The keeper's sockets and what guards them: opened with its privileges, handed to those who serve.

#include <linux/capability.h>
#include <net/if.h>

#include <algorithm>

#include "agent/keeper.h"
#include "core/log.h"
#include "forwarder/control.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::minutes firewall_looked_at{1};
constexpr std::chrono::seconds sockets_tried_again{10};

using Area = Hindrances::Area;

template <class Kind>
constexpr std::uint16_t number(Kind kind) {
    return static_cast<std::uint16_t>(kind);
}

template <class Opened>
void hand_over(Child& agent, Keep kind, const Opened& opened) {
    Writer out;
    write(out, opened.links);
    std::vector<int> descriptors;
    for (const FileDescriptor& socket : opened.sockets) descriptors.push_back(socket.get());
    auto message = out.take();
    if (message) agent.send(number(kind), *message, descriptors);
}

}  // namespace

void Keeper::close_ports(const Fence& fence) {
    firewall_look_ = Clock::now() + firewall_looked_at;
    if (fence.ports.empty()) {
        if (firewall_) report(unload_firewall(), "cannot unload the firewall rule");
        firewall_ = false;
        return hindrances_.set(Area::firewall, {});
    }
    const std::string what =
        "load the firewall rule that keeps the encrypted ports closed toward the WAN";
    if (!has_capability(CAP_NET_ADMIN)) return hindrances_.set(Area::firewall, {{what, ""}});
    const auto loaded = load_firewall(firewall_rules(fence));
    // One that was loaded before stands where the new one is refused.
    firewall_ = firewall_ || loaded;
    hindrances_.set(Area::firewall, loaded ? Hindrances::Reasons()
                                           : Hindrances::Reasons{{what, loaded.error().message}});
}

/// Whoever loads a ruleset flushes everybody's first, as Debian's nftables.service does.
void Keeper::look_at_firewall(Clock::time_point now) {
    if (now < firewall_look_) return;
    firewall_look_ = now + firewall_looked_at;
    if (!config_.resolver || !has_capability(CAP_NET_ADMIN)) return;
    if (firewall_ && firewall_stands()) return;
    if (firewall_) log::warn("the firewall rule is gone, loading it again");
    firewall_ = false;
    close_ports(fence(config_));
    send_processes();
}

/// The sockets that `next` needs, while those of the configuration that stands still listen. Fails,
/// and leaves nothing behind, where one of them can't be had.
Result<Opening> Keeper::open_beside(const Config& next) {
    close_ports(both(fence(config_), fence(next)));
    Opening opening = open_services(next);
    for (const auto& [what, why] : opening.hindered) {
        // What the standing one can't serve either is no reason to stay with it.
        if (hindrances_.holds(Area::listeners, what)) continue;
        close_ports(fence(config_));
        return Error{Errc::refused, "cannot " + what + ": " + why};
    }
    return opening;
}

void Keeper::send_link_sockets() {
    LinkSockets opened = open_link_sockets(advertised_links(config_));
    link_sockets_missing_ = std::move(opened.missing);
    links_retry_ = Clock::now() + sockets_tried_again;
    hindrances_.set(Area::advertisements, std::move(opened.hindered));
    hand_over(agent_, Keep::link_sockets, opened);
}

/// An agent takes back what a former one told on links that it gets no sockets for any more. Those
/// of the configuration must follow.
void Keeper::send_former_link_sockets() {
    std::vector<std::string> links(former_links_.begin(), former_links_.end());
    for (const std::string& link : advertised_links(config_)) std::erase(links, link);
    if (!links.empty()) hand_over(agent_, Keep::link_sockets, open_link_sockets(links));
}

void Keeper::send_wan_sockets() {
    const WanSockets::Opened opened = wan_sockets_.open(config_, Clock::now());
    hindrances_.set(Area::wan, opened.hindered);
    hand_over(agent_, Keep::wan_sockets, opened);
    send_processes();
}

/// Hands every service socket over; our copies are closed at once, so that a dead forwarder means a
/// closed port and never a silent one.
void Keeper::send_listeners(Opening opening) {
    for (const Service& service : opening.unserved)
        if (!opening.hindered.contains(service.what) &&
            std::find(unserved_.begin(), unserved_.end(), service) == unserved_.end())
            log::info("an address is not here yet", {{"to", service.what}});
    link_indexes_ = std::move(opening.links);
    unserved_ = std::move(opening.unserved);
    hindrances_.set(Area::listeners, std::move(opening.hindered));
    listeners_retry_ = Clock::now() + sockets_tried_again;
    std::vector<forwarder::ListenerInfo> infos;
    std::vector<int> descriptors;
    for (const ServiceSocket& socket : opening.sockets) {
        infos.push_back(socket.info);
        descriptors.push_back(socket.descriptor.get());
    }
    Writer out;
    forwarder::write(out, infos);
    auto message = out.take();
    if (message) forwarder_.send(number(forwarder::Control::listeners), *message, descriptors);
}

/// Whoever held a port may have let it go, and nobody tells. Only what is missing is tried: the
/// rest listens, and a second socket beside it would take its connections.
void Keeper::try_listeners_again(Clock::time_point now) {
    if (unserved_.empty() || now < listeners_retry_) return;
    listeners_retry_ = now + sockets_tried_again;
    if (std::none_of(unserved_.begin(), unserved_.end(),
                     [&](const Service& service) { return bool(open_service(service, config_)); }))
        return;
    send_listeners(open_services(config_));
    send_processes();
}

/// A link may have been too small for IPv6 for a moment, or the machine out of buffers. The agent's
/// announcers take what hosts know from those that they replace.
void Keeper::try_links_again(Clock::time_point now) {
    if (link_sockets_missing_.empty() || now < links_retry_) return;
    links_retry_ = now + sockets_tried_again;
    if (std::none_of(link_sockets_missing_.begin(), link_sockets_missing_.end(),
                     [](const std::string& link) { return bool(open_link(link)); }))
        return;
    send_link_sockets();
    send_processes();
}

/// Whether the LAN interfaces are still those that the service sockets were bound to.
bool Keeper::links_are_those() const {
    return std::all_of(link_indexes_.begin(), link_indexes_.end(), [](const auto& known) {
        return ::if_nametoindex(known.first.c_str()) == known.second;
    });
}

void Keeper::on_links_changed() {
    if (!wan_sockets_.links_are_those()) send_wan_sockets();
    guard_links();
    if (links_are_those()) return;
    send_listeners(open_services(config_));
    send_link_sockets();
    send_processes();
}

}  // namespace porchlight::agent
