#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "forwarder/settings.h"
#include "forwarder/ticket_keys.h"

namespace porchlight::forwarder {

struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslHandle = std::unique_ptr<SSL, FreeSsl>;

/// Names of protocols in TLS (RFC 7301).
namespace alpn {
inline constexpr std::string_view dot = "dot";
inline constexpr std::string_view http2 = "h2";
inline constexpr std::string_view http1 = "http/1.1";
}  // namespace alpn

/// What is spoken inside TLS, by ALPN.
enum class Application {
    dot,           // "dot", or nothing said at all
    doh,           // "h2"
    doh_by_http1,  // "h2", else "http/1.1", or nothing said at all
};

/// What one worker makes server connections from: certificate, chain, key, staple and all that RFC
/// 9325, 7858 and 8310 ask of a server of DNS over TLS or HTTPS. Immutable; connections made from
/// it keep it alive.
class TlsServer {
  public:
    /// `keys` seal tickets that are good for `ticket_lifetime`. A staple is shown as long as it
    /// holds by `time`, which outlives the connections. Fails with `malformed` if chain or key
    /// can't be read or do not belong together, or the staple is about another certificate.
    static Result<TlsServer> create(const TlsIdentity& identity, std::shared_ptr<TicketKeys> keys,
                                    std::chrono::seconds ticket_lifetime, const TimeSource& time);

    /// A connection in accept state on `descriptor`, which it does not own; null without memory.
    SslHandle accept(int descriptor, Application application) const;

  private:
    struct FreeContext {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    using Context = std::unique_ptr<SSL_CTX, FreeContext>;
    explicit TlsServer(Context context) : context_(std::move(context)) {}
    Context context_;
};

/// Whether both have the same private key: then tickets stay good from one to the other.
bool same_key(const TlsIdentity& a, const TlsIdentity& b);

}  // namespace porchlight::forwarder
