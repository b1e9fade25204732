#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "forwarder/settings.h"

namespace porchlight::forwarder {

/// How often each limit of Admission was met. Any thread.
struct Refusals {
    using Count = std::atomic<std::uint64_t>;
    // Connections that were not let in.
    Count memory{0};
    Count connections_all{0};
    Count connections_client{0};
    Count connections_prefix{0};
    Count addresses_client{0};
    Count unfinished_all{0};
    Count unfinished_client{0};
    Count unfinished_prefix{0};
    Count blocked{0};   // for what the client did
    Count kept_out{0};  // by the keeper
    // Connections that were ended.
    Count full_handshakes_client{0};
    Count full_handshakes_prefix{0};
    Count full_handshakes_share{0};  // more than an even part of the places, which were scarce
    Count resumed_handshakes_client{0};
    Count resumed_handshakes_prefix{0};
    Count shed{0};  // of the heaviest, for somebody lighter
    // Questions.
    Count queries_client{0};
    Count queries_prefix{0};
    Count queries_do53{0};
    Count in_flight_all{0};
    Count in_flight_client{0};
    Count in_flight_prefix{0};
};

/// One Counter a member, named like it with "limit_" in front.
void append(std::vector<Counter>& out, const Refusals& refusals);

}  // namespace porchlight::forwarder
