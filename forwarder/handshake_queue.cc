#include "forwarder/handshake_queue.h"

#include <algorithm>

// Rounds in place of a list a client: a place in the queue is the round in which it is served, and
// each client has at most one in a round. The round that is being served takes nobody in any more;
// else a client that comes again as soon as it was served would keep it going for ever.

namespace porchlight::forwarder {
namespace {

constexpr std::int64_t whole_core = 100;  // percent

}  // namespace

void HandshakeQueue::set_share(const Share& share) {
    share_ = share;
    share_.percent = std::max(share.percent, 1u);
    share_.workers = std::max(share.workers, 1u);
}

HandshakeQueue::Turn HandshakeQueue::wait(const void* client, std::uint32_t connection) {
    Client& its = clients_[client];
    its.last_round = std::max(round_, its.last_round) + 1;
    ++its.waiting;
    const Turn turn{its.last_round, ++last_number_};
    waiting_.emplace(turn, Waiter{client, connection});
    return turn;
}

void HandshakeQueue::leave(const Turn& turn) {
    const auto found = waiting_.find(turn);
    if (found == waiting_.end()) return;
    const auto client = clients_.find(found->second.client);
    if (--client->second.waiting == 0) clients_.erase(client);
    waiting_.erase(found);
}

std::optional<std::uint32_t> HandshakeQueue::next(Clock::time_point now) {
    if (empty() || now < credit_at()) return std::nullopt;
    const auto first = waiting_.begin();
    const std::uint32_t connection = first->second.connection;
    round_ = first->first.round;
    leave(first->first);
    return connection;
}

Clock::time_point HandshakeQueue::credit_at() const {
    // The burst is divided by the workers, and what each gets of it comes back by a part of the
    // share: the number of workers cancels out.
    const auto whole_burst = std::chrono::nanoseconds(share_.burst) * whole_core / share_.percent;
    return full_at_ - std::chrono::duration_cast<Clock::duration>(whole_burst);
}

void HandshakeQueue::spend(std::chrono::nanoseconds computed, Clock::time_point now) {
    full_at_ =
        std::max(full_at_, now) + std::chrono::duration_cast<Clock::duration>(time_for(computed));
}

/// In which so much may be computed.
std::chrono::nanoseconds HandshakeQueue::time_for(std::chrono::nanoseconds computed) const {
    return computed * whole_core * share_.workers / share_.percent;
}

}  // namespace porchlight::forwarder
