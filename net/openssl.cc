#include "net/openssl.h"

#include <openssl/err.h>

namespace porchlight::net {

std::string take_openssl_reason() {
    const unsigned long code = ERR_peek_last_error();
    const char* reason = ERR_reason_error_string(code);
    ERR_clear_error();
    return reason != nullptr ? reason : "no reason given";
}

}  // namespace porchlight::net
