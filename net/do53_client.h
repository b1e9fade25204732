#pragma once

#include <chrono>

#include "core/address.h"
#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"
#include "dns/question.h"
#include "net/asio.h"

namespace porchlight::net {

/// Asks a resolver in clear text, by UDP and once more where nothing came, by TCP where the answer
/// was truncated (RFC 1035 section 4.2). What comes back is a response to `asked` by
/// dns::parse_answer; anything else that comes is passed over. Only for what may be read on the
/// way: look-ups that tell of encrypted resolvers. Fails with `timeout` or `unavailable`; `within`
/// is for all of it.
awaitable<Result<Buffer>> ask_do53(Endpoint resolver, dns::Question asked, Random& random,
                                   std::chrono::milliseconds within);

}  // namespace porchlight::net
