#include "forwarder/poller.h"

#include <sys/epoll.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <system_error>

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
};

Poller::Poller(asio::any_io_executor loop) : descriptor_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::system_category(), "epoll");
    set_ = std::make_unique<Set>(asio::posix::stream_descriptor(loop, descriptor_));
}

Poller::~Poller() = default;

void Poller::start(std::function<void()> before_turn, std::function<void()> after_turn) {
    before_turn_ = std::move(before_turn);
    after_turn_ = std::move(after_turn);
    wait();
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
        for (int turns = 0; turns < turns_per_wake_max && turn(); ++turns) continue;
        wait();
    });
}

bool Poller::turn() {
    std::array<epoll_event, events_per_turn_max> events;
    const int count = ::epoll_wait(descriptor_, events.data(), static_cast<int>(events.size()), 0);
    if (count <= 0) return false;
    before_turn_();
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
    }
    after_turn_();
    return true;
}

}  // namespace porchlight::forwarder
