#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "dns/name.h"

namespace porchlight::dns {

/// The sections behind the question (RFC 1035 section 4.1).
enum class Section { answer, authority, additional };

/// A record as it stands in a message, which its data is borrowed from.
struct Record {
    Section section = Section::answer;
    Name owner;
    std::uint16_t type = 0;
    std::uint32_t ttl = 0;
    std::size_t data_at = 0;  // in the message, for names that its data compresses
    Bytes data;
};

/// The records of a message that parse_answer() took, in its order; OPT is among them.
std::vector<Record> records_of(Bytes message);

/// The name at `at`, which moves behind it; nothing if there is none. Pointers only ever lead
/// backwards, so it ends.
std::optional<Name> expand_name(Bytes message, std::size_t& at);

/// The name that the answer section's chain of CNAMEs leads to from `name`; nothing where one of
/// them has no name. A chain without end is cut.
std::optional<Name> end_of_chain(Bytes message, const std::vector<Record>& records, Name name);

/// Whether each record of the answer section is of `name` or of what its CNAMEs and DNAMEs lead to,
/// in whichever order they stand (RFC 2181 section 5.4.1, RFC 6672). Not where they lead to more
/// names than anybody follows.
bool all_belong(Bytes message, const std::vector<Record>& records, const Name& name);

}  // namespace porchlight::dns
