#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "forwarder/dot_connection.h"
#include "forwarder/settings.h"

namespace porchlight::forwarder {

/// One recursive resolver at one address, asked over DoT and authenticated as its settings say;
/// never in clear. One a worker.
///
/// Normally one connection, kept and pipelined. One that owes an answer and is silent for
/// max(1 s, 3 x the smoothed round trip) is suspect: what is asked next, and what waits on it, goes
/// out on a second one too, while the first may still answer. A connection that ends with questions
/// out has them asked once more on a new one (RFC 7766 section 6.2.4).
class DotUpstream : public Resolver {
  public:
    static constexpr std::size_t connections_max = 2;
    static constexpr int sends_max = 2;  // of one question
    static constexpr std::chrono::milliseconds suspect_after_min{1000};
    /// After a failed dial nothing is dialled for so long; what is asked meanwhile fails at once.
    static constexpr std::chrono::milliseconds pause_unreachable{1000};
    /// Likewise, where the server could not prove its name: that does not mend itself.
    static constexpr std::chrono::hours pause_refused{1};

    DotUpstream(asio::any_io_executor loop, std::shared_ptr<net::TlsClient> tls,
                const UpstreamSettings& upstream, Endpoint address, dns::TtlLimits ttls,
                DotConnection::OnReading on_reading, dns::Origin origin);
    ~DotUpstream() override;

    awaitable<Result<Response>> resolve(dns::Question question,
                                        std::chrono::milliseconds within) override;

    const UpstreamState& state() const { return state_; }
    /// Dials again, whatever happened before.
    void forget_failures() { paused_until_ = {}; }

  private:
    Result<std::shared_ptr<DotConnection>> usable(Clock::time_point now);
    void drop_ended();
    bool give_one_up(Clock::time_point now);
    Clock::duration suspect_after() const;
    void note_answer(Clock::duration round_trip);
    void note_failure(const Error& error);

    asio::any_io_executor loop_;
    std::shared_ptr<net::TlsClient> tls_;
    DotConnection::Settings settings_;
    std::vector<std::shared_ptr<DotConnection>> connections_;  // shared with their own coroutines
    Clock::time_point paused_until_;
    Error pause_reason_;
    UpstreamState state_;
    log::Limiter failed_lines_;  // a client that asks slow names must not fill the log
    log::Limiter back_lines_;
};

}  // namespace porchlight::forwarder
