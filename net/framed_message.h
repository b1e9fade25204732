#pragma once

#include <chrono>

#include "core/bytes.h"
#include "core/result.h"
#include "net/asio.h"
#include "net/tls_stream.h"

namespace porchlight::net {

/// A DNS message behind its two octets of length (RFC 1035 section 4.2.2, RFC 7858 section 3.3).
Buffer framed(Bytes message);

/// Takes the first whole message out of `pending`; false while there is none.
bool take_message(Buffer& pending, Buffer& message);

/// The next message of a stream; `pending` keeps what came behind it. `within` is for all of it.
awaitable<Result<Buffer>> read_message(TlsStream& stream, Buffer& pending,
                                       std::chrono::milliseconds within);

}  // namespace porchlight::net
