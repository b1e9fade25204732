#include "agent/channel_loop.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>
#include <vector>

#include "core/log.h"

namespace porchlight::agent {
namespace {

constexpr int messages_per_turn_max = 64;
constexpr std::chrono::milliseconds again_after{20};

}  // namespace

struct ChannelLoop::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor loop, net::Channel own, OnMessage message, OnEnd end)
        : channel(std::move(own)),
          descriptor(loop, channel.descriptor()),
          timer(loop),
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
        if (waiting.empty() && is_done(channel.send(kind, body))) return;
        std::erase_if(waiting, [&](const auto& older) { return older.first == kind; });
        waiting.emplace_back(kind, Buffer(body.begin(), body.end()));
        if (!std::exchange(again, true)) send_later();
    }

    /// What is refused now is refused for ever.
    static bool is_done(const Result<void>& sent) {
        if (sent || sent.error().code != Errc::refused) return bool(sent);
        log::error("a message was lost", {{"error", sent.error().message}});
        return true;
    }

    /// By time: that the queue has room says nothing of memory or descriptors, which lack as well.
    void send_later() {
        timer.expires_after(again_after);
        timer.async_wait([self = shared_from_this()](error_code cancelled) {
            if (!cancelled && !self->closed) self->send_waiting();
        });
    }

    void send_waiting() {
        const auto left = std::find_if(waiting.begin(), waiting.end(), [&](const auto& one) {
            return !is_done(channel.send(one.first, one.second));
        });
        waiting.erase(waiting.begin(), left);
        again = !waiting.empty();
        if (again) send_later();
    }

    net::Channel channel;
    asio::posix::stream_descriptor descriptor;
    std::vector<std::pair<std::uint16_t, Buffer>> waiting;  // in their order, one of a kind
    asio::steady_timer timer;
    bool again = false;  // the timer runs
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
    state_->timer.cancel();
}

void ChannelLoop::send(std::uint16_t kind, Bytes body) {
    if (!state_->closed) state_->send(kind, body);
}

}  // namespace porchlight::agent
