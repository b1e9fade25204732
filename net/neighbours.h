#pragma once

#include <chrono>
#include <compare>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/result.h"
#include "net/asio.h"
#include "net/frame.h"

namespace porchlight::net {

/// Whose hardware address the kernel found behind an address on a link.
struct Neighbour {
    std::string link;
    IpAddress address;
    MacAddress mac;
    auto operator<=>(const Neighbour&) const = default;
};

/// The kernel's tables of neighbours (ARP, RFC 826, and RFC 4861 section 5.1), ascending. Without
/// those that are being looked for or did not answer, those of links that know no Ethernet address,
/// and groups. Needs no privilege.
Result<std::vector<Neighbour>> read_neighbours();

/// Follows them (RTNETLINK), as LinkMonitor follows links: a notification only says *that*
/// something changed. The kernel finds a host's hardware address before it can answer the first
/// packet of its first connection, so what comes after a pause is read at once; a storm, which any
/// host can raise, is read for a tenth of the time at most.
class NeighbourMonitor {
  public:
    static constexpr std::chrono::milliseconds pause_min{10};
    static constexpr int pause_factor = 9;  // of the time that reading took
    static constexpr std::chrono::milliseconds read_again_after{500};  // what could not be read

    /// Called on the executor after each change; not for what create() already found. The
    /// neighbours are borrowed for the call.
    using OnChange = std::function<void(const std::vector<Neighbour>& neighbours)>;

    /// Fails only where nothing would be notified.
    static Result<NeighbourMonitor> create(asio::any_io_executor executor, OnChange on_change);
    NeighbourMonitor(NeighbourMonitor&&) = default;
    NeighbourMonitor& operator=(NeighbourMonitor&&) = delete;
    /// No call of OnChange follows.
    ~NeighbourMonitor();

    /// As last read.
    const std::vector<Neighbour>& neighbours() const;

  private:
    struct State;
    explicit NeighbourMonitor(std::shared_ptr<State> state) : state_(std::move(state)) {}
    static awaitable<void> follow(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;  // shared with the waiting coroutine, which may end after us
};

}  // namespace porchlight::net
