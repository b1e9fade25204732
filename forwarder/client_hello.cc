#include "forwarder/client_hello.h"

#include <cstdint>

namespace porchlight::forwarder {
namespace {

int hello_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

/// TLS 1.3 shows tickets as keys shared before (RFC 8446 section 4.2.11), TLS 1.2 in an extension
/// that without one is empty (RFC 5077 section 3.2).
bool shows_ticket(SSL* ssl) {
    const unsigned char* octets = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &octets, &size) == 1) return true;
    return SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_session_ticket, &octets, &size) == 1 &&
           size != 0;
}

/// Called anew after the pause, and for the ClientHello after a HelloRetryRequest.
int on_hello(SSL* ssl, int*, void*) {
    if (hello_of(ssl) != Hello::none) return SSL_CLIENT_HELLO_SUCCESS;
    const auto hello =
        static_cast<std::intptr_t>(shows_ticket(ssl) ? Hello::with_ticket : Hello::plain);
    SSL_set_ex_data(ssl, hello_index(), reinterpret_cast<void*>(hello));
    return SSL_CLIENT_HELLO_RETRY;
}

}  // namespace

void pause_at_hello(SSL_CTX* context) {
    SSL_CTX_set_client_hello_cb(context, on_hello, nullptr);
}

Hello hello_of(const SSL* ssl) {
    return static_cast<Hello>(reinterpret_cast<std::intptr_t>(SSL_get_ex_data(ssl, hello_index())));
}

}  // namespace porchlight::forwarder
