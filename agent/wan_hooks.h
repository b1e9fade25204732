#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agent/wan_record.h"
#include "core/result.h"
#include "dns/format.h"

// What DHCP clients tell the scripts that they call, each in variables of its own.

namespace porchlight::agent {

/// The value of a variable, empty where it is not set.
using Environment = std::function<std::string(std::string_view name)>;

/// What a call of a hook means.
struct Heard {
    enum class What {
        nothing,
        offer,           // `record`, without `received` and `boot`, in place of the former
        offer_if_other,  // likewise, unless the former one holds the same options
        lost,            // of `record` interface and source: the lease is no more
    };
    What what = What::nothing;
    WanRecord record;
    /// The address or prefix that the call is about, of a client that calls once for each;
    /// `lifetime` is its own then, and another one may live on. Else empty.
    std::string lease = {};
};

/// udhcpc (busybox): `event` is its script's argument. Options that it was asked for by `-O` are
/// hexadecimal digits, those of one code joined.
Result<Heard> heard_from_udhcpc(std::string_view event, const Environment& environment,
                                const dns::Forms& forms);

/// odhcp6c (OpenWrt): its script's arguments. OPTION_144 is only the last of several; PASSTHRU has
/// every option of the message with code and length.
Result<Heard> heard_from_odhcp6c(std::string_view interface, std::string_view event,
                                 const Environment& environment);

/// ISC dhclient, DHCPv4 and DHCPv6: $reason says which. Options have the names `dnr` and
/// `dhcp6.dnr` in its configuration; of several options 144 it hands over one. In DHCPv6 it calls
/// once for each address and prefix.
Result<Heard> heard_from_dhclient(const Environment& environment);

/// dhcpcd, likewise; its configuration defines both as `binhex dnr`.
Result<Heard> heard_from_dhcpcd(const Environment& environment);

/// `record`, of which `lifetime` is that lease's, beside the leases that live on of what was noted
/// before: it lasts as long as the longest.
WanRecord with_lease(WanRecord record, const std::string& name,
                     const std::optional<WanRecord>& former);
/// What was noted without that lease; nothing where no other lives at `now` (Boot::age).
std::optional<WanRecord> without_lease(WanRecord record, const std::string& name,
                                       std::chrono::seconds now);

/// A lease that is lost takes its offer along so much later, and not at once: a client that is
/// started again says first that it has none.
inline constexpr std::chrono::seconds lost_lease_grace{10};

/// `record`, which ends lost_lease_grace after `now` (Boot::age) at the latest.
WanRecord ending(WanRecord record, std::chrono::seconds now);

}  // namespace porchlight::agent
