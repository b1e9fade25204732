#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/writer.h"
#include "forwarder/doh_answer.h"
#include "forwarder/doh_request.h"

namespace porchlight::forwarder {

/// One request and its answer.
struct HttpExchange {
    DohRequest request;
    Writer answer;  // a whole DNS message, or nothing
    DohFields fields;
    std::size_t sent = 0;                           // octets of `answer`
    std::size_t body_octets = 0;                    // of the request, as long as they are kept
    std::atomic<std::uint32_t>* of_host = nullptr;  // where those are counted too
    Clock::time_point begun{};
    std::size_t place = 0;  // among those of its connection
    std::size_t heard = 0;  // octets of the body's frames, of its stream's window
    std::int32_t stream = 0;
    std::optional<HttpStatus> verdict;  // on the head, told when the body has ended
    bool judged = false;                // its status is certain, whatever else comes of the request
    bool answered = false;              // the answer is on its way

    /// Of memory.
    std::size_t octets() const { return sizeof *this + request.capacity() + answer.capacity(); }
};

/// A worker's exchanges that nobody uses at the moment, so that a request allocates nothing, and
/// the count of what all its clients' unfinished requests hold.
class HttpExchanges {
  public:
    static constexpr std::size_t kept_max = 256;
    static constexpr std::size_t octets_max = 4096;  // that a kept one may hold
    /// Of bodies of requests that are not answered yet.
    static constexpr std::size_t body_octets_max = 4 << 20;
    /// Of those of one host, whichever workers serve it.
    static constexpr std::size_t host_body_octets_max = 1 << 20;

    std::unique_ptr<HttpExchange> take() {
        if (kept_.empty()) return std::make_unique<HttpExchange>();
        auto taken = std::move(kept_.back());
        kept_.pop_back();
        return taken;
    }

    void give_back(std::unique_ptr<HttpExchange> exchange) {
        forget_body(*exchange);
        if (kept_.size() == kept_max || exchange->request.capacity() > octets_max ||
            exchange->answer.size() > octets_max)
            return;
        exchange->request.clear();
        exchange->answer.truncate(0);
        exchange->sent = exchange->heard = 0;
        exchange->verdict.reset();
        exchange->judged = exchange->answered = false;
        kept_.push_back(std::move(exchange));
    }

    /// Whether so much more of a body may be kept; then it is counted, here and where its host's
    /// are, null: nowhere.
    bool add_body(HttpExchange& exchange, std::size_t octets, std::atomic<std::uint32_t>* of_host) {
        if (octets > body_octets_max - body_octets_) return false;
        if (exchange.body_octets == 0) exchange.of_host = of_host;
        if (exchange.of_host != nullptr) {
            const auto more = static_cast<std::uint32_t>(octets);
            if (exchange.of_host->fetch_add(more, std::memory_order_relaxed) + octets >
                host_body_octets_max) {
                exchange.of_host->fetch_sub(more, std::memory_order_relaxed);
                return false;
            }
        }
        body_octets_ += octets;
        exchange.body_octets += octets;
        return true;
    }
    /// The octets that were counted.
    std::size_t forget_body(HttpExchange& exchange) {
        const std::size_t octets = std::exchange(exchange.body_octets, 0);
        body_octets_ -= octets;
        if (octets != 0 && exchange.of_host != nullptr)
            exchange.of_host->fetch_sub(static_cast<std::uint32_t>(octets),
                                        std::memory_order_relaxed);
        return octets;
    }

  private:
    std::vector<std::unique_ptr<HttpExchange>> kept_;
    std::size_t body_octets_ = 0;
};

}  // namespace porchlight::forwarder
