#include "tls_stream_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "core/writer.h"
#include "dns/name.h"

namespace porchlight::net {
namespace {

template <class Written>
Buffer to_pem(Written write) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    write(out.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return Buffer(data, data + size);
}

void extend(X509* certificate, int extension, const std::string& value) {
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
    X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
}

void begin(X509* certificate, EVP_PKEY* key, std::chrono::seconds begins,
           std::chrono::seconds ends) {
    static long serial = 1000;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), static_cast<long>(begins.count()));
    X509_gmtime_adj(X509_getm_notAfter(certificate), static_cast<long>(ends.count()));
    X509_set_pubkey(certificate, key);
}

void name(X509_NAME* subject, const std::string& common_name) {
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
}

}  // namespace

TestAuthority::TestAuthority() : key_(EVP_EC_gen("P-256")), root_(X509_new()) {
    begin(root_.get(), key_.get(), std::chrono::hours(-24), std::chrono::hours(240));
    name(X509_get_subject_name(root_.get()), "A root for tests");
    X509_set_issuer_name(root_.get(), X509_get_subject_name(root_.get()));
    extend(root_.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(root_.get(), key_.get(), EVP_sha256());
}

Buffer TestAuthority::root_pem() const {
    return to_pem([&](BIO* out) { PEM_write_bio_X509(out, root_.get()); });
}

PemPair TestAuthority::leaf(const std::vector<std::string>& names, std::chrono::seconds begins,
                            std::chrono::seconds ends, const std::string& common_name) const {
    const EvpKeyPtr key(EVP_EC_gen("P-256"));
    const X509Ptr certificate(X509_new());
    begin(certificate.get(), key.get(), begins, ends);
    if (!common_name.empty()) name(X509_get_subject_name(certificate.get()), common_name);
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(root_.get()));
    std::string sans;
    for (const std::string& one : names) {
        if (!sans.empty()) sans += ',';
        sans += one.starts_with("IP:") ? one : "DNS:" + one;
    }
    if (!sans.empty()) extend(certificate.get(), NID_subject_alt_name, sans);
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    return {to_pem([&](BIO* out) { PEM_write_bio_X509(out, certificate.get()); }),
            to_pem([&](BIO* out) {
                PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
}

TestServer::TestServer(const PemPair& pair, Talk talk, Options options)
    : context_(SSL_CTX_new(TLS_server_method())),
      talk_(std::move(talk)),
      alpn_(options.alpn),
      one_ticket_(options.one_ticket),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_max_proto_version(context_.get(), options.version_max);
    const X509Ptr certificate(
        PEM_read_bio_X509(borrow(pair.chain).get(), nullptr, nullptr, nullptr));
    const EvpKeyPtr key(PEM_read_bio_PrivateKey(borrow(pair.key).get(), nullptr, nullptr, nullptr));
    SSL_CTX_use_certificate(context_.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    SSL_CTX_set_alpn_select_cb(
        context_.get(),
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned,
           void* chosen) {
            const auto& wanted = *static_cast<const std::string*>(chosen);
            if (wanted.empty()) return SSL_TLSEXT_ERR_NOACK;
            *out = reinterpret_cast<const unsigned char*>(wanted.data());
            *size = static_cast<unsigned char>(wanted.size());
            return SSL_TLSEXT_ERR_OK;
        },
        &alpn_);

    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int ends[2];
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.get(), 8) != 0 || ::pipe2(ends, O_CLOEXEC) != 0)
        throw std::runtime_error("no listener on loopback");
    stop_read_ = FileDescriptor(ends[0]);
    stop_write_ = FileDescriptor(ends[1]);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    endpoint_ = {Ipv4{{127, 0, 0, 1}}, ntohs(address.sin_port)};
    thread_ = std::thread([this] { serve(); });
}

TestServer::~TestServer() {
    stop_write_.reset();
    thread_.join();
}

void TestServer::serve() {
    std::vector<FileDescriptor> silent;
    for (;;) {
        pollfd waits[] = {{listener_.get(), POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
        ::poll(waits, 2, -1);
        if (waits[1].revents != 0) return;
        FileDescriptor peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!peer) continue;
        ++accepted_;
        if (!talk_) {
            silent.push_back(std::move(peer));
            continue;
        }
        const timeval patience{5, 0};
        ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        const SslPtr ssl(SSL_new(context_.get()));
        SSL_set_fd(ssl.get(), peer.get());
        if (one_ticket_) SSL_set_num_tickets(ssl.get(), accepted_ == 1 ? 1 : 0);
        if (SSL_accept(ssl.get()) == 1) {
            talk_(ssl.get());
            SSL_shutdown(ssl.get());
        }
    }
}

std::string read_exactly(SSL* ssl, std::size_t count) {
    std::string got(count, 0);
    std::size_t have = 0;
    std::size_t step = 0;
    while (have < count && SSL_read_ex(ssl, got.data() + have, count - have, &step) == 1)
        have += step;
    got.resize(have);
    return got;
}

std::string read_until(SSL* ssl, std::string_view end) {
    std::string got;
    while (!got.ends_with(end)) {
        const std::string octet = read_exactly(ssl, 1);
        if (octet.empty()) break;
        got += octet;
    }
    return got;
}

bool write_all(SSL* ssl, std::string_view octets) {
    std::size_t wrote = 0;
    return octets.empty() || SSL_write_ex(ssl, octets.data(), octets.size(), &wrote) == 1;
}

void serve_dns(SSL* ssl, const std::function<Buffer(Bytes)>& response_to) {
    for (;;) {
        const std::string size = read_exactly(ssl, 2);
        if (size.size() < 2) return;
        Reader count(bytes_of(size));
        const std::string query = read_exactly(ssl, count.u16());
        Writer out;
        out.counted_u16([&] { out.bytes(response_to(bytes_of(query))); });
        write_all(ssl, text_of(out.view()));
    }
}

Buffer address_response(Bytes query, const Ipv4& address) {
    Reader in(query);
    const std::uint16_t id = in.u16();
    in.bytes(10);
    const dns::Name name = dns::read_name(in);
    const std::uint16_t type = in.u16();
    Writer out;
    out.u16(id);
    out.u16(0x8180);
    for (const int count : {1, type == 1 ? 1 : 0, 0, 0}) out.u16(static_cast<std::uint16_t>(count));
    dns::write(out, name);
    out.u16(type);
    out.u16(1);
    if (type == 1) {
        out.u16(0xc00c);
        out.u16(1);
        out.u16(1);
        out.u32(60);
        out.counted_u16([&] { out.bytes(address); });
    }
    return *out.take();
}

}  // namespace porchlight::net
