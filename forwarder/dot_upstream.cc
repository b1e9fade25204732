#include "forwarder/dot_upstream.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace porchlight::forwarder {
namespace {

// A connection that is doubted already but can't be replaced yet is looked at this often.
constexpr Clock::duration doubt_step_min = std::chrono::milliseconds(10);

/// A question out on one connection; leaving the scope means not to wait for it any more.
class Asked {
  public:
    Asked(std::shared_ptr<DotConnection> connection, const std::shared_ptr<Exchange>& exchange)
        : connection_(std::move(connection)),
          exchange_(exchange),
          id_(connection_->ask(exchange)) {}
    Asked(Asked&&) = default;
    Asked& operator=(Asked&&) = delete;
    ~Asked() {
        if (connection_) connection_->forget(id_, exchange_);
    }

    const DotConnection& connection() const { return *connection_; }

  private:
    std::shared_ptr<DotConnection> connection_;
    std::shared_ptr<Exchange> exchange_;
    std::uint16_t id_;
};

net::ServerIdentity identity_of(const UpstreamSettings& upstream) {
    return upstream.designated.value_or(dns::to_host(upstream.adn));
}

bool all_ended(const std::vector<Asked>& asked) {
    return std::all_of(asked.begin(), asked.end(),
                       [](const Asked& one) { return one.connection().is_closed(); });
}

}  // namespace

DotUpstream::DotUpstream(asio::any_io_executor loop, std::shared_ptr<net::TlsClient> tls,
                         const UpstreamSettings& upstream, Endpoint address, dns::TtlLimits ttls,
                         DotConnection::OnReading on_reading, dns::Origin origin)
    : loop_(std::move(loop)),
      tls_(std::move(tls)),
      settings_{identity_of(upstream), address, ttls, std::move(on_reading), origin},
      paused_until_(Clock::time_point::min()) {
    state_.adn = upstream.adn;
    state_.address = address;
    state_.reachable = true;  // until shown otherwise
}

DotUpstream::~DotUpstream() {
    for (const auto& connection : connections_) connection->stop();
}

awaitable<Result<Response>> DotUpstream::resolve(dns::Question question,
                                                 std::chrono::milliseconds within) {
    const Clock::time_point start = Clock::now();
    const Clock::time_point deadline = start + within;
    const auto exchange = std::make_shared<Exchange>(loop_, std::move(question));
    Error failure;
    std::vector<Asked> asked;
    Clock::time_point sent = start;
    ++state_.queries;

    for (;;) {
        const Clock::time_point now = Clock::now();
        if (exchange->result) break;
        if (now >= deadline) {
            failure = {Errc::timeout, "no answer in " + to_text(within)};
            break;
        }
        const bool ended = all_ended(asked);  // also before the first
        const bool suspect = !ended && asked.back().connection().silence(now) >= suspect_after();
        const bool may_send = asked.size() < sends_max;
        if (ended && !asked.empty()) failure = asked.back().connection().failure();
        if (ended && !may_send) break;
        if (may_send && (ended || suspect)) {
            Result<std::shared_ptr<DotConnection>> connection = usable(now);
            if (connection) {
                asked.emplace_back(*connection, exchange);
                sent = now;
            } else if (ended) {
                if (asked.empty()) failure = connection.error();
                break;
            }
        }
        // Until there is a result, a connection ends, or it is time to doubt this one.
        Clock::time_point until = deadline;
        if (asked.size() < sends_max) {
            const Clock::duration silence = asked.back().connection().silence(now);
            until = std::min(until, now + std::max(suspect_after() - silence, doubt_step_min));
        }
        exchange->wake.expires_at(until);
        error_code woken;
        co_await exchange->wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }

    if (!exchange->result) {
        note_failure(failure);
        co_return failure;
    }
    if (*exchange->result)
        note_answer(Clock::now() - sent);
    else
        note_failure(exchange->result->error());
    co_return std::move(*exchange->result);
}

/// A connection that may be trusted with a question: a live one, or a new one.
Result<std::shared_ptr<DotConnection>> DotUpstream::usable(Clock::time_point now) {
    drop_ended();
    for (const auto& connection : connections_) {
        if (connection->takes_more() && connection->silence(now) < suspect_after())
            return connection;
    }
    if (now < paused_until_) return pause_reason_;
    if (connections_.size() >= connections_max && !give_one_up(now))
        return Error{Errc::unavailable, "too many questions in flight"};
    connections_.push_back(DotConnection::open(loop_, tls_, settings_));
    return connections_.back();
}

/// Makes room by ending a connection that is suspect or about to leave; what waits on it is asked
/// again elsewhere. One that is merely full is at work.
bool DotUpstream::give_one_up(Clock::time_point now) {
    const auto useless =
        std::find_if(connections_.begin(), connections_.end(), [&](const auto& connection) {
            return connection->is_leaving() || connection->silence(now) >= suspect_after();
        });
    if (useless == connections_.end()) return false;
    const std::shared_ptr<DotConnection> ended = *useless;
    connections_.erase(useless);
    ended->stop();
    return true;
}

/// Forgets connections that ended. One that never answered counts as a failed dial: a server that
/// takes connections only to drop them must not be dialled in a storm.
void DotUpstream::drop_ended() {
    std::erase_if(connections_, [&](const std::shared_ptr<DotConnection>& connection) {
        if (!connection->is_closed()) return false;
        if (!connection->has_answered()) {
            const bool refused = connection->failure().code == Errc::refused;
            const Clock::duration pause =
                refused ? Clock::duration(pause_refused) : Clock::duration(pause_unreachable);
            paused_until_ = std::max(paused_until_, connection->closed_at() + pause);
            // Whoever asks during the pause did not wait in vain: it is no time-out of theirs.
            pause_reason_ = {refused ? Errc::refused : Errc::unavailable,
                             connection->failure().message};
        }
        return true;
    });
}

Clock::duration DotUpstream::suspect_after() const {
    return std::max<Clock::duration>(suspect_after_min,
                                     std::chrono::microseconds(state_.round_trip_us) * 3);
}

void DotUpstream::note_answer(Clock::duration round_trip) {
    const auto sample = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(round_trip).count());
    const std::uint32_t before = state_.round_trip_us;
    state_.round_trip_us = before == 0 ? sample : before - before / 8 + sample / 8;  // RFC 6298
    if (!state_.reachable && back_lines_.admit(Clock::now())) {
        log::info("upstream answers again",
                  {{"upstream", to_text(state_.adn)}, {"address", to_text(settings_.address)}});
    }
    state_.reachable = true;
    state_.last_error.clear();
}

void DotUpstream::note_failure(const Error& error) {
    ++state_.failures;
    if (state_.reachable && failed_lines_.admit(Clock::now())) {
        log::warn("upstream failed", {{"upstream", to_text(state_.adn)},
                                      {"address", to_text(settings_.address)},
                                      {"error", error.message}});
    }
    state_.reachable = false;
    state_.last_error = error.message;
}

}  // namespace porchlight::forwarder
