#pragma once

#include <chrono>

#include "core/result.h"
#include "dns/question.h"
#include "net/asio.h"

namespace porchlight::forwarder {

/// Whoever goes and finds an answer: one upstream, or several behind one policy.
class Resolver {
  public:
    virtual ~Resolver() = default;

    /// A whole DNS response to `question`: its ID is 0, its question is the one asked, its OPT is
    /// removed, its records are checked for form. Fails with `timeout` or `unavailable` where
    /// nobody answered, `refused` where the server could not be authenticated, and `malformed`
    /// where what came was no answer.
    virtual awaitable<Result<Buffer>> resolve(dns::Question question,
                                              std::chrono::milliseconds within) = 0;
};

}  // namespace porchlight::forwarder
