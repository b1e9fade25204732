#pragma once

#include <functional>
#include <memory>

#include "agent/config.h"
#include "agent/custody.h"
#include "agent/keeper_protocol.h"
#include "agent/status.h"
#include "core/clock.h"
#include "net/asio.h"
#include "net/channel.h"

namespace porchlight::agent {

/// What says that the certificate is not revoked, for hosts that ask for it (RFC 6066 section 8):
/// had from the responder that it names, by the provision role, and had again in time. A
/// certificate that names none, as most do, needs nothing. Kept in memory alone.
class Staples {
  public:
    /// What it can't do by itself.
    struct Callbacks {
        std::function<void()> start_provision;  // then on_provision() is called
        std::function<void()> changed;          // stapled() says another thing now
    };

    /// `time` outlives it.
    Staples(asio::any_io_executor loop, const TimeSource& time, Callbacks callbacks);
    ~Staples();

    /// As Orders::set(). By a clock that nobody vouches for no staple is asked for, nor shown.
    void set(const Config& config, const World& world, const Custody& custody, bool wall_trusted);
    /// The channel to the provision role that was asked for.
    void on_provision(net::Channel channel);
    /// The response for that chain, or nothing.
    Buffer staple(Bytes chain_pem) const;
    void describe(StapleStatus& status) const;

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with timers and channels, which may end after us
};

}  // namespace porchlight::agent
