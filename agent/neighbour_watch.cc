#include "agent/neighbour_watch.h"

#include <utility>

#include "core/log.h"
#include "forwarder/control.h"
#include "forwarder/neighbours.h"

namespace porchlight::agent {

NeighbourWatch::NeighbourWatch(asio::any_io_executor loop,
                               const std::unique_ptr<ChannelLoop>& forwarder)
    : forwarder_(forwarder) {
    auto monitor = net::NeighbourMonitor::create(
        std::move(loop), [this](const std::vector<net::Neighbour>&) { this->tell(); });
    if (monitor)
        monitor_.emplace(std::move(*monitor));
    else
        log::error("cannot follow neighbours", {{"error", monitor.error().message}});
}

void NeighbourWatch::follow(const Config& config) {
    std::set<std::string, std::less<>> links;
    for (const LanConfig& lan : config.lan) links.insert(lan.interface);
    if (links == links_) return;
    links_ = std::move(links);
    tell();
}

void NeighbourWatch::tell() const {
    if (!monitor_ || !forwarder_) return;
    std::vector<forwarder::Neighbour> told;
    for (const net::Neighbour& one : monitor_->neighbours())
        if (links_.contains(one.link) && told.size() < forwarder::Neighbours::neighbours_max)
            told.push_back({forwarder::link_name(one.link), one.address, one.mac});
    Writer out;
    write(out, told);
    forwarder_->send(static_cast<std::uint16_t>(forwarder::Control::neighbours), out.view());
}

}  // namespace porchlight::agent
