#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/offers.h"
#include "agent/pace.h"
#include "agent/status.h"
#include "core/clock.h"
#include "core/file_descriptor.h"
#include "core/random.h"
#include "net/asio.h"
#include "net/link.h"
#include "ra/wan_listener.h"

namespace porchlight::agent {

/// What the routers behind the WAN interfaces tell of resolvers by Router Advertisement, as offers.
class WanListeners {
  public:
    /// offers() are other ones now, or end at another time. Never more often than Pace lets it.
    using OnChange = std::function<void()>;

    /// `time` and `random` outlive it, and it outlives the loop's run.
    WanListeners(asio::any_io_executor loop, const TimeSource& time, Random& random,
                 OnChange on_change);

    /// Listens to the WAN interfaces of this configuration; what others told is forgotten.
    void follow(const Config& config);
    /// New sockets for some of them.
    void use(const std::vector<std::string>& names, std::vector<FileDescriptor> sockets);
    void set_links(const std::vector<net::Link>& links);

    /// Forgets what was heard on that interface, and asks its routers again.
    void forget(const std::string& interface);

    /// Whether it is too early to say that nothing is offered: whoever starts gives the routers of
    /// each WAN ra::WanListener::answers_within to offer anything, also where the link is not up
    /// yet. OnChange follows when that is over.
    bool expects() const;
    /// All well-formed encrypted resolvers that stand, be they usable or not, as they were when
    /// OnChange was called last: whatever else makes somebody look, strangers set no other pace.
    std::vector<Offer> offers() const;
    /// Resolvers in clear text that stand, likewise.
    const std::vector<IpAddress>& plain() const { return plain_; }
    std::vector<WanStatus> status() const;

  private:
    std::vector<Offer> heard() const;
    std::vector<IpAddress> heard_plain() const;
    void on_news();
    awaitable<void> tell_in_time();
    awaitable<void> tell_after_first_answers();

    asio::any_io_executor loop_;
    const TimeSource& time_;
    Random& random_;
    OnChange on_change_;
    std::map<std::string, ra::WanListener> listeners_;  // by interface
    std::vector<Offer> told_;                           // when on_change_ was called last
    std::vector<IpAddress> plain_;                      // likewise
    Pace pace_;
    bool waiting_ = false;
    std::optional<Clock::time_point> answered_by_;  // since the first follow()
};

}  // namespace porchlight::agent
