#pragma once

#include <chrono>

#include "core/result.h"
#include "dns/answer.h"
#include "dns/question.h"
#include "net/asio.h"

namespace porchlight::forwarder {

/// A whole DNS response: its ID is 0, its question is the one asked, its OPT is removed, its
/// records are checked for form; and what that check found.
struct Response {
    Buffer message;
    dns::Answer facts;
};

/// Whoever goes and finds an answer: one upstream, or several behind one policy. Whoever awaits
/// resolve() keeps the resolver until it is done.
class Resolver {
  public:
    virtual ~Resolver() = default;

    /// Fails with `timeout` or `unavailable` where nobody answered, `refused` where the server
    /// could not be authenticated, and `malformed` where what came was no answer.
    virtual awaitable<Result<Response>> resolve(dns::Question question,
                                                std::chrono::milliseconds within) = 0;
};

}  // namespace porchlight::forwarder
