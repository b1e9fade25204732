#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "net/asio.h"

namespace porchlight::net {

/// An address that this machine has on a link.
struct LinkAddress {
    IpAddress address;
    unsigned prefix = 0;      // length in bits
    bool tentative = false;   // not proved unique (yet): nobody can reach it
    bool deprecated = false;  // its preferred lifetime is over: no new use
    bool temporary = false;   // a privacy address of RFC 8981: IPv6 only
    /// Left when the link was read; nothing: for ever.
    std::optional<std::chrono::seconds> valid{};
    std::optional<std::chrono::seconds> preferred{};  // likewise
};

struct Link {
    std::string name;
    unsigned index = 0;
    bool up = false;       // switched on
    bool carrier = false;  // and something is at the other end
    std::vector<LinkAddress> addresses;
    std::uint32_t mtu_octets = 0;
    Buffer hardware_address{};  // empty where the link has none
    unsigned master = 0;        // the index of the bridge or bond that it is a port of; 0: none
    bool bridge = false;
    bool filters_vlans = false;  // a bridge that keeps VLANs apart
    /// What comes untagged to a port of such a bridge, or to it from this machine, is of this VLAN.
    /// 0: of none, or it is neither.
    std::uint16_t untagged_vlan = 0;
    Clock::time_point read_at{};  // what is left of lifetimes counts from then
};

/// The VLAN that a bridge has given untagged frames of its own network; 0: it tells none apart.
inline std::uint16_t vlan_of(const Link& bridge) {
    return bridge.filters_vlans ? bridge.untagged_vlan : std::uint16_t(0);
}

/// Whether nothing changed that somebody could see on the wire. Remaining lifetimes always run and
/// are left out.
bool same_but_for_lifetimes(const std::vector<Link>& a, const std::vector<Link>& b);

/// Every link of this network namespace with its addresses, as the kernel has them now; ordered by
/// index. Needs no privilege.
Result<std::vector<Link>> read_links();

/// The indices of the links that an IPv6 default route leaves by, ascending, each once; whatever
/// its table, and whatever sources it is for. Routes that refuse are none. Needs no privilege.
Result<std::vector<unsigned>> read_default_routes();

/// Follows links, addresses and IPv6 default routes (RTNETLINK) and says when they changed. Needs
/// no privilege.
/// - A notification only says *that* something changed; what is true then is read anew as a whole.
///   So a lost notification, or one of a kind unknown to us, can never leave a wrong picture.
/// - Changes that come within `settle` are reported once.
/// - What can't be read, for the kernel interrupts who reads in a storm, is read again soon.
class LinkMonitor {
  public:
    static constexpr std::chrono::milliseconds settle{50};
    static constexpr std::chrono::milliseconds read_again_after{500};  // what could not be read

    /// Called on the executor after each change; not for what create() already found. The links
    /// are borrowed for the call. May call close().
    using OnChange = std::function<void(const std::vector<Link>& links)>;

    /// Fails only where nothing would be notified.
    static Result<LinkMonitor> create(asio::any_io_executor executor, OnChange on_change);
    LinkMonitor(LinkMonitor&&) = default;
    LinkMonitor& operator=(LinkMonitor&&) = delete;
    ~LinkMonitor() { close(); }

    /// Whether they could be read at all; until then there seem to be none.
    bool knows_links() const;
    /// As last read.
    const std::vector<Link>& links() const;
    const std::vector<unsigned>& default_routes() const;
    /// No call of OnChange follows.
    void close();

  private:
    struct State;
    explicit LinkMonitor(std::shared_ptr<State> state) : state_(std::move(state)) {}
    static awaitable<void> follow(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;  // shared with the waiting coroutine, which may end after us
};

}  // namespace porchlight::net
