#include "forwarder/poller.h"

#include <sys/epoll.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace porchlight::forwarder {
namespace {

constexpr std::size_t events_per_turn_max = 256;
/// While there is more to do at once, going on is cheaper than going back to the loop; but timers
/// and look-ups want their turn too.
constexpr int turns_per_wake_max = 8;

void control(int set, int operation, int descriptor, std::uint32_t events, Pollable* who) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = who;
    // Only a lack of kernel memory fails here; the connection's deadline then ends it.
    ::epoll_ctl(set, operation, descriptor, &event);
}

}  // namespace

struct Poller::Set {
    asio::posix::stream_descriptor descriptor;
    std::array<epoll_event, events_per_turn_max> ready;
};

Poller::Poller(asio::any_io_executor loop) : descriptor_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::system_category(), "epoll");
    set_ = std::make_unique<Set>(asio::posix::stream_descriptor(loop, descriptor_));
}

Poller::~Poller() = default;

void Poller::start(Hooks hooks) {
    hooks_ = std::move(hooks);
    wait();
}

void Poller::wake_again() {
    if (std::exchange(wakes_again_, true)) return;
    asio::post(set_->descriptor.get_executor(), [this] {
        wakes_again_ = false;
        const std::size_t count = take_ready();
        turn(count);
        if (count != 0) take_turns();
        hooks_.after_wake();
    });
}

void Poller::watch(int descriptor, std::uint32_t events, Pollable& who) {
    control(descriptor_, EPOLL_CTL_ADD, descriptor, events, &who);
}

void Poller::change(int descriptor, std::uint32_t events, Pollable& who) {
    control(descriptor_, EPOLL_CTL_MOD, descriptor, events, &who);
}

void Poller::forget(int descriptor) {
    control(descriptor_, EPOLL_CTL_DEL, descriptor, 0, nullptr);
}

void Poller::wait() {
    set_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code ec) {
        if (ec) return;
        take_turns();
        if (!wakes_again_) hooks_.after_wake();
        wait();
    });
}

void Poller::take_turns() {
    for (int turns = 0; turns < turns_per_wake_max; ++turns) {
        const std::size_t count = take_ready();
        if (count == 0) break;
        turn(count);
    }
}

std::size_t Poller::take_ready() {
    const int count =
        ::epoll_wait(descriptor_, set_->ready.data(), static_cast<int>(set_->ready.size()), 0);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
}

void Poller::turn(std::size_t count) {
    hooks_.before_turn();
    for (std::size_t i = 0; i < count; ++i) {
        const epoll_event& event = set_->ready[i];
        static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
    }
    hooks_.after_turn();
}

}  // namespace porchlight::forwarder
