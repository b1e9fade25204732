#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/custody.h"
#include "agent/plan.h"
#include "net/asio.h"
#include "net/link.h"

namespace porchlight::agent {

/// Whether what this router serves on one LAN link at one port may be announced: asks its listeners
/// on every address that hosts are told, and lets a Gate decide.
class LanWatch {
  public:
    struct Target {
        std::string link;
        dns::Name adn;
        std::uint16_t port = 853;
        std::string dohpath = {};  // of DNS over HTTPS; empty: DNS over TLS
        bool operator==(const Target&) const = default;
    };

    static constexpr std::chrono::seconds look_every{5};
    static constexpr std::chrono::seconds look_again_after{1};  // a look that failed

    /// `was_announced` is how things stood when the last process ended. `on_change` is called when
    /// fitness() changed, never from within a call of ours.
    LanWatch(asio::any_io_executor loop, Target target, bool was_announced,
             std::function<void()> on_change);
    ~LanWatch();

    const Target& target() const;
    /// Which certificate the listeners shall show, and whether it is fit.
    void set_certificate(const Custody& custody);
    /// The link's addresses as they are now.
    void set_links(const std::vector<net::Link>& links);
    /// Something changed that a listener's answer may depend on: look at once.
    void look_now();
    Fitness fitness() const;

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the looking coroutine, which may end after us
};

/// Everything that hosts may be told of this router.
std::vector<LanWatch::Target> watched(const Config& config);

}  // namespace porchlight::agent
