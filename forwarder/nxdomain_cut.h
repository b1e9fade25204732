#pragma once

#include <optional>
#include <vector>

#include "core/bytes.h"
#include "dns/question.h"

// That a name does not exist says that nothing beneath it does (RFC 8020 section 2), nor any other
// type of it. What is needed to say so is kept in the cache as an answer of a type that nobody has,
// one for each name that was found not to exist.

namespace porchlight::forwarder {

/// Of the names above one that is asked for, so many are looked at, those nearest the root: whoever
/// asks for names of a hundred labels makes no hundred looks.
inline constexpr std::size_t cut_labels_max = 16;

/// Whether NXDOMAIN may be taken for more than was asked: whoever wants proofs (RFC 4035) gets
/// what his own question led to.
bool may_be_cut(const dns::Question& question);

/// The question under which the cache keeps that `name` does not exist; in the view of `asked`.
dns::Question cut_question(const dns::Name& name, const dns::Question& asked);
/// Those of `asked` and of what is above it, that nearest the root last.
std::vector<dns::Question> cut_questions(const dns::Question& asked);

/// What is kept of an NXDOMAIN that dns::clean() made, and where the one TTL of it stands.
struct Cut {
    Buffer response;
    std::uint16_t ttl_at = 0;
};
/// Nothing where it says less: behind an alias it is another name that does not exist, and without
/// the SOA of a zone around it nobody knows for how long (RFC 2308 section 5).
std::optional<Cut> cut_of(Bytes response, const dns::Question& question);

/// NXDOMAIN for a name at or beneath one of which `cut` was kept, with its SOA.
Buffer response_from_cut(Bytes cut, const dns::Question& question);

}  // namespace porchlight::forwarder
