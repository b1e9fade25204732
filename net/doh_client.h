#pragma once

#include <chrono>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "net/asio.h"
#include "net/tls_stream.h"

namespace porchlight::net {

/// The ALPN id of what ask_doh() speaks.
inline constexpr const char* doh_alpn = "h2";

/// One GET over HTTP/2 (RFC 8484 section 4.1, RFC 9113) on a stream that agreed on "h2" and serves
/// nothing else; gives the body of a response of status 200 and type application/dns-message.
/// `authority` is host and port, `path` the whole :path. Fails with `refused` where the server
/// answers otherwise, `malformed` where it speaks no HTTP/2 or too much, `unavailable` or `timeout`
/// where the network failed. `within` is for all of it.
awaitable<Result<Buffer>> ask_doh(TlsStream& stream, std::string authority, std::string path,
                                  std::chrono::milliseconds within);

}  // namespace porchlight::net
