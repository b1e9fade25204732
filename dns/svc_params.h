#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/reader.h"
#include "core/writer.h"

namespace porchlight::dns {

/// SvcParamKeys with a meaning here (RFC 9460 section 14.3, RFC 9461, RFC 9540).
enum SvcParamKey : std::uint16_t {
    key_mandatory = 0,
    key_alpn = 1,
    key_no_default_alpn = 2,
    key_port = 3,
    key_ipv4hint = 4,
    key_ech = 5,
    key_ipv6hint = 6,
    key_dohpath = 7,
    key_ohttp = 8,
    key_invalid = 65535,
};

/// Service parameters (RFC 9460 section 2.2, RFC 9461). What is absent on the wire is absent here.
struct SvcParams {
    std::vector<std::uint16_t> mandatory;   // key 0; empty: absent
    std::vector<std::string> alpn;          // key 1: "dot", "doq", "h2", "h3"; empty: absent
    bool no_default_alpn = false;           // key 2
    std::optional<std::uint16_t> port;      // key 3; applies to every protocol of the entry
    std::optional<std::string> dohpath;     // key 7, a relative URI template with variable `dns`
    std::map<std::uint16_t, Buffer> other;  // every other key, value as on the wire
    bool operator==(const SvcParams&) const = default;
};

/// Whether the key has a member of its own in SvcParams; the others stand in `other`.
bool has_member(std::uint16_t key);

/// Reads parameters to the reader's end. Fails it where keys do not strictly increase, a value is
/// not in its key's own syntax, or a key's companion (RFC 9460 sections 7.1.1 and 8) is missing.
/// A dohpath need only be UTF-8 without NUL here: a useless template is no broken message.
SvcParams read_svc_params(Reader& in);

void write(Writer& out, const SvcParams& params);

/// Why parameters that are well formed are of no use to a client, or nothing if they are: a
/// mandatory key not understood, no alpn or no known protocol in it, port 0 or one that
/// is_blocked_port, HTTP without a usable dohpath (RFC 9461 sections 4 and 5).
std::optional<std::string> why_not_usable(const SvcParams& params);

/// Whether `text` is what a URI template must be at least: UTF-8 without NUL, and not empty.
bool is_template_text(std::string_view text);

/// Whether `text` is a URI template (RFC 6570) that expands, given `dns`, to the :path of a DNS
/// query: begins with one '/', has the variable `dns` whole, and leaves nothing to a fragment.
bool is_usable_dohpath(std::string_view text);

/// What a plain dohpath may hold beside letters and digits.
inline constexpr std::string_view plain_dohpath_marks = "-._~:/?#[]@!$&'()*+;={}";

/// Whether `text` holds nothing but what systemd takes in a dohpath: no ',', '%' or '|', legal as
/// they are. Of a DHCPv4 option with any other character it discards the whole.
bool is_plain_dohpath(std::string_view text);

/// "alpn", "dohpath"; "key667" where the key has no name (RFC 9460 section 2.1).
std::string key_text(std::uint16_t key);
/// The inverse; nothing for text that is no key.
std::optional<std::uint16_t> parse_key(std::string_view text);

}  // namespace porchlight::dns
