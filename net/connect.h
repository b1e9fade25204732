#pragma once

#include "core/address.h"
#include "core/clock.h"
#include "core/result.h"
#include "net/asio.h"
// net/asio.h first
#include <boost/asio/ip/tcp.hpp>
#include <chrono>

namespace porchlight::net {

/// A TCP connection: non-blocking, and without Nagle's delay, since every sender here writes whole
/// messages. Fails with `unavailable` or `timeout`.
awaitable<Result<asio::ip::tcp::socket>> connect_tcp(Endpoint to, std::chrono::milliseconds within);

}  // namespace porchlight::net
