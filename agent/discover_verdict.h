#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discover_told.h"

namespace porchlight::agent::discover {

/// What it all comes to for a host.
struct Verdict {
    /// There is an encrypted resolver that proved who it is, and answered.
    bool usable = false;
    std::string sentence;  // for one who knows no RFC
    /// Where senders name different resolvers: which of them a host uses is up to the host.
    std::vector<std::string> contradictions;
};

Verdict judge(std::string_view interface, std::span<const Told> told);

/// The first trial that proved what it had to and got an answer; null if none did.
const Trial* working(const Candidate& candidate);

/// Whether a server of it hung up before it showed who it is, and none worked: it may be well.
bool is_undecided(const Candidate& candidate);

/// Why hosts don't use one of which no trial worked.
std::string why_not(const Candidate& candidate);

/// "TLS", "HTTPS", "QUIC", "HTTP/3" for an ALPN id; the id, escaped, where it is none of ours.
std::string protocol_text(std::string_view alpn);
/// "TLS and HTTPS", for all that a resolver speaks, each once.
std::string protocols_text(const ResolverRecord& resolver);
/// "cpe1.example.net (192.168.77.1)"; all text of strangers is escaped.
std::string resolver_text(const ResolverRecord& resolver);

}  // namespace porchlight::agent::discover
