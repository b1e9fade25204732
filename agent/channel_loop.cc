#include "agent/channel_loop.h"

#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "core/log.h"

namespace porchlight::agent {
namespace {

constexpr int messages_per_turn_max = 64;

}  // namespace

struct ChannelLoop::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor loop, net::Channel own, OnMessage message, OnEnd end)
        : channel(std::move(own)),
          readable(loop, channel.descriptor()),
          on_message(std::move(message)),
          on_end(std::move(end)) {}

    // The channel owns the descriptor; Asio only watches it.
    ~State() { readable.release(); }

    void wait() {
        readable.async_wait(asio::posix::stream_descriptor::wait_read,
                            [self = shared_from_this()](error_code failed) {
                                if (!failed && !self->closed) self->read();
                            });
    }

    /// A peer that never stops talking must not keep the loop from everything else.
    void read() {
        for (int turn = 0; turn < messages_per_turn_max; ++turn) {
            auto message = channel.receive();
            if (!message) {
                closed = true;
                return on_end();
            }
            if (!*message) return wait();
            on_message(std::move(**message));
            if (closed) return;
        }
        wait();
    }

    net::Channel channel;
    asio::posix::stream_descriptor readable;
    OnMessage on_message;
    OnEnd on_end;
    bool closed = false;
};

ChannelLoop::ChannelLoop(asio::any_io_executor loop, net::Channel channel, OnMessage on_message,
                         OnEnd on_end)
    : state_(std::make_shared<State>(loop, std::move(channel), std::move(on_message),
                                     std::move(on_end))) {
    state_->wait();
}

ChannelLoop::~ChannelLoop() {
    state_->closed = true;
    error_code ignored;
    state_->readable.cancel(ignored);
}

void ChannelLoop::send(std::uint16_t kind, Bytes body) {
    if (auto sent = state_->channel.send(kind, body); !sent)
        log::debug("a message was lost", {{"error", sent.error().message}});
}

}  // namespace porchlight::agent
