#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/channel_loop.h"
#include "agent/forwarder_totals.h"
#include "core/bytes.h"
#include "forwarder/query_log.h"
#include "forwarder/settings.h"
#include "net/asio.h"

namespace porchlight::agent {

/// What the forwarder says of itself, for `status`, and of what it was asked, for `queries`.
class ForwarderWord {
  public:
    static constexpr std::chrono::milliseconds answers_within{1000};

    explicit ForwarderWord(asio::any_io_executor loop) : loop_(std::move(loop)) {}

    /// Waits until the forwarder told how it is, or for `answers_within`. Whoever asks meanwhile
    /// waits along. `forwarder` is null where there is none, and need not outlive the call's
    /// beginning.
    awaitable<void> ask(ChannelLoop* forwarder);
    /// As above, until it told what it noted of queries: that as JSON, or why there is none.
    awaitable<std::string> ask_queries(ChannelLoop* forwarder);
    /// The body of its Control::status.
    void hear(Bytes status);
    /// The body of its Control::queries.
    void hear_queries(Bytes report);
    /// It is gone.
    void lose();

    /// What it told when it was last asked; none: it did not answer.
    const std::optional<forwarder::Status>& status() const { return status_; }
    /// Of each that there was.
    std::vector<forwarder::Counter> counters() const { return totals_.sum(); }

  private:
    struct Question;
    asio::any_io_executor loop_;
    std::optional<forwarder::Status> status_;
    ForwarderTotals totals_;
    std::weak_ptr<Question> asked_;          // held by those who wait for its answer
    std::weak_ptr<Question> asked_queries_;  // likewise
    std::optional<forwarder::QueryReport> queries_;
};

}  // namespace porchlight::agent
