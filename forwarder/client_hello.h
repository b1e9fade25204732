#pragma once

#include <openssl/ssl.h>

namespace porchlight::forwarder {

/// What a client said first.
enum class Hello {
    none,  // it said nothing yet
    plain,
    with_ticket,  // perhaps a good one: then there is nothing to sign
};

/// Makes every handshake of `context` pause once when the ClientHello was read, with
/// SSL_ERROR_WANT_CLIENT_HELLO_CB and before anything else was done for the client: whoever drives
/// it may go on or not.
void pause_at_hello(SSL_CTX* context);
Hello hello_of(const SSL* ssl);

}  // namespace porchlight::forwarder
