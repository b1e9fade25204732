#include "forwarder/tls_identity.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "forwarder/client_hello.h"
#include "net/staple.h"

namespace porchlight::forwarder {
namespace {

constexpr const char* groups_with_hybrid = "X25519MLKEM768:X25519:P-256";
constexpr const char* groups = "X25519:P-256";
constexpr const char* tls12_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
using BioHandle = std::unique_ptr<BIO, Free>;
using CertificateHandle = std::unique_ptr<X509, Free>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Free>;

Error malformed(const char* what) {
    std::string message = what;
    if (const unsigned long code = ERR_peek_last_error(); code != 0) {
        const char* reason = ERR_reason_error_string(code);
        message.append(": ").append(reason != nullptr ? reason : "OpenSSL gives no reason");
    }
    ERR_clear_error();
    return {Errc::malformed, std::move(message)};
}

BioHandle bio_over(Bytes octets) {
    return BioHandle(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
}

/// A key under a passphrase is one we can't read: nobody is there to be asked.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

KeyHandle read_key(Bytes pem) {
    const BioHandle bio = bio_over(pem);
    return KeyHandle(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
}

CertificateHandle read_certificate(BIO* bio) {
    return CertificateHandle(PEM_read_bio_X509(bio, nullptr, no_passphrase, nullptr));
}

Result<void> use_identity(SSL_CTX* context, const TlsIdentity& identity) {
    const BioHandle chain = bio_over(identity.chain_pem);
    const CertificateHandle leaf = read_certificate(chain.get());
    if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1)
        return malformed("the certificate can't be read");
    while (const CertificateHandle issuer = read_certificate(chain.get()))
        if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1)
            return malformed("the certificate's chain can't be used");
    ERR_clear_error();  // the end of the chain is an error to OpenSSL
    const KeyHandle key = read_key(identity.key_pem);
    if (!key) return malformed("the certificate's private key can't be read");
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
        return malformed("the private key does not belong to the certificate");
    return {};
}

using Protocols = std::span<const std::string_view>;

/// Where a connection keeps what is spoken on it.
int application_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

/// The names of what is spoken, by preference.
const Protocols& protocols_of(Application application) {
    static constexpr std::array dot{alpn::dot}, doh{alpn::http2};
    static constexpr std::array doh_by_http1{alpn::http2, alpn::http1};
    static constexpr std::array<Protocols, 3> all{dot, doh, doh_by_http1};
    return all[static_cast<std::size_t>(application)];
}

bool is_offered(Bytes offered, std::string_view protocol, Bytes& name) {
    while (!offered.empty()) {
        const std::size_t length = offered[0];
        if (length >= offered.size()) return false;
        name = offered.subspan(1, length);
        if (text_of(name) == protocol) return true;
        offered = offered.subspan(1 + length);
    }
    return false;
}

/// One of ours or nothing at all: a client that speaks others only is told so (RFC 7301).
int select_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                const unsigned char* offered, unsigned size, void*) {
    const auto& ours = *static_cast<const Protocols*>(SSL_get_ex_data(ssl, application_index()));
    for (const std::string_view protocol : ours) {
        Bytes name;
        if (!is_offered({offered, size}, protocol, name)) continue;
        *out = name.data();
        *out_size = static_cast<unsigned char>(name.size());
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// A slot in each context for a `State` of ours, which is freed with the context.
template <class State>
int context_index() {
    static const int index = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* state, CRYPTO_EX_DATA*, int, long, void*) {
            delete static_cast<State*>(state);
        });
    return index;
}

/// What a context holds for its tickets.
struct TicketState {
    std::shared_ptr<TicketKeys> keys;
    std::unique_ptr<EVP_CIPHER, Free> cipher;  // fetched once: fetching it costs microseconds
};

bool set_mac(EVP_MAC_CTX* mac, const TicketKeys::Key& key) {
    static char digest[] = "SHA256";
    auto* octets = const_cast<std::uint8_t*>(key.mac.data());  // OSSL_PARAM knows no const
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, octets, key.mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/// Sets up both contexts to seal a new ticket or open an old one (SSL_CTX_set_tlsext_ticket_key_cb
/// says what the numbers mean).
int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
               EVP_MAC_CTX* mac, int seal) {
    constexpr int failed = -1, unknown = 0, good = 1, good_and_renew = 2;
    const auto* state = static_cast<const TicketState*>(
        SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index<TicketState>()));
    const Clock::time_point now = Clock::now();
    if (seal == 1) {
        TicketKeys::Key key = state->keys->newest(now);
        std::copy(key.name.begin(), key.name.end(), name);
        const bool ready =
            RAND_bytes(iv, EVP_CIPHER_get_iv_length(state->cipher.get())) == 1 &&
            EVP_EncryptInit_ex2(cipher, state->cipher.get(), key.cipher.data(), iv, nullptr) == 1 &&
            set_mac(mac, key);
        OPENSSL_cleanse(&key, sizeof key);
        return ready ? good : failed;
    }
    auto found = state->keys->find(name, now);
    if (!found) return unknown;
    const bool ready = EVP_DecryptInit_ex2(cipher, state->cipher.get(), found->key.cipher.data(),
                                           iv, nullptr) == 1 &&
                       set_mac(mac, found->key);
    OPENSSL_cleanse(&found->key, sizeof found->key);
    if (!ready) return failed;
    // A ticket of TLS 1.3 is for one use, and the next needs another (RFC 8446 appendix C.4).
    return found->is_newest && SSL_version(ssl) < TLS1_3_VERSION ? good : good_and_renew;
}

/// The name in the ClientHello that is being read (RFC 6066 section 3); empty: none.
std::string_view name_asked_for(SSL* ssl) {
    constexpr std::size_t head_octets = 5;  // of the list, the name's type, its length
    const unsigned char* octets = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &octets, &size) != 1) return {};
    const Bytes list(octets, size);
    return size > head_octets ? text_of(list.subspan(head_octets)) : std::string_view();
}

/// A session of TLS 1.2 is resumed under the name that it began with alone (RFC 6066 section 3); in
/// TLS 1.3 each handshake's own name counts.
SSL_TICKET_RETURN judge_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char*, std::size_t,
                               SSL_TICKET_STATUS status, void*) {
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    const char* const name = SSL_SESSION_get0_hostname(session);
    const bool is_same = name_asked_for(ssl) == (name != nullptr ? name : std::string_view());
    if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION && !is_same)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

void use_tickets(SSL_CTX* context, std::shared_ptr<TicketKeys> keys,
                 std::chrono::seconds lifetime) {
    auto state = std::make_unique<TicketState>();
    state->keys = std::move(keys);
    state->cipher.reset(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr));
    SSL_CTX_set_ex_data(context, context_index<TicketState>(), state.release());
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
    SSL_CTX_set_session_ticket_cb(context, nullptr, judge_ticket, nullptr);
    SSL_CTX_set_num_tickets(context, 1);
    // Tickets only: the server remembers nothing of its own.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, static_cast<long>(lifetime.count()));
}

/// What a context shows of its certificate not being revoked.
struct StapleState {
    Buffer der;
    WallTime until{};
    const TimeSource& time;
};

/// Called for clients that ask for it. One that is over is worse than none (RFC 6066 section 8).
int show_staple(SSL* ssl, void*) {
    const auto* state = static_cast<const StapleState*>(
        SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index<StapleState>()));
    if (state == nullptr || state->time.wall() >= state->until) return SSL_TLSEXT_ERR_NOACK;
    void* copy = OPENSSL_memdup(state->der.data(), state->der.size());  // the connection's, then
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(state->der.size()));
    return SSL_TLSEXT_ERR_OK;
}

Result<void> use_staple(SSL_CTX* context, const TlsIdentity& identity, const TimeSource& time) {
    if (identity.staple_der.empty()) return {};
    // Not judged by the clock: one that is over is not shown, and is no reason to serve nobody.
    const auto span = net::check_staple(identity.chain_pem, identity.staple_der, std::nullopt);
    if (!span) return span.error().within("the staple");
    auto state =
        std::make_unique<StapleState>(StapleState{identity.staple_der, span->next_update, time});
    SSL_CTX_set_ex_data(context, context_index<StapleState>(), state.release());
    SSL_CTX_set_tlsext_status_cb(context, show_staple);
    return {};
}

/// There is one certificate, whatever the name. It is taken, for else a session of TLS 1.2 that is
/// resumed forgets it (RFC 6066 section 3).
int take_name(SSL*, int*, void*) {
    return SSL_TLSEXT_ERR_OK;
}

/// RFC 9325 and 8310: TLS 1.2 at least, forward secrecy, AEAD, nothing that was ever a mistake.
void use_protocol(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_cipher_list(context, tls12_ciphers);
    if (SSL_CTX_set1_groups_list(context, groups_with_hybrid) != 1)
        SSL_CTX_set1_groups_list(context, groups);
    ERR_clear_error();  // a library without the hybrid group says so
    SSL_CTX_set_alpn_select_cb(context, select_alpn, nullptr);
    SSL_CTX_set_tlsext_servername_callback(context, take_name);
    SSL_CTX_set_max_early_data(context, 0);
}

/// One read a wake-up however many records came, also of those that hold nothing to be answered (a
/// client can send Key Updates without end), and no buffers while a connection idles.
void use_little(SSL_CTX* context) {
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

}  // namespace

Result<TlsServer> TlsServer::create(const TlsIdentity& identity, std::shared_ptr<TicketKeys> keys,
                                    std::chrono::seconds ticket_lifetime, const TimeSource& time) {
    Context context(SSL_CTX_new(TLS_server_method()));
    if (!context) return Error{Errc::internal, "OpenSSL makes no context"};
    use_protocol(context.get());
    use_little(context.get());
    pause_at_hello(context.get());
    use_tickets(context.get(), std::move(keys), ticket_lifetime);
    if (auto used = use_identity(context.get(), identity); !used) return used.error();
    if (auto used = use_staple(context.get(), identity, time); !used) return used.error();
    return TlsServer(std::move(context));
}

SslHandle TlsServer::accept(int descriptor, Application application) const {
    SslHandle ssl(SSL_new(context_.get()));
    if (!ssl || SSL_set_fd(ssl.get(), descriptor) != 1) return nullptr;
    auto* spoken = const_cast<Protocols*>(&protocols_of(application));  // OpenSSL knows no const
    if (SSL_set_ex_data(ssl.get(), application_index(), spoken) != 1) return nullptr;
    SSL_set_accept_state(ssl.get());
    return ssl;
}

bool same_key(const TlsIdentity& a, const TlsIdentity& b) {
    const KeyHandle key_a = read_key(a.key_pem), key_b = read_key(b.key_pem);
    ERR_clear_error();
    return key_a && key_b && EVP_PKEY_eq(key_a.get(), key_b.get()) == 1;
}

}  // namespace porchlight::forwarder
