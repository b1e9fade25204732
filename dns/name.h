#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/reader.h"
#include "core/writer.h"

namespace porchlight::dns {

/// A domain name in wire form (RFC 1035 section 3.1): length-prefixed labels, ending in the root
/// label, at most 255 octets, each label 1 to 63, never compressed. Keeps the case it was given
/// and compares without regard to it (RFC 4343). A default-constructed name is the root.
class Name {
  public:
    Name() : wire_(1, 0) {}

    Bytes wire() const { return wire_; }
    bool is_root() const { return wire_.size() == 1; }
    /// Labels without the root's.
    std::size_t label_count() const;
    /// Whether this name is `ancestor` or lies below it.
    bool is_within(const Name& ancestor) const;
    /// The name without its first label; the root stays the root.
    Name parent() const;

    bool operator==(const Name& other) const;
    std::weak_ordering operator<=>(const Name& other) const;

  private:
    friend Name read_name(Reader& in);
    friend Result<Name> parse_name(std::string_view text);
    explicit Name(Buffer wire) : wire_(std::move(wire)) {}
    Buffer wire_;
};

/// Reads one uncompressed name and stops after its root label. A compression pointer, a label
/// above 63 octets or a name above 255 fails the reader; what comes back then is the root.
Name read_name(Reader& in);

void write(Writer& out, const Name& name);

/// From the text form, with or without the final dot; "." is the root. `\.`, `\\` and `\DDD` are
/// understood (RFC 1035 section 5.1). Fails with `malformed`.
Result<Name> parse_name(std::string_view text);

/// With a final dot; octets other than letters, digits, '-' and '_' are written as \DDD.
std::string to_text(const Name& name);
/// As above without the final dot, the form that certificates, SNI and people use; "." for the
/// root.
std::string to_host(const Name& name);

/// A name that can be read as a server's: at least one label; letters, digits, hyphen and
/// underscore only; no label that begins or ends with a hyphen. IDNs are A-labels.
bool is_host_name(const Name& name);

/// Whether clients would take the text of the name for an IPv4 address, which no certificate proves
/// as a name: its last label has nothing but digits, as "192.0.2.53" spelt in labels.
bool reads_as_address(const Name& name);

/// Why hosts must not be told of a resolver by this name, or nothing, as in "its name " + why: it
/// is no host's, has an underscore (systemd takes letters, digits and hyphens alone), or reads as
/// an address.
std::optional<std::string> why_not_announceable(const Name& name);

}  // namespace porchlight::dns
