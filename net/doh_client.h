#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "net/asio.h"
#include "net/tls_stream.h"

namespace porchlight::net {

/// The ALPN id of what ask_doh() speaks.
inline constexpr const char* doh_alpn = "h2";

/// DNS over HTTPS (RFC 8484, HTTP/2 of RFC 9113) on a stream that agreed on "h2" and serves nothing
/// else, for who asks seldom: one question at a time.
class DohClient {
  public:
    /// `stream` outlives *this.
    explicit DohClient(TlsStream& stream);
    ~DohClient();

    /// One GET; gives the body of a response of status 200 and type application/dns-message.
    /// `authority` is host and port, `path` the whole :path. Fails with `refused` where the server
    /// answers otherwise, `malformed` where it speaks no HTTP/2 or too much, `unavailable` or
    /// `timeout` where the network failed; after these the stream is of no more use. `within` is
    /// for all of it.
    awaitable<Result<Buffer>> ask(std::string authority, std::string path,
                                  std::chrono::milliseconds within);

  private:
    struct Http;
    TlsStream& stream_;
    std::unique_ptr<Http> http_;
};

}  // namespace porchlight::net
