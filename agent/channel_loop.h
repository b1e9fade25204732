#pragma once

#include <functional>
#include <memory>

#include "net/asio.h"
#include "net/channel.h"

namespace porchlight::agent {

/// A channel on an event loop: hands each message over as it comes, and says once when the other
/// end is gone. Neither is called any more after close() or destruction.
class ChannelLoop {
  public:
    using OnMessage = std::function<void(net::ChannelMessage)>;
    using OnEnd = std::function<void()>;

    ChannelLoop(asio::any_io_executor loop, net::Channel channel, OnMessage on_message,
                OnEnd on_end);
    ~ChannelLoop();

    /// That the peer is gone is noticed by reading, so sending says nothing. What a busy peer has
    /// no room for is sent as soon as it has; a newer message of its kind takes its place, so that
    /// at most one of each waits: each must say all that there is to say of its kind.
    void send(std::uint16_t kind, Bytes body);

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the waiting handler, which may run after us
};

}  // namespace porchlight::agent
