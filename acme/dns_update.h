#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "acme/failure.h"
#include "acme/job.h"
#include "core/random.h"
#include "net/asio.h"

namespace porchlight::acme {

/// One TXT record of ours.
struct TxtRecord {
    dns::Name name;
    std::string value;  // at most 255 octets
    bool operator==(const TxtRecord&) const = default;
};

enum class UpdateKind { add, remove };

inline constexpr std::chrono::seconds txt_ttl{60};

/// An UPDATE without prerequisites (RFC 2136 section 2) that adds these records, or removes
/// exactly these and no others at the same names. Not signed yet.
Buffer write_update(std::uint16_t id, const dns::Name& zone, UpdateKind kind,
                    const std::vector<TxtRecord>& records);

/// What the server's answer to a signed UPDATE means; nothing if it was done. The codes are
/// "dns-update." with badkey, badsig, badtime, refused, notauth, notzone, nxrrset, servfail,
/// rcode-N, unsigned, malformed.
std::optional<Failure> read_update_answer(Bytes answer, std::uint16_t id, const TsigKey& key,
                                          Bytes request_mac, WallTime now);

/// Signs the update with `to.key`, sends it over TCP and verifies the answer.
awaitable<std::optional<Failure>> send_update(DnsUpdate to, UpdateKind kind,
                                              std::vector<TxtRecord> records,
                                              const TimeSource& time, Random& random,
                                              std::chrono::milliseconds within);

}  // namespace porchlight::acme
