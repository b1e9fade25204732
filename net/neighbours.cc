#include "net/neighbours.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>

#include "core/clock.h"
#include "core/log.h"
#include "net/netlink.h"

namespace porchlight::net {
namespace {

/// What one dump is collected into.
struct Picture {
    std::vector<Neighbour> neighbours;
    std::map<int, std::string> links;  // by index; empty: it is gone

    const std::string& name_of(int index) {
        const auto [found, is_new] = links.try_emplace(index);
        std::array<char, IF_NAMESIZE> name{};
        if (is_new && ::if_indextoname(static_cast<unsigned>(index), name.data()) != nullptr)
            found->second = name.data();
        return found->second;
    }
};

constexpr bool is_group(const MacAddress& mac) {
    return (mac.octets[0] & 1) != 0;
}

void read_neighbour(const nlmsghdr* message, Picture& picture) {
    std::array<nlattr*, NDA_MAX + 1> attributes{};
    if (nlmsg_parse(const_cast<nlmsghdr*>(message), sizeof(ndmsg), attributes.data(), NDA_MAX,
                    nullptr) < 0)
        return;
    const auto* facts = static_cast<const ndmsg*>(nlmsg_data(message));
    const auto address = address_of(facts->ndm_family, attributes[NDA_DST]);
    const nlattr* hardware = attributes[NDA_LLADDR];
    Neighbour neighbour;
    // The kernel names a hardware address where it holds it for true.
    if (!address || hardware == nullptr || nla_len(hardware) != int(neighbour.mac.octets.size()) ||
        facts->ndm_ifindex <= 0)
        return;
    nla_memcpy(neighbour.mac.octets.data(), hardware, int(neighbour.mac.octets.size()));
    neighbour.address = *address;
    neighbour.link = picture.name_of(facts->ndm_ifindex);
    if (is_group(neighbour.mac) || neighbour.mac == MacAddress() || neighbour.link.empty()) return;
    picture.neighbours.push_back(std::move(neighbour));
}

int read_message(nl_msg* message, void* picture) {
    const nlmsghdr* header = nlmsg_hdr(message);
    if (header->nlmsg_type == RTM_NEWNEIGH) read_neighbour(header, *static_cast<Picture*>(picture));
    return NL_OK;
}

}  // namespace

Result<std::vector<Neighbour>> read_neighbours() {
    auto socket = open_route_socket();
    if (!socket) return socket.error();
    Picture picture;
    const int status = read_whole(socket->get(), read_message, &picture, [&](nl_sock* raw) {
        picture = {};
        // Not of every family: bridges keep tables of that kind too.
        const int code = netlink_dump(raw, RTM_GETNEIGH, AF_INET);
        return code < 0 ? code : netlink_dump(raw, RTM_GETNEIGH, AF_INET6);
    });
    if (status < 0) return netlink_failed("cannot read neighbours", status);
    std::sort(picture.neighbours.begin(), picture.neighbours.end());
    return std::move(picture.neighbours);
}

struct NeighbourMonitor::State {
    State(asio::any_io_executor executor, OnChange call)
        : notifications(executor), timer(executor), on_change(std::move(call)) {}

    /// The table as it is now, and whether it is news. What can't be read leaves it stale.
    bool refresh() {
        const Clock::time_point began = Clock::now();
        auto now = read_neighbours();
        const Clock::time_point ended = Clock::now();
        read_again_at =
            ended + std::max<Clock::duration>(pause_min, pause_factor * (ended - began));
        stale = !now;
        if (stale) read_again_at = ended + read_again_after;
        if (stale && lines.admit(ended))
            log::warn("cannot read neighbours", {{"error", now.error().message}});
        if (stale || neighbours == *now) return false;
        neighbours = std::move(*now);
        return true;
    }

    asio::posix::stream_descriptor notifications;
    asio::steady_timer timer;
    OnChange on_change;
    std::vector<Neighbour> neighbours;
    Clock::time_point read_again_at{};
    bool stale = false;  // what was read last is not all that is true
    log::Limiter lines;
};

Result<NeighbourMonitor> NeighbourMonitor::create(asio::any_io_executor executor,
                                                  OnChange on_change) {
    // Listen first, read then: what changes in between is notified.
    auto notifications = open_route_notifications(RTMGRP_NEIGH);
    if (!notifications) return notifications.error();
    auto state = std::make_shared<State>(executor, std::move(on_change));
    state->notifications.assign(notifications->release());
    state->refresh();
    asio::co_spawn(executor, follow(state), asio::detached);
    return NeighbourMonitor(std::move(state));
}

NeighbourMonitor::~NeighbourMonitor() {
    if (!state_) return;
    error_code ignored;
    state_->notifications.close(ignored);
    state_->timer.cancel();
}

const std::vector<Neighbour>& NeighbourMonitor::neighbours() const {
    return state_->neighbours;
}

awaitable<void> NeighbourMonitor::follow(std::shared_ptr<State> state) {
    try {
        while (state->notifications.is_open()) {
            if (!state->stale)
                co_await state->notifications.async_wait(asio::posix::stream_descriptor::wait_read,
                                                         asio::use_awaitable);
            state->timer.expires_at(state->read_again_at);
            co_await state->timer.async_wait(asio::use_awaitable);
            if (!state->notifications.is_open()) co_return;
            drain(state->notifications.native_handle());
            if (state->refresh()) state->on_change(state->neighbours);
        }
    } catch (const system_error& end) {
        if (end.code() != asio::error::operation_aborted)
            log::error("no longer following neighbours", {{"error", end.what()}});
    }
}

}  // namespace porchlight::net
