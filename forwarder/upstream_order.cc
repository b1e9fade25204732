#include "forwarder/upstream_order.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace porchlight::forwarder {

std::vector<std::size_t> UpstreamOrder::order() const {
    std::vector<std::size_t> order(servers_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return servers_[a].state < servers_[b].state;
    });
    return order;
}

void UpstreamOrder::note_answer(std::size_t server, Clock::time_point now) {
    Server& it = servers_[server];
    it.doubted = false;
    it.answered_at = now;
    if (it.state == State::failed) {
        it.state = State::recovering;
        it.recovering_since = now;
    } else if (it.state == State::recovering && now - it.recovering_since >= recovery) {
        it.state = State::fit;
    }
}

void UpstreamOrder::note_failure(std::size_t server) {
    servers_[server].state = State::failed;
    servers_[server].doubted = false;
}

bool UpstreamOrder::note_timeout(std::size_t server, Clock::time_point asked) {
    Server& it = servers_[server];
    if (it.answered_at > asked) return false;
    if (it.state == State::fit) return !std::exchange(it.doubted, true);
    note_failure(server);
    return false;
}

std::optional<std::size_t> UpstreamOrder::to_probe(std::size_t used, Clock::time_point now) {
    for (std::size_t server = 0; server < used; ++server) {
        Server& it = servers_[server];
        if (it.state == State::fit || now < it.next_probe) continue;
        it.next_probe = now + probe_interval;
        return server;
    }
    return std::nullopt;
}

}  // namespace porchlight::forwarder
