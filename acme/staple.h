#pragma once

#include <string>
#include <vector>

#include "acme/job.h"
#include "core/random.h"
#include "net/asio.h"

namespace porchlight::acme {

/// A staple to be had for a chain, from the responder that its leaf names. Goes to the provision
/// role as octets.
struct StapleJob {
    Buffer chain_pem;
    std::vector<Bootstrap> resolvers;
    Buffer upstream_roots_pem;  // trust anchors for `resolvers`
};

/// What the provision role hands back: `response_der`, or why there is none.
struct StapleOutcome {
    Buffer response_der;
    std::string error;  // for people
    bool revoked =
        false;  // a response that is to be believed says so, or knows no such certificate
};

void write(Writer& out, const StapleJob& job);
Result<StapleJob> parse_staple_job(Bytes message);
void write(Writer& out, const StapleOutcome& outcome);
Result<StapleOutcome> parse_staple_outcome(Bytes message);

/// Asks the responder over plain HTTP (RFC 6960 appendix A), which its signature makes good for.
/// What comes is checked before it is called a success. The clock is one that counts: by another no
/// staple could be judged.
awaitable<StapleOutcome> fetch_staple(StapleJob job, const TimeSource& time, Random& random);

}  // namespace porchlight::acme
