#include "agent/config_table_parts.h"

// Strangers who act as router or DHCP server of the home.

namespace porchlight::agent::config {
namespace {

constexpr Setting table[] = {
    {.path = "/guard",
     .fallback = "{}",
     .help =
         "The guard against devices in the home that act as its router or DHCP server, and so "
         "can send all hosts to a resolver of their own. docs/guard.md says what it can't see."},
    {.path = "/guard/detect",
     .type = Type::boolean,
     .fallback = "true",
     .help = "Listens on the interfaces of lan, at each port of a bridge, for Router "
             "Advertisements and DHCP answers that are not this router's. Whoever sends them is "
             "named with port and hardware address in the log and in `porchlight status`."},
    {.path = "/guard/block",
     .type = Type::boolean,
     .fallback = "false",
     .help = "Drops such messages on their way from one port of a home's bridge to another, by an "
             "nftables table of its own that goes when porchlight goes. Look at `porchlight "
             "status` for some days first: a second router or a Thread border router that is meant "
             "to be there must stand in trusted_ports or trusted_macs."},
    {.path = "/guard/validate_sources",
     .type = Type::boolean,
     .fallback = "false",
     .help = "Drops what comes in at a port of a home's bridge from an IPv4 address that dnsmasq "
             "has leased to another hardware address, or from an address of this router, and ARP "
             "and Neighbor Advertisements that claim such an address. An address that nobody has "
             "leased may be used by anybody. A repeater that sends for the hosts behind it under "
             "its own hardware address must stand in trusted_macs; docs/guard.md names others whom "
             "this cuts off."},
    {.path = "/guard/trusted_ports",
     .type = Type::list,
     .max = 64,
     .fallback = "[]",
     .shorthand = true,
     .help = "Ports of the home's bridges behind which routers or DHCP servers are expected, such "
             "as a second access point that has the DHCP server. Nothing that comes in there is "
             "looked at or dropped."},
    {.path = "/guard/trusted_ports/*",
     .type = Type::interface,
     .help = "The interface's name, as `bridge link` prints it. It need not exist yet."},
    {.path = "/guard/trusted_macs",
     .type = Type::list,
     .max = 64,
     .fallback = "[]",
     .shorthand = true,
     .help = "Devices that may act as router or DHCP server, wherever they are, such as a Thread "
             "border router. Whoever knows one of these addresses can forge it; a trusted port "
             "can't be forged."},
    {.path = "/guard/trusted_macs/*",
     .type = Type::hardware_address,
     .help = "A hardware address, as `porchlight status` names it. Upper and lower case are the "
             "same."},
};

}  // namespace

std::span<const Setting> guard_settings() {
    return table;
}

}  // namespace porchlight::agent::config
