#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/discover_told.h"
#include "core/address.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"

namespace porchlight::agent::discover {

/// How many connections one run tries; what is offered beyond is told as not tried.
inline constexpr std::size_t trials_max = 64;

/// What is to be tried at a resolver that was told of: each of its protocols at each of its
/// addresses. None where hosts can't use it or don't know where it is. `scope` is the interface
/// that link-local addresses are reached by. What is told by the resolver of a plain address has to
/// prove that address; everybody else proves a name.
std::vector<Trial> trials_of(const Told& told, const ResolverRecord& resolver, std::uint32_t scope);

/// Whether a resolver that proved nothing may still be used: it is at the very address that was
/// asked in clear text, and that is no one's but this network's (RFC 9462 section 4.3).
bool may_be_opportunistic(const Told& told, const Trial& trial);

struct TrialSettings {
    Bytes roots_pem;                         // trust anchors
    std::chrono::milliseconds within{5000};  // each connection, and each answer
    std::uint32_t scope = 0;
    const TimeSource* time = nullptr;
};

/// Connects to all of them and asks each one question, for the name servers of the root: every
/// resolver answers it, and it tells nobody anything. Fails if there is no trust anchor.
/// Resolvers bound how many handshakes a host begins and how many of them may fail. So what comes
/// to the same connection is tried once, whoever told of it; connections to one address begin one
/// after the other; each handshake comes to its end, whatever the certificate proves; and who
/// hangs up before that is tried again twice, in the next three seconds.
Result<void> try_all(std::vector<Told>& told, const TrialSettings& settings);

/// Why a server was not taken, in the words of who never read an RFC.
std::string plain_words(const Error& error);

}  // namespace porchlight::agent::discover
