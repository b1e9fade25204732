#include "net/link.h"

#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "core/log.h"
#include "net/netlink.h"

namespace porchlight::net {
namespace {

constexpr std::uint32_t followed_groups =
    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;

void read_kind(const nlattr* info, Link& link) {
    std::array<nlattr*, IFLA_INFO_MAX + 1> attributes{};
    if (info == nullptr ||
        nla_parse_nested(attributes.data(), IFLA_INFO_MAX, const_cast<nlattr*>(info), nullptr) < 0)
        return;
    link.bridge = attributes[IFLA_INFO_KIND] != nullptr &&
                  nla_strcmp(attributes[IFLA_INFO_KIND], "bridge") == 0;
    std::array<nlattr*, IFLA_BR_MAX + 1> bridge{};
    link.filters_vlans =
        link.bridge && attributes[IFLA_INFO_DATA] != nullptr &&
        nla_parse_nested(bridge.data(), IFLA_BR_MAX, attributes[IFLA_INFO_DATA], nullptr) >= 0 &&
        bridge[IFLA_BR_VLAN_FILTERING] != nullptr &&
        nla_get_u8(bridge[IFLA_BR_VLAN_FILTERING]) != 0;
}

/// What one dump is collected into.
using Links = std::map<unsigned, Link>;

void read_link(const nlmsghdr* message, Links& links) {
    std::array<nlattr*, IFLA_MAX + 1> attributes{};
    if (nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(ifinfomsg), attributes.data(), IFLA_MAX,
                    nullptr) < 0 ||
        attributes[IFLA_IFNAME] == nullptr)
        return;
    const auto* facts = static_cast<const ifinfomsg*>(nlmsg_data(message));
    // Wireless events come as messages of AF_UNSPEC, bridge ports as AF_BRIDGE: not links.
    if (facts->ifi_family != AF_UNSPEC || facts->ifi_index <= 0) return;
    Link& link = links[static_cast<unsigned>(facts->ifi_index)];
    link.index = static_cast<unsigned>(facts->ifi_index);
    link.name = nla_get_string(attributes[IFLA_IFNAME]);
    link.up = (facts->ifi_flags & IFF_UP) != 0;
    link.carrier = link.up && (facts->ifi_flags & IFF_RUNNING) != 0;
    if (const nlattr* mtu = attributes[IFLA_MTU]) link.mtu_octets = nla_get_u32(mtu);
    if (const nlattr* master = attributes[IFLA_MASTER]) link.master = nla_get_u32(master);
    read_kind(attributes[IFLA_LINKINFO], link);
    if (const nlattr* address = attributes[IFLA_ADDRESS]) {
        const auto* octets = static_cast<const std::uint8_t*>(nla_data(address));
        link.hardware_address.assign(octets, octets + nla_len(address));
    }
}

/// A bridge, or a port of one, with its VLANs.
void read_vlans(const nlmsghdr* message, Links& links) {
    std::array<nlattr*, IFLA_MAX + 1> attributes{};
    const auto* facts = static_cast<const ifinfomsg*>(nlmsg_data(message));
    if (nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(ifinfomsg), attributes.data(), IFLA_MAX,
                    nullptr) < 0 ||
        attributes[IFLA_AF_SPEC] == nullptr)
        return;
    const auto link = links.find(static_cast<unsigned>(facts->ifi_index));
    if (link == links.end()) return;
    const nlattr* one = nullptr;
    int left = 0;
    nla_for_each_nested(one, attributes[IFLA_AF_SPEC], left) {
        bridge_vlan_info info{};
        if (nla_type(one) != IFLA_BRIDGE_VLAN_INFO || nla_len(one) < int(sizeof info)) continue;
        nla_memcpy(&info, one, sizeof info);
        if ((info.flags & BRIDGE_VLAN_INFO_PVID) != 0) link->second.untagged_vlan = info.vid;
    }
}

bool is_of_bridge(const nlmsghdr* message) {
    return nlmsg_datalen(message) >= int(sizeof(ifinfomsg)) &&
           static_cast<const ifinfomsg*>(nlmsg_data(message))->ifi_family == AF_BRIDGE;
}

void read_address(const nlmsghdr* message, Links& links) {
    std::array<nlattr*, IFA_MAX + 1> attributes{};
    if (nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(ifaddrmsg), attributes.data(), IFA_MAX,
                    nullptr) < 0)
        return;
    const auto* facts = static_cast<const ifaddrmsg*>(nlmsg_data(message));
    // On a point-to-point link IFA_ADDRESS is the peer's; ours is IFA_LOCAL then.
    auto address = address_of(facts->ifa_family, attributes[IFA_LOCAL]);
    if (!address) address = address_of(facts->ifa_family, attributes[IFA_ADDRESS]);
    const auto link = links.find(facts->ifa_index);
    if (!address || link == links.end()) return;

    const std::uint32_t flags = attributes[IFA_FLAGS] != nullptr
                                    ? nla_get_u32(attributes[IFA_FLAGS])
                                    : std::uint32_t(facts->ifa_flags);
    LinkAddress found{*address, facts->ifa_prefixlen};
    found.tentative = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0;
    found.deprecated = (flags & IFA_F_DEPRECATED) != 0;
    // The same bit means "secondary" in IPv4.
    found.temporary = facts->ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0;
    if (const nlattr* times = attributes[IFA_CACHEINFO]) {
        ifa_cacheinfo cache{};
        nla_memcpy(&cache, times, sizeof cache);
        if (cache.ifa_valid != UINT32_MAX) found.valid = std::chrono::seconds(cache.ifa_valid);
        if (cache.ifa_prefered != UINT32_MAX)
            found.preferred = std::chrono::seconds(cache.ifa_prefered);
    }
    link->second.addresses.push_back(found);
}

int read_message(nl_msg* message, void* links) {
    const nlmsghdr* header = nlmsg_hdr(message);
    if (header->nlmsg_type == RTM_NEWLINK && is_of_bridge(header))
        read_vlans(header, *static_cast<Links*>(links));
    else if (header->nlmsg_type == RTM_NEWLINK)
        read_link(header, *static_cast<Links*>(links));
    if (header->nlmsg_type == RTM_NEWADDR) read_address(header, *static_cast<Links*>(links));
    return NL_OK;
}

/// A default route of one or of several next hops.
void read_route(const nlmsghdr* message, std::set<unsigned>& links) {
    std::array<nlattr*, RTA_MAX + 1> attributes{};
    if (nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(rtmsg), attributes.data(), RTA_MAX,
                    nullptr) < 0)
        return;
    const auto* facts = static_cast<const rtmsg*>(nlmsg_data(message));
    if (facts->rtm_family != AF_INET6 || facts->rtm_dst_len != 0 || facts->rtm_type != RTN_UNICAST)
        return;
    if (attributes[RTA_OIF] != nullptr) links.insert(nla_get_u32(attributes[RTA_OIF]));
    const nlattr* hops = attributes[RTA_MULTIPATH];
    if (hops == nullptr) return;
    Bytes left(static_cast<const std::uint8_t*>(nla_data(hops)), std::size_t(nla_len(hops)));
    while (left.size() >= sizeof(rtnexthop)) {
        rtnexthop hop{};
        std::memcpy(&hop, left.data(), sizeof hop);
        const std::size_t size = NLA_ALIGN(hop.rtnh_len);
        if (size < sizeof hop || hop.rtnh_ifindex <= 0) return;
        links.insert(static_cast<unsigned>(hop.rtnh_ifindex));
        left = left.subspan(std::min(size, left.size()));
    }
}

int read_route_message(nl_msg* message, void* links) {
    const nlmsghdr* header = nlmsg_hdr(message);
    if (header->nlmsg_type == RTM_NEWROUTE)
        read_route(header, *static_cast<std::set<unsigned>*>(links));
    return NL_OK;
}

/// Bridges and their ports, with their VLANs.
int dump_vlans(nl_sock* socket) {
    struct {
        ifinfomsg of_all{};
        nlattr head{NLA_HDRLEN + sizeof(std::uint32_t), IFLA_EXT_MASK};
        std::uint32_t wanted = RTEXT_FILTER_BRVLAN;
    } request;
    request.of_all.ifi_family = AF_BRIDGE;
    const int sent = nl_send_simple(socket, RTM_GETLINK, NLM_F_DUMP, &request, sizeof request);
    return sent < 0 ? sent : nl_recvmsgs_default(socket);
}

auto wire_facts(const LinkAddress& address) {
    return std::tuple(address.address, address.prefix, address.tentative, address.deprecated,
                      address.temporary);
}

bool same_link(const Link& a, const Link& b) {
    return a.name == b.name && a.index == b.index && a.up == b.up && a.carrier == b.carrier &&
           a.mtu_octets == b.mtu_octets && a.hardware_address == b.hardware_address &&
           a.master == b.master && a.bridge == b.bridge && a.filters_vlans == b.filters_vlans &&
           a.untagged_vlan == b.untagged_vlan &&
           std::equal(a.addresses.begin(), a.addresses.end(), b.addresses.begin(),
                      b.addresses.end(), [](const LinkAddress& x, const LinkAddress& y) {
                          return wire_facts(x) == wire_facts(y);
                      });
}

}  // namespace

bool same_but_for_lifetimes(const std::vector<Link>& a, const std::vector<Link>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_link);
}

Result<std::vector<Link>> read_links() {
    auto socket = open_route_socket();
    if (!socket) return socket.error();
    Links links;
    const int status = read_whole(socket->get(), read_message, &links, [&](nl_sock* raw) {
        links.clear();
        int code = netlink_dump(raw, RTM_GETLINK);
        // A kernel without VLANs on bridges may know no answer; then there are none.
        if (code >= 0 && dump_vlans(raw) == -NLE_DUMP_INTR) code = -NLE_DUMP_INTR;
        return code < 0 ? code : netlink_dump(raw, RTM_GETADDR);
    });
    if (status < 0) return netlink_failed("cannot read links and routes", status);
    std::vector<Link> list;
    const Clock::time_point now = Clock::now();
    for (auto& [index, link] : links) {
        link.read_at = now;
        list.push_back(std::move(link));
    }
    return list;
}

Result<std::vector<unsigned>> read_default_routes() {
    auto socket = open_route_socket();
    if (!socket) return socket.error();
    std::set<unsigned> links;
    const int status = read_whole(socket->get(), read_route_message, &links, [&](nl_sock* raw) {
        links.clear();
        return netlink_dump(raw, RTM_GETROUTE, AF_INET6);
    });
    if (status < 0) return netlink_failed("cannot read links and routes", status);
    return std::vector<unsigned>(links.begin(), links.end());
}

struct LinkMonitor::State {
    State(asio::any_io_executor executor, OnChange call)
        : notifications(executor), timer(executor), on_change(std::move(call)) {}

    /// Everything to be known now, and whether it is news. What can't be read leaves it stale.
    bool refresh() {
        auto now = read_links();
        auto routes = read_default_routes();
        stale = !now || !routes;
        if (stale && lines.admit(Clock::now()))
            log::warn("cannot read links",
                      {{"error", (now ? routes.error() : now.error()).message}});
        bool changed = false;
        if (now) {
            changed = !known || !same_but_for_lifetimes(links, *now);
            links = std::move(*now);
            known = true;
        }
        if (routes) {
            changed |= default_routes != *routes;
            default_routes = std::move(*routes);
        }
        return changed;
    }

    asio::posix::stream_descriptor notifications;
    asio::steady_timer timer;
    OnChange on_change;
    std::vector<Link> links;
    std::vector<unsigned> default_routes;
    bool known = false;  // the links were read once
    bool stale = false;  // what was read last is not all that is true
    log::Limiter lines;
};

Result<LinkMonitor> LinkMonitor::create(asio::any_io_executor executor, OnChange on_change) {
    // Listen first, read then: what changes in between is notified.
    auto notifications = open_route_notifications(followed_groups);
    if (!notifications) return notifications.error();
    auto state = std::make_shared<State>(executor, std::move(on_change));
    state->notifications.assign(notifications->release());
    state->refresh();
    asio::co_spawn(executor, follow(state), asio::detached);
    return LinkMonitor(std::move(state));
}

const std::vector<Link>& LinkMonitor::links() const {
    return state_->links;
}

bool LinkMonitor::knows_links() const {
    return state_->known;
}

const std::vector<unsigned>& LinkMonitor::default_routes() const {
    return state_->default_routes;
}

void LinkMonitor::close() {
    if (!state_) return;
    error_code ignored;
    state_->notifications.close(ignored);
    state_->timer.cancel();
}

awaitable<void> LinkMonitor::follow(std::shared_ptr<State> state) {
    try {
        while (state->notifications.is_open()) {
            if (!state->stale) {
                co_await state->notifications.async_wait(asio::posix::stream_descriptor::wait_read,
                                                         asio::use_awaitable);
                if (!drain(state->notifications.native_handle())) continue;
            }
            state->timer.expires_after(state->stale ? read_again_after : settle);
            co_await state->timer.async_wait(asio::use_awaitable);
            if (!state->notifications.is_open()) co_return;
            drain(state->notifications.native_handle());
            if (state->refresh()) state->on_change(state->links);
        }
    } catch (const system_error& end) {
        if (end.code() != asio::error::operation_aborted)
            log::error("no longer following links", {{"error", end.what()}});
    }
}

}  // namespace porchlight::net
