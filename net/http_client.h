#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "dns/name.h"
#include "net/stub_resolver.h"

namespace porchlight::net {

/// The parts of an https URL that a request needs. What is left out: user information (refused),
/// the fragment (dropped).
struct HttpsUrl {
    dns::Name host;
    std::uint16_t port = 443;
    std::string target = "/";  // path and query
    bool operator==(const HttpsUrl&) const = default;
};

/// Fails with `malformed` on anything but https, a host's name and printable ASCII: what passes is
/// safe in a request line.
Result<HttpsUrl> parse_https_url(std::string_view text);
/// The same of http, whose port is 80 unless it says so.
Result<HttpsUrl> parse_http_url(std::string_view text);

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "GET";
    std::string url{};
    HttpHeaders headers{};  // beside Host, User-Agent and Content-Length
    std::string body{};
};

struct HttpResponse {
    unsigned status = 0;
    HttpHeaders headers;
    std::string body;

    /// The first value of that field, in whatever case it is written; empty if there is none.
    std::string_view header(std::string_view name) const;
};

/// HTTP/1.1 over TLS, one request at a time (RFC 9112). Keeps its last connection for the next
/// request to the same origin. Follows no redirect. A request on a kept connection that the server
/// has closed meanwhile is sent again once, on a new one; whoever sends what must not arrive twice
/// marks it himself, as ACME's nonces do.
class HttpClient {
  public:
    static constexpr std::size_t header_bytes_max = 16 << 10;
    static constexpr std::size_t body_bytes_max = 1 << 20;

    /// Both are borrowed for the client's life.
    HttpClient(TlsClient& tls, StubResolver& resolver) : tls_(tls), resolver_(resolver) {}

    /// Any status is a response. Fails with `unavailable` or `timeout` where the network failed,
    /// `refused` where the server could not be authenticated, `malformed` where what came is not
    /// HTTP or beyond the limits.
    awaitable<Result<HttpResponse>> send(HttpRequest request, std::chrono::milliseconds within);

  private:
    awaitable<Result<void>> connect(HttpsUrl url, std::chrono::milliseconds within);
    awaitable<Result<HttpResponse>> exchange(std::string octets, bool head_only,
                                             std::chrono::milliseconds within);

    TlsClient& tls_;
    StubResolver& resolver_;
    std::unique_ptr<TlsStream> stream_;  // to `host_` and `port_`; none: connect first
    dns::Name host_;
    std::uint16_t port_ = 0;
    bool heard_ = false;  // of this exchange's response, an octet at least
};

/// One request over HTTP/1.1 in clear, for what is signed by itself, as answers about certificates
/// are. The name is found as HttpClient finds it; fails as it does, but that nobody authenticates.
awaitable<Result<HttpResponse>> send_in_clear(StubResolver& resolver, HttpRequest request,
                                              std::chrono::milliseconds within);

}  // namespace porchlight::net
