#pragma once

#include <array>
#include <cstdint>

#include "core/clock.h"

namespace porchlight::forwarder {

/// What a connection is given time for.
enum class Waiting : std::uint8_t { nothing, handshake, frame, reading, idle, idle_http, leaving };

/// A place in one of the queues below. Whoever inherits it takes itself out before it goes.
struct DeadlineHook {
    DeadlineHook* before = nullptr;
    DeadlineHook* after = nullptr;
    Clock::time_point since{};
    Waiting waiting = Waiting::nothing;
};

/// Who waits for what since when: one queue a kind, oldest first, because all of a kind are given
/// the same time. So no connection needs a timer, and a query moves one connection to the end of a
/// list. Owns nothing.
class Deadlines {
  public:
    void set(DeadlineHook& hook, Waiting waiting, Clock::time_point now) {
        clear(hook);
        hook.waiting = waiting;
        hook.since = now;
        if (waiting == Waiting::nothing) return;
        Queue& queue = queue_of(waiting);
        hook.before = queue.last;
        (queue.last != nullptr ? queue.last->after : queue.first) = &hook;
        queue.last = &hook;
    }

    void clear(DeadlineHook& hook) {
        if (hook.waiting == Waiting::nothing) return;
        Queue& queue = queue_of(hook.waiting);
        (hook.before != nullptr ? hook.before->after : queue.first) = hook.after;
        (hook.after != nullptr ? hook.after->before : queue.last) = hook.before;
        hook = {};
    }

    /// Who waits longest for this; null: nobody.
    DeadlineHook* oldest(Waiting waiting) const {
        return queues_[static_cast<std::size_t>(waiting)].first;
    }

  private:
    struct Queue {
        DeadlineHook* first = nullptr;
        DeadlineHook* last = nullptr;
    };
    Queue& queue_of(Waiting waiting) { return queues_[static_cast<std::size_t>(waiting)]; }
    std::array<Queue, 7> queues_;
};

}  // namespace porchlight::forwarder
