#include "forwarder/failover.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <optional>

#include "dns/query.h"

namespace porchlight::forwarder {
namespace {

constexpr std::chrono::milliseconds probe_max{3000};

bool is_final(const Response& response) {
    return response.facts.kind != dns::Answer::Kind::failure;
}

std::chrono::milliseconds until(Clock::time_point deadline) {
    return std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
}

}  // namespace

Failover::Failover(asio::any_io_executor loop, std::vector<std::shared_ptr<Resolver>> servers,
                   std::shared_ptr<UpstreamFailures> failures, MayExplore may_explore)
    : loop_(std::move(loop)),
      servers_(std::move(servers)),
      order_(servers_.size()),
      failures_(std::move(failures)),
      may_explore_(std::move(may_explore)) {}

awaitable<Result<Response>> Failover::resolve(dns::Question question,
                                              std::chrono::milliseconds within) {
    const Clock::time_point deadline = Clock::now() + within;
    Error last{Errc::unavailable, "no upstream is configured"};
    std::optional<Response> unhelpful;
    bool again = true;
    for (int round = 0; again && round < rounds_max; ++round) {
        again = false;
        for (std::size_t server : order_.order()) {
            const std::chrono::milliseconds left = until(deadline);
            if (left <= std::chrono::milliseconds::zero()) {
                if (unhelpful) co_return std::move(*unhelpful);
                co_return last;
            }
            const std::chrono::milliseconds share = std::min(left, attempt_max);
            Result<Response> response = co_await ask(server, question, share);
            if (response && is_final(*response)) {
                probe_better(server);
                co_return response;
            }
            if (response) {
                unhelpful = std::move(*response);
            } else {
                last = response.error();
                again = again || last.code == Errc::timeout;
            }
        }
        if (unhelpful) co_return std::move(*unhelpful);
    }
    co_return last;
}

awaitable<Result<Response>> Failover::ask(std::size_t server, dns::Question question,
                                          std::chrono::milliseconds within) {
    const Clock::time_point asked = Clock::now();
    Result<Response> response = co_await servers_[server]->resolve(std::move(question), within);
    if (response || response.error().code != Errc::timeout) {
        note(server, response);
    } else {
        failures_->note(Errc::timeout);
        // Two slow names, which any host may ask, are not to cost the home its best server.
        const bool is_doubted = order_.note_timeout(server, asked);
        if (is_doubted && servers_.size() > 1) begin_probe(server);
    }
    co_return response;
}

void Failover::note(std::size_t server, const Result<Response>& response) {
    if (response)
        order_.note_answer(server, Clock::now());
    else
        order_.note_failure(server);
    if (!response)
        failures_->note(response.error().code);
    else if (!is_final(*response))
        ++failures_->unhelpful;
}

/// One that is preferred can wait; one that is doubted can't, for its clients wait for it.
void Failover::probe_better(std::size_t used) {
    if (may_explore_ && !may_explore_()) return;
    if (const auto server = order_.to_probe(used, Clock::now())) begin_probe(*server);
}

void Failover::begin_probe(std::size_t server) {
    asio::co_spawn(loop_, probe(shared_from_this(), server), asio::detached);
}

/// One constant question, so that nothing a client asked is told to a server that it did not go to.
awaitable<void> Failover::probe(std::shared_ptr<Failover> self, std::size_t server) {
    dns::Question root_servers;
    root_servers.type = dns::type::ns;
    const Result<Response> response =
        co_await self->servers_[server]->resolve(std::move(root_servers), probe_max);
    self->note(server, response);
}

}  // namespace porchlight::forwarder
