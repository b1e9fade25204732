#pragma once

#include <cstdint>

#include "core/clock.h"

namespace porchlight::forwarder {

/// How much one client of HTTP/2 may ask for that costs us more than him (RFC 9113 section 10.5):
/// in each span of ten seconds so many streams that it resets, or breaks so that we have to, and
/// frames that ask nothing. No I/O.
class Http2Budget {
  public:
    static constexpr std::chrono::seconds span{10};
    static constexpr std::uint32_t resets_max = 200;
    /// With more than so many of them, no more than half of the requests.
    static constexpr std::uint32_t resets_unjudged = 20;
    static constexpr std::uint32_t settings_max = 20;
    static constexpr std::uint32_t pings_max = 50;
    /// Window updates, priorities, frames without content, headers of streams that are too many;
    /// and so many more a request.
    static constexpr std::uint32_t others_max = 400;
    static constexpr std::uint32_t others_per_request = 8;
    /// Requests over the client's rate, which he was told to wait for.
    static constexpr std::uint32_t refused_max = 100;
    /// For one header, however small its pieces.
    static constexpr std::uint32_t continuations_max = 4;

    enum class Event { request, reset, settings, ping, other, refused, header, continuation };

    /// Whether the client is still within bounds.
    bool admit(Event event, Clock::time_point now);

  private:
    Clock::time_point since_{};
    std::uint32_t requests_ = 0;
    std::uint32_t requests_before_ = 0;  // in the span before, which may be reset in this one
    std::uint32_t resets_ = 0;
    std::uint32_t settings_ = 0;
    std::uint32_t pings_ = 0;
    std::uint32_t others_ = 0;
    std::uint32_t refused_ = 0;
    std::uint32_t continuations_ = 0;
};

}  // namespace porchlight::forwarder
