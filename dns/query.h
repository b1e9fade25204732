#pragma once

#include <array>
#include <cstdint>

#include "core/bytes.h"
#include "dns/question.h"

namespace porchlight::dns {

/// Numbers of RFC 1035 section 3.2, RFC 6895 and their successors, as far as they are acted on.
namespace type {
constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, hinfo = 13, txt = 16,
                        aaaa = 28, dname = 39, opt = 41, ds = 43, svcb = 64, https = 65, tkey = 249,
                        tsig = 250, ixfr = 251, axfr = 252, maila = 254, any = 255, resinfo = 261;
}  // namespace type

constexpr std::uint16_t class_in = 1, class_none = 254, class_any = 255;

namespace flag {
constexpr std::uint16_t response = 0x8000, authoritative = 0x0400, truncated = 0x0200,
                        recursion_desired = 0x0100, recursion_available = 0x0080,
                        authentic_data = 0x0020, checking_disabled = 0x0010;
constexpr std::uint16_t opcode = 0x7800, rcode = 0x000f;  // masks
}  // namespace flag

constexpr std::size_t header_octets = 12;
constexpr std::size_t name_octets_max = 255;

/// What a client's OPT record said (RFC 6891). Hop-by-hop options are consumed here: none is passed
/// on. Unknown options are ignored. Of a client subnet (RFC 7871) only that it is withheld counts.
struct ClientEdns {
    bool present = false;          // the answer carries OPT exactly when this is true
    std::uint16_t udp_size = 512;  // at least 512
    std::uint8_t version = 0;
    bool dnssec_ok = false;         // RFC 3225
    bool padding = false;           // RFC 7830
    bool keepalive = false;         // RFC 7828
    bool keepalive_filled = false;  // with a value, which a client must not send
    bool cookie = false;            // RFC 7873
    bool subnet_withheld = false;   // nobody is to tell a server the client's network (RFC 7871)
};

/// A client's query, its facts laid out so that answering it from the cache allocates nothing.
struct Query {
    std::uint16_t id = 0;
    std::uint16_t flags = 0;  // the header's second word, as sent
    std::uint16_t type = 0;
    std::uint16_t klass = 0;
    std::uint8_t name_size = 0;                        // 0: no question could be read
    std::array<std::uint8_t, name_octets_max> octets;  // the name in wire form, lower-cased
    Bytes question;  // name, type, class as sent: borrowed from the message, case kept
    ClientEdns edns;

    Bytes name() const { return Bytes(octets).first(name_size); }
    bool recursion_desired() const { return (flags & flag::recursion_desired) != 0; }
    bool checking_disabled() const { return (flags & flag::checking_disabled) != 0; }
    /// Whether the client wants to be told AD: he set it, or DO (RFC 6840 sections 5.7 and 5.8).
    bool wants_authentic_data() const {
        return edns.dnssec_ok || (flags & flag::authentic_data) != 0;
    }
};

/// What a message from a client deserves.
enum class Verdict {
    answer,           // a question in class IN that may be looked up; ANY is among them
    drop,             // no answer at all: a response, or too short to have an ID
    format_error,     // FORMERR
    not_implemented,  // NOTIMP: another opcode than QUERY
    refused,          // REFUSED: another class than IN, zone transfers, meta types
    bad_version,      // BADVERS: EDNS above version 0 (RFC 6891 section 6.1.3)
    cookie_only,      // no question but a COOKIE option: NOERROR (RFC 7873 section 5.4)
};

/// Reads a whole message from a client (RFC 1035 section 4.1, RFC 6891, RFC 9619) and sets every
/// member of `query`, as far as the message goes. Allocates nothing; `query.question` borrows from
/// `message`. Records other than OPT in the additional section are skipped after a check of their
/// bounds; records in the answer or authority section make the message malformed. Of a message that
/// gets `not_implemented`, or `format_error` for its counts, no more is read than its OPT.
Verdict parse_query(Bytes message, Query& query);

/// The same question as a value that may outlive the message; keeps the letter case of the client
/// out of it, so that equal questions are equal octets.
Question question_of(const Query& query);

}  // namespace porchlight::dns
