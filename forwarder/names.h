#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/writer.h"
#include "forwarder/link_name.h"
#include "forwarder/settings.h"

namespace porchlight::forwarder {

/// Who answers a question, as far as its name decides.
enum class Source : std::uint8_t { upstream, companion, own };

/// What we say ourselves.
enum class OwnAnswer : std::uint8_t {
    no_name,       // NXDOMAIN
    no_data,       // the name exists, this type does not
    loopback,      // 127.0.0.1 and ::1 (RFC 6761 section 6.3)
    localhost,     // PTR localhost (RFC 6303 section 4)
    addresses,     // of the resolver's own name, also with a device's id before it
    designations,  // the resolver's encrypted forms, of who asks from this link (RFC 9462)
    information,   // what the resolver does (RFC 9606)
};

struct Decision {
    Source source = Source::upstream;
    OwnAnswer own = OwnAnswer::no_name;
    std::uint8_t zone_at = 0;  // where the name of the zone begins in the name asked for
    std::uint32_t ttl_s = 0;   // of our own answer
    bool operator==(const Decision&) const = default;
};

/// The names that never leave the house (RFC 6303, RFC 6761, RFC 6762, RFC 7686, RFC 7793, RFC
/// 8375, RFC 9462, RFC 9476, RFC 9665): who answers them. A pure table; it allocates nothing after
/// it is made.
///
/// What the companion asks is never sent back to it: what would be the companion's is then
/// NXDOMAIN, so that no loop can be. Of a name of a single label only DS and DNSKEY go upstream:
/// those are a validator's questions about a top-level domain; a host is never asked for them.
class Names {
  public:
    Names() = default;
    explicit Names(const Settings& settings);

    /// `name` is in wire form, lower-cased.
    Decision decide(Bytes name, std::uint16_t type, bool from_companion) const;

    /// Appends our own whole response: ID 0, no OPT. `decision` is what decide() said, own. `link`
    /// is whose host asks; none: the companion.
    void write(Writer& out, Bytes name, std::uint16_t type, const Decision& decision,
               const LinkName& link = {}) const;

  private:
    /// What a link's hosts are told; the records as they go onto the wire.
    struct Designated {
        LinkName link;
        std::vector<Buffer> records;
        std::vector<IpAddress> addresses;
    };

    Decision home(std::size_t zone_at, bool from_companion) const;
    Decision infrastructure(Bytes name, std::uint16_t type, bool from_companion) const;
    bool is_own(Bytes name) const;
    const Designated* designated(const LinkName& link) const;

    Buffer adn_;                        // in wire form, lower-cased; empty: none
    Buffer discovered_;                 // likewise, "_dns." before it (RFC 9461 section 3)
    std::vector<std::string> devices_;  // ids: with one before it the name is its own too
    std::vector<IpAddress> addresses_;
    std::vector<Designated> designated_;
    std::vector<Buffer> local_domains_;  // likewise
    bool has_companion_ = false;
    bool application_dns_ = true;
};

}  // namespace porchlight::forwarder
