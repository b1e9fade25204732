#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "dns/question.h"
#include "dns/svcb.h"

namespace porchlight::dns {

/// Who is asked which encrypted resolver it has: a resolver known by its address (RFC 9462 section
/// 4), or by its name (section 5).
Question designation_question();
Question designation_question(const Name& resolver);

/// An encrypted resolver that a resolver designates: one SVCB record of its answer.
struct Designation {
    Buffer rdata;
    std::chrono::seconds ttl{0};
    std::optional<std::string> malformed;  // why nobody can read it; then the next is nothing
    Svcb svcb;
    /// Where its target is: as the additional section says, else as the record hints. Addresses
    /// that no host connects to are dropped. Empty: to be looked up.
    std::vector<IpAddress> addresses;
};

/// What a response to `asked`, of type SVCB, says; empty where there is no designation. Each record
/// is judged on its own. Fails with `malformed` if the message is no response to it, `unavailable`
/// with the response code if the resolver failed.
Result<std::vector<Designation>> parse_designations(Bytes message, const Question& asked);

}  // namespace porchlight::dns
