#pragma once

#include "core/address.h"
#include "core/clock.h"
#include "core/result.h"
#include "net/asio.h"
// net/asio.h first
#include <boost/asio/ip/tcp.hpp>
#include <chrono>

namespace porchlight::net {

/// After so long without an acknowledgement of what was sent a connection fails (RFC 5482).
constexpr std::chrono::milliseconds unacknowledged_max{5000};

/// Where a connection comes from.
enum class Source {
    kernels_choice,
    same_address,  // as it goes to: how a machine's own listener tells its owner from a guest
};

/// A TCP connection: non-blocking, and without Nagle's delay, since every sender here writes whole
/// messages. Fails with `unavailable` or `timeout`.
awaitable<Result<asio::ip::tcp::socket>> connect_tcp(Endpoint to, std::chrono::milliseconds within,
                                                     Source source = Source::kernels_choice);

}  // namespace porchlight::net
