#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/config.h"
#include "net/asio.h"
#include "net/link.h"

namespace porchlight::agent {

/// Serves the metrics by HTTP/1.1 where `metrics.listen` says: one request a connection, few at
/// once, each for a short time. Needs no privilege, for its ports are those of everybody.
class MetricsServer {
  public:
    /// The metrics as they are now; called on the loop's thread.
    using Answer = std::function<awaitable<std::string>()>;

    static constexpr std::size_t connections_max = 8;  // in all; one more waits for its turn
    static constexpr std::chrono::seconds exchange_max{5};

    MetricsServer(asio::any_io_executor loop, Answer answer);
    ~MetricsServer();

    /// Listens there, as far as it can be had now, and nowhere else. To be called now and then:
    /// what could not be had is tried again.
    void follow(const Config& config, const std::vector<net::Link>& links);
    /// Where it can't be served and why, a sentence each.
    std::vector<std::string> hindered() const;

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with coroutines, which may end after us
};

}  // namespace porchlight::agent
