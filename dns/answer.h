#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/query.h"
#include "dns/question.h"

namespace porchlight::dns {

/// Response codes (RFC 6895 section 2.3). Above 15 the upper bits travel in the OPT record.
namespace rcode {
inline constexpr std::uint16_t no_error = 0;
inline constexpr std::uint16_t form_error = 1;
inline constexpr std::uint16_t server_failure = 2;
inline constexpr std::uint16_t no_name = 3;
inline constexpr std::uint16_t not_implemented = 4;
inline constexpr std::uint16_t refused = 5;
inline constexpr std::uint16_t bad_version = 16;
}  // namespace rcode

/// Bounds for how long an answer is believed (RFC 2181 section 8, RFC 2308 section 5, RFC 8767
/// section 4). A TTL with its top bit set is a large one, not zero.
struct TtlLimits {
    std::chrono::seconds positive_max{86400};
    std::chrono::seconds negative_max{900};
    std::chrono::seconds positive_min{0};  // as far as positive_max allows
    bool operator==(const TtlLimits&) const = default;
};

/// What a strict look at one response found. A plain value without memory of its own; offsets are
/// from the message's first octet.
struct Answer {
    static constexpr std::size_t ttls_max = 64;
    enum class Kind : std::uint8_t {
        positive,
        no_data,  // the name exists, the type does not (RFC 2308 section 2.2)
        no_name,  // NXDOMAIN
        failure,  // any other response code
    };

    std::uint16_t id = 0;
    std::uint16_t rcode = 0;  // 12 bits, with OPT's share
    Kind kind = Kind::failure;
    bool truncated = false;  // then nothing behind the question was looked at
    bool authentic = false;  // AD: who sent it says that he validated it (RFC 4035 section 3.2.3)
    /// How long it may be kept: the least TTL of all records; for negative answers also the SOA's
    /// MINIMUM. 0: not at all, as for failures; for negative answers without an SOA of the name, or
    /// what its CNAMEs lead to in their order, or of a zone above it (RFC 2308 sections 2 and 5);
    /// and for what is said to hold for one subnet alone, of which we never tell one (RFC 7871
    /// section 7.3).
    std::chrono::seconds ttl{0};

    std::uint16_t opt_at = 0;  // 0: there is no OPT
    std::uint16_t opt_bytes = 0;
    std::optional<std::uint16_t> keepalive;       // units of 100 ms (RFC 7828)
    std::optional<std::uint16_t> extended_error;  // the first one's code (RFC 8914)

    /// Where TTLs stand, OPT's excepted. With more than ttls_max of them `ttls_walk` is set, the
    /// table is useless, and for_each_ttl() finds them.
    std::array<std::uint16_t, ttls_max> ttl_at{};
    std::uint8_t ttl_count = 0;
    bool ttls_walk = false;
};

/// Looks at the whole of `message` as a response to `asked`: header, the very question that was
/// asked, every record's bounds and class, every name that may be compressed (pointers only
/// backwards), the OPT, nothing left over. Allocates nothing unless it fails, with `malformed`, or
/// there are more than `ttls_max` records.
Result<Answer> parse_answer(Bytes message, const Question& asked, const TtlLimits& limits);

/// Whose word an answer is, as far as AD goes: we validate nothing ourselves.
enum class Origin : std::uint8_t {
    anybody,
    trusted_validator,  // known by an authenticated session, and trusted to validate (RFC 6840
                        // section 5.8)
};

/// Makes a message that parse_answer() took into what is kept and passed on: ID 0, OPT cut out, AD
/// cleared unless `origin` is trusted, no TTL beyond what `limits` and the answer's kind allow.
/// `answer` describes the result.
void clean(Buffer& message, Answer& answer, const TtlLimits& limits,
           Origin origin = Origin::anybody);

/// Takes the additional section out of a message that clean() made, and AD: it is no longer what
/// was validated. The other sections need nothing of it: names are compressed against what stands
/// before them.
void cut_additional(Buffer& message, Answer& answer);

/// Calls `visit` with the offset of each TTL of a message that parse_answer() took, OPT excepted.
template <class Visit>
void for_each_ttl(Bytes message, Visit visit);

/// A response of ours without records: ID 0, the question, the response code.
Buffer empty_response(const Question& question, std::uint16_t rcode);

/// As above, NODATA with an SOA of the question's name, so that it is kept for `ttl` (RFC 2308
/// section 5).
Buffer no_data_response(const Question& question, std::chrono::seconds ttl);

/// A pointer to the root's name would be longer than it, and Knot's tools take it for malformed.
constexpr std::uint16_t root_zone = 0;

/// Appends the SOA of a zone of ours, with the values of RFC 6303 section 3. `zone` is a pointer to
/// its name, or `root_zone`.
void write_soa(Writer& out, std::uint16_t zone, std::uint32_t ttl_s);

namespace detail {
/// The offset of the record after the one at `at`; `ttl_at` is the offset of its TTL, 0 for OPT.
/// Only for messages whose form was checked.
std::size_t next_record(Bytes message, std::size_t at, std::size_t& ttl_at);
std::size_t first_record(Bytes message);
}  // namespace detail

template <class Visit>
void for_each_ttl(Bytes message, Visit visit) {
    for (std::size_t at = detail::first_record(message); at < message.size();) {
        std::size_t ttl_at = 0;
        at = detail::next_record(message, at, ttl_at);
        if (ttl_at != 0) visit(ttl_at);
    }
}

}  // namespace porchlight::dns
