#include "agent/channel_loop.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>
#include <vector>

namespace porchlight::agent {
namespace {

constexpr int messages_per_turn_max = 64;

}  // namespace

struct ChannelLoop::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor loop, net::Channel own, OnMessage message, OnEnd end)
        : channel(std::move(own)),
          descriptor(loop, channel.descriptor()),
          on_message(std::move(message)),
          on_end(std::move(end)) {}

    // The channel owns the descriptor; Asio only watches it.
    ~State() { descriptor.release(); }

    void wait() {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
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

    void send(std::uint16_t kind, Bytes body) {
        if (waiting.empty() && channel.send(kind, body)) return;
        std::erase_if(waiting, [&](const auto& older) { return older.first == kind; });
        waiting.emplace_back(kind, Buffer(body.begin(), body.end()));
        if (!std::exchange(wants_room, true)) wait_for_room();
    }

    void wait_for_room() {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                              [self = shared_from_this()](error_code failed) {
                                  if (!failed && !self->closed) self->send_waiting();
                              });
    }

    void send_waiting() {
        std::size_t sent = 0;
        while (sent < waiting.size() && channel.send(waiting[sent].first, waiting[sent].second))
            ++sent;
        waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(sent));
        wants_room = !waiting.empty();
        if (wants_room) wait_for_room();
    }

    net::Channel channel;
    asio::posix::stream_descriptor descriptor;
    std::vector<std::pair<std::uint16_t, Buffer>> waiting;  // in their order, one of a kind
    bool wants_room = false;
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
    state_->descriptor.cancel(ignored);
}

void ChannelLoop::send(std::uint16_t kind, Bytes body) {
    if (!state_->closed) state_->send(kind, body);
}

}  // namespace porchlight::agent
