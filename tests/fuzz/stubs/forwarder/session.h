#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/writer.h"
#include "dns/query.h"
#include "forwarder/counters.h"
#include "forwarder/doh_request.h"
#include "forwarder/settings.h"

// Stands in for the forwarder's Session, of which forwarder/http2.cc asks no more than this, so
// that it is compiled without an event loop. Some questions are answered at once, some wait.

namespace porchlight::forwarder {

struct Responder {
    enum class Given { answered, nothing, not_known };
};

/// For the Sessions of a worker.
class Sessions {
  public:
    const Limits& limits() const { return limits_; }
    const std::vector<std::string>& doh_paths() const { return paths_; }
    const std::vector<std::string>& devices() const { return devices_; }
    Counters& counters() { return counters_; }
    Clock::time_point now() const { return now_; }
    void advance(std::chrono::milliseconds time) { now_ += time; }

  private:
    Limits limits_;
    std::vector<std::string> paths_{"/dns-query", "/q"};
    std::vector<std::string> devices_{"tv"};
    Counters counters_;
    Clock::time_point now_{std::chrono::hours(1000)};
};

class Session {
  public:
    explicit Session(Sessions& home) : home_(home) {}
    Sessions& home() { return home_; }
    std::atomic<std::uint32_t>* bodies() { return &bodies_; }
    bool admit_query() { return ++asked_ % 64 != 0; }
    std::optional<Responder::Given> ask(const DohRequest& request, std::int32_t stream,
                                        Writer& answer) {
        const Bytes message = request.message();
        if (message.size() < dns::header_octets) return Responder::Given::nothing;
        if (message[0] % 8 == 0) return std::nullopt;
        if (message[0] % 2 == 0) {
            waiting.push_back(stream);
            return Responder::Given::not_known;
        }
        answer.bytes(message);
        return Responder::Given::answered;
    }

    std::vector<std::int32_t> waiting;  // for their answers

  private:
    Sessions& home_;
    std::atomic<std::uint32_t> bodies_{0};
    unsigned asked_ = 0;
};

}  // namespace porchlight::forwarder
