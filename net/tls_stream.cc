// The SSL object works on the non-blocking socket itself: it reads and writes, and where it would
// have to wait, Asio says when the socket is ready. So nothing is copied between a pair of memory
// buffers, and an idle connection holds almost no memory.

#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <map>
#include <optional>

#include "net/connect.h"
#include "net/deadline.h"
#include "net/openssl.h"

namespace porchlight::net {
namespace {

using asio::ip::tcp;

/// A ticket is good for one server that was authenticated in one way.
using Peer = std::pair<Endpoint, ServerIdentity>;
constexpr std::size_t tickets_per_peer_max = 4;
constexpr std::size_t peers_with_tickets_max = 64;

constexpr const char* closed_early = "TLS: the server closed during the handshake";
constexpr const char* aead_ciphers_tls12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

class Client : public TlsClient {
  public:
    Client(SslContextPtr context, const Settings& settings)
        : context_(std::move(context)),
          time_(settings.time),
          dates_count_(settings.dates_count),
          finishes_unproved_(settings.finishes_unproved),
          source_(settings.source) {}

    SSL_CTX* context() const { return context_.get(); }
    Source source() const { return source_; }
    bool finishes_unproved() const { return finishes_unproved_; }

    /// Sets what depends on the server and on the moment.
    bool prepare(SSL* ssl, const Peer& peer);
    void keep_ticket(const Peer& peer, SslSessionPtr session);

  private:
    SslSessionPtr take_ticket(const Peer& peer);
    bool is_within_dates(const SSL_SESSION& session) const;

    SslContextPtr context_;
    const TimeSource* time_;
    bool dates_count_;
    bool finishes_unproved_;
    Source source_;
    std::map<Peer, std::vector<SslSessionPtr>> tickets_;
};

class Stream : public TlsStream {
  public:
    Stream(Client& client, tcp::socket socket, Peer peer)
        : client_(client), socket_(std::move(socket)), peer_(std::move(peer)) {}
    ~Stream() override { close(); }

    awaitable<Result<void>> handshake(std::chrono::milliseconds within);
    awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> into,
                                             std::chrono::milliseconds within) override;
    awaitable<Result<void>> write(Bytes octets, std::chrono::milliseconds within) override;
    void close() override;
    const Facts& facts() const override { return facts_; }

    void on_ticket(SslSessionPtr session) { client_.keep_ticket(peer_, std::move(session)); }

  private:
    template <class Call>
    awaitable<Result<bool>> drive(Call call, std::chrono::milliseconds within);
    Error failure(int why);
    void note_facts();

    Client& client_;
    tcp::socket socket_;
    Peer peer_;
    SslPtr ssl_;
    bool usable_ = false;  // the handshake is over, and nothing broke since: SSL_shutdown may speak
    Facts facts_;
};

/// OpenSSL hands over each ticket that a server sends; 1 says that we keep it.
int on_new_session(SSL* ssl, SSL_SESSION* session) {
    static_cast<Stream*>(SSL_get_app_data(ssl))->on_ticket(SslSessionPtr(session));
    return 1;
}

std::string not_accepted(long verdict) {
    return std::string("certificate not accepted: ") + X509_verify_cert_error_string(verdict);
}

/// How many of the certificates in `pem` became trust anchors. A broken one is passed over: one bad
/// entry in a system's bundle must not take the others along.
std::size_t add_roots(X509_STORE* store, Bytes pem) {
    std::size_t count = 0;
    const BioPtr in = borrow(pem);
    for (;;) {
        ERR_clear_error();
        const X509Ptr root(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
        if (root) {
            count += X509_STORE_add_cert(store, root.get()) == 1 ? 1 : 0;
        } else if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ||
                   BIO_eof(in.get())) {
            ERR_clear_error();
            return count;
        }
    }
}

/// As SSL_CTX_set_alpn_protos takes them: each name behind an octet with its length.
Buffer alpn_wire(const std::vector<std::string>& names) {
    Buffer wire;
    for (const std::string& name : names) {
        wire.push_back(static_cast<std::uint8_t>(name.size()));
        wire.insert(wire.end(), name.begin(), name.end());
    }
    return wire;
}

bool demand_name(SSL* ssl, const std::string& name) {
    X509_VERIFY_PARAM* check = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(
        check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(check, name.c_str(), name.size()) == 1 &&
           SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

/// An address is no SNI (RFC 6066 section 3).
bool demand_address(SSL* ssl, const IpAddress& address) {
    const Bytes octets = std::visit([](const auto& one) { return Bytes(one); }, address);
    return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), octets.data(), octets.size()) == 1;
}

bool demand(SSL* ssl, const ServerIdentity& identity) {
    if (const auto* name = std::get_if<std::string>(&identity)) return demand_name(ssl, *name);
    if (const auto* address = std::get_if<IpAddress>(&identity))
        return demand_address(ssl, *address);
    SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    return true;
}

bool Client::prepare(SSL* ssl, const Peer& peer) {
    if (!demand(ssl, peer.second)) return false;
    // The verdict is found all the same, and kept.
    if (finishes_unproved_) SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    X509_VERIFY_PARAM* check = SSL_get0_param(ssl);
    // A time that was set would beat the flag, so it's one or the other.
    if (!dates_count_)
        X509_VERIFY_PARAM_set_flags(check, X509_V_FLAG_NO_CHECK_TIME);
    else if (time_ != nullptr)
        X509_VERIFY_PARAM_set_time(check, to_time_t(time_->wall()));
    if (const SslSessionPtr ticket = take_ticket(peer)) SSL_set_session(ssl, ticket.get());
    return true;
}

void Client::keep_ticket(const Peer& peer, SslSessionPtr session) {
    if (!tickets_.contains(peer) && tickets_.size() >= peers_with_tickets_max)
        tickets_.erase(tickets_.begin());
    std::vector<SslSessionPtr>& kept = tickets_[peer];
    if (kept.size() >= tickets_per_peer_max) kept.erase(kept.begin());
    kept.push_back(std::move(session));
}

SslSessionPtr Client::take_ticket(const Peer& peer) {
    const auto found = tickets_.find(peer);
    if (found == tickets_.end()) return nullptr;
    std::vector<SslSessionPtr>& kept = found->second;
    SslSessionPtr taken;
    while (!taken && !kept.empty()) {
        taken = std::move(kept.back());
        kept.pop_back();
        if (SSL_SESSION_is_resumable(taken.get()) != 1 || !is_within_dates(*taken)) taken.reset();
    }
    // A TLS 1.3 ticket used twice would let an onlooker link the connections (RFC 8446 appendix
    // C.4); an older session shows its ticket in the clear anyway.
    if (taken && SSL_SESSION_get_protocol_version(taken.get()) < TLS1_3_VERSION) {
        SSL_SESSION_up_ref(taken.get());
        kept.emplace_back(taken.get());
    }
    if (kept.empty()) tickets_.erase(found);
    return taken;
}

/// A resumed connection shows no certificate; the one that the ticket stands for must still hold.
bool Client::is_within_dates(const SSL_SESSION& session) const {
    if (!dates_count_ || time_ == nullptr) return true;
    const X509* certificate = SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(&session));
    std::time_t now = to_time_t(time_->wall());
    return certificate == nullptr || X509_cmp_time(X509_get0_notAfter(certificate), &now) > 0;
}

awaitable<Result<void>> Stream::handshake(std::chrono::milliseconds within) {
    ERR_clear_error();
    ssl_.reset(SSL_new(client_.context()));
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1 ||
        !client_.prepare(ssl_.get(), peer_))
        co_return Error{Errc::internal, "TLS: " + take_openssl_reason()};
    SSL_set_app_data(ssl_.get(), this);
    const auto step = [ssl = ssl_.get()] { return SSL_connect(ssl); };
    const Result<bool> done = co_await drive(step, within);
    if (!done) co_return done.error();
    if (!*done) co_return Error{Errc::unavailable, closed_early};
    usable_ = true;
    note_facts();
    co_return Result<void>();
}

awaitable<Result<std::size_t>> Stream::read_some(std::span<std::uint8_t> into,
                                                 std::chrono::milliseconds within) {
    std::size_t got = 0;
    const auto step = [ssl = ssl_.get(), into, &got] {
        return SSL_read_ex(ssl, into.data(), into.size(), &got);
    };
    const Result<bool> done = co_await drive(step, within);
    if (!done) co_return done.error();
    co_return *done ? got : 0;
}

awaitable<Result<void>> Stream::write(Bytes octets, std::chrono::milliseconds within) {
    // Without partial writes SSL_write reports success only when all is written.
    std::size_t wrote = 0;
    const auto step = [ssl = ssl_.get(), octets, &wrote] {
        return octets.empty() ? 1 : SSL_write_ex(ssl, octets.data(), octets.size(), &wrote);
    };
    const Result<bool> done = co_await drive(step, within);
    if (!done) co_return done.error();
    if (!*done) co_return Error{Errc::unavailable, "the connection is closed"};
    co_return Result<void>();
}

void Stream::close() {
    if (!socket_.is_open()) return;
    if (usable_) {
        // One close_notify where there is room for it; nobody waits for the answer.
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
    usable_ = false;
    error_code ignored;
    socket_.close(ignored);
}

/// Repeats `call` until it is done (true) or the server has closed cleanly (false), waiting for the
/// socket in between. The limit starts to count with the first wait.
template <class Call>
awaitable<Result<bool>> Stream::drive(Call call, std::chrono::milliseconds within) {
    std::optional<Deadline> deadline;
    for (;;) {
        // A closed descriptor's number may be another's already: OpenSSL must not touch it.
        if (!socket_.is_open()) co_return Error{Errc::unavailable, "the connection is closed"};
        ERR_clear_error();
        const int result = call();
        if (result == 1) co_return true;
        const int why = SSL_get_error(ssl_.get(), result);
        if (why == SSL_ERROR_ZERO_RETURN) co_return false;
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) co_return failure(why);

        if (!deadline) deadline.emplace(socket_, within);
        const auto ready =
            why == SSL_ERROR_WANT_READ ? tcp::socket::wait_read : tcp::socket::wait_write;
        error_code ec;
        co_await socket_.async_wait(ready, asio::redirect_error(asio::use_awaitable, ec));
        if (deadline->passed()) {
            usable_ = false;
            co_return Error{Errc::timeout, "nothing for " + to_text(within)};
        }
        if (ec) co_return Error{Errc::unavailable, "the connection is closed"};
    }
}

/// The connection is over; says why. Only a server that could not be authenticated is `refused`.
Error Stream::failure(int why) {
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    const long verdict = SSL_get_verify_result(ssl_.get());
    const bool was_usable = std::exchange(usable_, false);
    close();
    if (why == SSL_ERROR_SYSCALL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return {Errc::unavailable, was_usable ? "the connection broke" : closed_early};
    }
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        ERR_clear_error();
        return {Errc::refused, not_accepted(verdict)};
    }
    // A wrong signature of the handshake: it has the certificate but not the key.
    if (reason == SSL_R_BAD_SIGNATURE)
        return {Errc::refused, "the server does not hold its certificate's key"};
    return {Errc::unavailable, "TLS: " + take_openssl_reason()};
}

void Stream::note_facts() {
    facts_.resumed = SSL_session_reused(ssl_.get()) == 1;
    facts_.version = SSL_get_version(ssl_.get());
    const std::uint8_t* alpn = nullptr;
    unsigned alpn_size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &alpn, &alpn_size);
    facts_.alpn = text_of({alpn, alpn_size});
    std::uint8_t* der = nullptr;
    const int der_size = i2d_X509(SSL_get0_peer_certificate(ssl_.get()), &der);
    if (der_size > 0) facts_.peer_certificate.assign(der, der + der_size);
    OPENSSL_free(der);
    const long verdict = SSL_get_verify_result(ssl_.get());
    const bool asked_for = !std::holds_alternative<Unauthenticated>(peer_.second);
    if (client_.finishes_unproved() && asked_for && verdict != X509_V_OK)
        facts_.why_unproved = not_accepted(verdict);
}

}  // namespace

Result<std::unique_ptr<TlsClient>> TlsClient::create(const Settings& settings) {
    // A peer that left must cost an error code, not the process. OpenSSL writes with write(2),
    // which knows no flag for that.
    std::signal(SIGPIPE, SIG_IGN);

    ERR_clear_error();
    SslContextPtr context(SSL_CTX_new(TLS_client_method()));
    if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context.get(), aead_ciphers_tls12) != 1)
        return Error{Errc::internal, "TLS: " + take_openssl_reason()};
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context.get(), 1);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(context.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context.get(), on_new_session);
    const Buffer alpn = alpn_wire(settings.alpn);
    if (!alpn.empty())
        SSL_CTX_set_alpn_protos(context.get(), alpn.data(), static_cast<unsigned>(alpn.size()));
    if (add_roots(SSL_CTX_get_cert_store(context.get()), settings.roots_pem) == 0)
        return Error{Errc::malformed, "no trust anchor can be read"};
    if (settings.may_end_unsaid) SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (settings.partial_chain)
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
    return std::unique_ptr<TlsClient>(std::make_unique<Client>(std::move(context), settings));
}

awaitable<Result<std::unique_ptr<TlsStream>>> TlsStream::connect(TlsClient& client, Endpoint to,
                                                                 ServerIdentity identity,
                                                                 std::chrono::milliseconds within) {
    if (auto* name = std::get_if<std::string>(&identity)) {
        if (name->ends_with('.')) name->pop_back();
        // To OpenSSL an empty name means that any will do.
        if (name->empty()) co_return Error{Errc::refused, "no name to authenticate the server by"};
    }
    const Clock::time_point end = Clock::now() + within;
    Result<tcp::socket> socket =
        co_await connect_tcp(to, within, static_cast<Client&>(client).source());
    if (!socket) co_return socket.error();
    auto stream = std::make_unique<Stream>(static_cast<Client&>(client), std::move(*socket),
                                           Peer(to, std::move(identity)));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    const Result<void> done = co_await stream->handshake(left);
    if (!done) co_return done.error();
    co_return std::unique_ptr<TlsStream>(std::move(stream));
}

}  // namespace porchlight::net
