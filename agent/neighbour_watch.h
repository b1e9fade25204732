#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/channel_loop.h"
#include "agent/config.h"
#include "net/neighbours.h"

namespace porchlight::agent {

/// Tells the forwarder, which can't look itself, which hosts are on the home's links: to it a host
/// is one client, however many addresses it has. Their MAC addresses go nowhere else, neither into
/// a log nor into `status`.
class NeighbourWatch {
  public:
    /// `forwarder` is where its channel is kept, null while there is none.
    NeighbourWatch(asio::any_io_executor loop, const std::unique_ptr<ChannelLoop>& forwarder);
    NeighbourWatch(const NeighbourWatch&) = delete;

    /// The links are those of `lan`.
    void follow(const Config& config);
    /// To a forwarder that knows nothing yet.
    void tell() const;

  private:
    const std::unique_ptr<ChannelLoop>& forwarder_;
    std::set<std::string, std::less<>> links_;
    std::optional<net::NeighbourMonitor> monitor_;  // none: the kernel notifies nobody
};

}  // namespace porchlight::agent
