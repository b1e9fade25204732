#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "forwarder/resolver.h"
#include "forwarder/upstream_failures.h"
#include "forwarder/upstream_order.h"
#include "net/asio.h"

namespace porchlight::forwarder {

/// Several resolvers behind one policy: the best liked fit one is asked; an answer or NXDOMAIN is
/// final, SERVFAIL, REFUSED or silence moves on to the next. Where all were silent the round is
/// repeated while there is time. Shared with its probes, which end soon after the last owner.
class Failover : public Resolver, public std::enable_shared_from_this<Failover> {
  public:
    /// The share of one server when there are others, or another round, to fall back on.
    static constexpr std::chrono::milliseconds attempt_max{3000};
    static constexpr int rounds_max = 4;

    /// Whether something may be done now that nobody waits for.
    using MayExplore = std::function<bool()>;

    /// What fails is counted in `failures`, whichever server it was. Without `may_explore` it
    /// always may.
    Failover(asio::any_io_executor loop, std::vector<std::shared_ptr<Resolver>> servers,
             std::shared_ptr<UpstreamFailures> failures, MayExplore may_explore = {});

    /// A response that nobody bettered (SERVFAIL, REFUSED) is handed over rather than an error.
    awaitable<Result<Response>> resolve(dns::Question question,
                                        std::chrono::milliseconds within) override;

  private:
    awaitable<Result<Response>> ask(std::size_t server, dns::Question question,
                                    std::chrono::milliseconds within);
    void note(std::size_t server, const Result<Response>& response);
    void begin_probe(std::size_t server);
    static awaitable<void> probe(std::shared_ptr<Failover> self, std::size_t server);
    void probe_better(std::size_t used);

    asio::any_io_executor loop_;
    std::vector<std::shared_ptr<Resolver>> servers_;  // shared with who shows their state
    UpstreamOrder order_;
    std::shared_ptr<UpstreamFailures> failures_;  // shared with who shows them
    MayExplore may_explore_;
};

}  // namespace porchlight::forwarder
