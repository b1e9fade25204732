#include "agent/config_table_parts.h"

// What hosts are told, and by what.

namespace porchlight::agent::config {
namespace {

using namespace unit;

constexpr Setting table[] = {
    {.path = "",
     .fallback = "{}",
     .help = "The whole configuration: one JSON object. Every key below is optional unless it says "
             "otherwise."},
    {.path = "/mode",
     .type = Type::choice,
     .choices = "auto|relay|forwarder|static|off",
     .fallback = "\"auto\"",
     .help = "Which resolvers hosts are told of: those that the networks behind wan offer "
             "(\"relay\"), this router (\"forwarder\"), those of announce.resolvers "
             "(\"static\"), or none (\"off\"). \"auto\" means \"forwarder\" where resolver is "
             "given, else \"static\" where announce.resolvers is, else \"relay\" where wan is, "
             "else \"off\". An offer that comes or goes never changes the mode."},
    {.path = "/lan",
     .type = Type::list,
     .max = 64,
     .fallback = "[]",
     .help = "The interfaces of the home, each with hosts of its own. Hosts are told of resolvers "
             "on these alone, and encrypted DNS is served on these alone."},
    {.path = "/lan/*", .help = "One interface of the home. The same one can't stand here twice."},
    {.path = "/lan/*/interface",
     .type = Type::interface,
     .missing = "the name of an interface, such as \"br-lan\"",
     .help = "The interface's name, as `ip link` prints it. It need not exist yet: porchlight "
             "waits for it."},
    {.path = "/lan/*/mode",
     .type = Type::choice,
     .choices = "auto|relay|forwarder|static|off",
     .fallback = "\"auto\"",
     .help = "Which resolvers the hosts of this interface are told of, where they differ from the "
             "other hosts of the home. \"auto\" means \"static\" where the interface has "
             "resolvers of its own, else whatever mode says."},
    {.path = "/lan/*/resolvers",
     .type = Type::list,
     .max = 32,
     .fallback = "[]",
     .like = "/announce/resolvers",
     .help = "Resolvers that hosts of this interface alone are told of, in place of "
             "announce.resolvers. A guest network may so have a resolver of its own."},
    {.path = "/lan/*/uci_section",
     .type = Type::text,
     .help = "The section of OpenWrt's configuration `dhcp` that serves this interface, where "
             "odhcpd announces. Without it, it is the interface's name without \"br-\": \"lan\" "
             "for br-lan."},

    {.path = "/wan",
     .type = Type::list,
     .max = 8,
     .fallback = "[]",
     .help = "The interfaces toward the Internet. Nothing is announced or served on them, and none "
             "of them may stand in lan too. What their networks offer is told to hosts in this "
             "order where mode is \"relay\", and asked by this router itself where mode is "
             "\"forwarder\" and upstream is empty."},
    {.path = "/wan/*", .help = "One interface toward the Internet. It has one key."},
    {.path = "/wan/*/interface",
     .type = Type::interface,
     .missing = "the name of an interface, such as \"eth0\"",
     .help = "The interface's name, as `ip link` prints it. It need not exist yet."},
    {.path = "/resolver",
     .help = "The resolver that this router is to its home. Without it the router serves no "
             "encrypted DNS and has no certificate."},
    {.path = "/resolver/adn",
     .type = Type::host,
     .missing = "the name by which hosts authenticate this router, such as \"cpe1.example.net\"",
     .help = "The authentication domain name: hosts connect to this router and expect a "
             "certificate for this name. Its public DNS zone must be yours, because the CA asks "
             "for proof."},
    {.path = "/resolver/application_dns",
     .type = Type::boolean,
     .fallback = "false",
     .help = "Whether browsers may choose another resolver by themselves. With false "
             "use-application-dns.net does not exist here, which some ask before they do; what a "
             "person chose in a browser stays."},
    {.path = "/resolver/dot",
     .fallback = "{}",
     .help = "DNS over TLS (RFC 7858). It is always served where resolver is given."},
    {.path = "/resolver/dot/port",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "853",
     .help = "The TCP port that DNS over TLS listens on. A port other than 853 is announced with "
             "the resolver, and needs no privilege from 1024 on."},
    {.path = "/resolver/doh",
     .type = Type::list,
     .max = 8,
     .fallback = "[]",
     .help = "DNS over HTTPS (RFC 8484), at each of these; [{}] is enough. Browsers that look for "
             "an encrypted resolver by themselves know no other protocol. With an empty list it is "
             "not served."},
    {.path = "/resolver/doh/*", .help = "One path of DNS over HTTPS. {} is enough."},
    {.path = "/resolver/doh/*/port",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "443",
     .help = "The TCP port, which several paths may share. Where the router's own web pages have "
             "443, 8443 is usual; a port other than 443 is announced with the resolver."},
    {.path = "/resolver/doh/*/path",
     .type = Type::text,
     .fallback = "\"/dns-query{?dns}\"",
     .help = "The path, a URI template with the variable dns (RFC 9461 section 5). Every path is "
             "served at every port."},
    {.path = "/resolver/doh/*/versions",
     .type = Type::list,
     .min = 1,
     .max = 2,
     .fallback = "[\"h2\"]",
     .shorthand = true,
     .help = "The versions of HTTP, by their ALPN names. \"h2\" must be among them (RFC 8484 "
             "section 5.2)."},
    {.path = "/resolver/doh/*/versions/*",
     .type = Type::choice,
     .choices = "h2|http/1.1",
     .help = "One version. \"http/1.1\" serves clients that know no HTTP/2 too; where one entry "
             "has it, all ports serve it."},
    {.path = "/announce",
     .fallback = "{}",
     .help = "How hosts learn of resolvers. By default every carrier tells them."},
    {.path = "/announce/formats",
     .type = Type::list,
     .min = 1,
     .max = 2,
     .fallback = "[\"rfc9463\"]",
     .shorthand = true,
     .help = "The forms of the DHCP and Router Advertisement options. \"rfc9463\" is what hosts of "
             "today understand: DHCPv4 option 162, DHCPv6 option 144, Neighbor Discovery option "
             "144. \"draft-btw-11\" is the draft that it grew from, with announce.code_points. "
             "Where a carrier has no room for both, the first here goes first."},
    {.path = "/announce/formats/*",
     .type = Type::choice,
     .choices = "rfc9463|draft-btw-11",
     .help = "One form. Its hosts are those that implement that document."},
    {.path = "/announce/code_points",
     .fallback = "{}",
     .help =
         "The numbers of the options of \"draft-btw-11\", which were never assigned. Every host "
         "must be told the same ones, so they are of use in closed networks alone."},
    {.path = "/announce/code_points/dhcpv4",
     .type = Type::integer,
     .min = 224,
     .max = 254,
     .fallback = "230",
     .help = "The DHCPv4 option. The range is the site-specific one (RFC 3942)."},
    {.path = "/announce/code_points/dhcpv6_adn",
     .type = Type::integer,
     .min = 256,
     .max = 65535,
     .fallback = "65001",
     .help = "The DHCPv6 option with the name. DHCPv6 has no range for experiments; the default is "
             "a high number that nobody has."},
    {.path = "/announce/code_points/dhcpv6_addresses",
     .type = Type::integer,
     .min = 256,
     .max = 65535,
     .fallback = "65002",
     .help = "The DHCPv6 option with the addresses. It must differ from the other two."},
    {.path = "/announce/code_points/dhcpv6_templates",
     .type = Type::integer,
     .min = 256,
     .max = 65535,
     .fallback = "65003",
     .help =
         "The DHCPv6 option with the templates of DNS over HTTPS. It must differ from the other "
         "two."},
    {.path = "/announce/code_points/enterprise",
     .type = Type::integer,
     .min = 0,
     .max = 4294967295,
     .fallback = "0",
     .help = "An organization's own number at IANA. With it the three DHCPv6 options become "
             "sub-options 1, 2 and 3 of OPTION_VENDOR_OPTS (17) under that number, in place of "
             "numbers that nobody assigned. 0 is none."},
    {.path = "/announce/code_points/ra_adn",
     .type = Type::integer,
     .min = 253,
     .max = 254,
     .fallback = "253",
     .help = "The Neighbor Discovery option with the name. 253 and 254 are for experiments (RFC "
             "4727)."},
    {.path = "/announce/code_points/ra_addresses",
     .type = Type::integer,
     .min = 253,
     .max = 254,
     .fallback = "254",
     .help = "The Neighbor Discovery option with the addresses. It must differ from the former."},
    {.path = "/announce/dhcpv4",
     .type = Type::choice,
     .choices = "auto|dnsmasq|off",
     .fallback = "\"auto\"",
     .help = "Who puts the option into DHCPv4. \"auto\" means dnsmasq. With \"off\" no DHCPv4 "
             "client is told. odhcpd can't be chosen: its DHCPv4 option has an octet too many, and "
             "hosts discard it."},
    {.path = "/announce/dhcpv6",
     .type = Type::choice,
     .choices = "auto|dnsmasq|odhcpd|off",
     .fallback = "\"auto\"",
     .help =
         "Who puts the option into DHCPv6. \"odhcpd\" is OpenWrt's server; announce.ra must "
         "then be \"auto\", \"odhcpd\" or \"full\". \"auto\" means odhcpd where announce.ra is "
         "\"odhcpd\", and where it is \"auto\" or \"full\" and an odhcpd runs that serves every "
         "interface of lan whose hosts are told of anything; else dnsmasq. With \"off\" no "
         "DHCPv6 client is told."},
    {.path = "/announce/ra",
     .type = Type::choice,
     .choices = "auto|supplement|full|odhcpd|off",
     .fallback = "\"auto\"",
     .help =
         "\"supplement\" sends Router Advertisements of our own beside those of the daemon "
         "that runs already, with its header and our option. \"full\" makes porchlight the "
         "daemon: prefixes of the interface, plain resolvers and all that announce.router says; "
         "where another one of this router speaks, it stands beside that. \"odhcpd\" has OpenWrt's "
         "daemon carry the option in its own "
         "ones; announce.dhcpv6 must then be \"auto\", \"odhcpd\", or \"dnsmasq\" where that "
         "serves "
         "DHCPv6. "
         "\"auto\" means \"odhcpd\" where announce.dhcpv6 is or means odhcpd, else \"supplement\". "
         "With \"off\" none is sent."},
    {.path = "/announce/ddr",
     .type = Type::boolean,
     .fallback = "true",
     .help = "Whether DNS itself tells hosts of this router's encrypted resolver (DDR, RFC 9462), "
             "for those that know neither option: who asks for _dns.resolver.arpa, or for _dns in "
             "front of resolver.adn, is answered from the plan. It has an effect in mode "
             "\"forwarder\" alone. With false the answer is that there is none; no such question "
             "goes upstream either way."},
    {.path = "/announce/ddr_prefers",
     .type = Type::choice,
     .choices = "dot|doh",
     .fallback = "\"dot\"",
     .help = "Which transport DNS names first: each has a record of its own, and hosts that know "
             "both try the one with the smaller SvcPriority (RFC 9460 section 2.4.1). DNS over "
             "TLS costs the router less, and tells it of its client nothing but the question."},
    {.path = "/announce/ra_interval",
     .type = Type::seconds,
     .min = 4 * second,
     .max = 1800 * second,
     .fallback = "\"10min\"",
     .help = "The longest time between two unsolicited Router Advertisements (MaxRtrAdvInterval, "
             "RFC 4861 section 6.2.1). The shortest is a third of it; hosts forget an option after "
             "three times this or a little more."},
    {.path = "/announce/router",
     .fallback = "{}",
     .help = "What Router Advertisements say beside the encrypted resolvers where announce.ra is "
             "\"full\". Otherwise it has no effect."},
    {.path = "/announce/router/lifetime",
     .type = Type::seconds,
     .max = 9000 * second,
     .fallback = "\"30min\"",
     .help = "How long hosts keep this router as a default router after each advertisement. \"0s\" "
             "makes it none; else it must not be shorter than announce.ra_interval. Without a "
             "default route of its own the router says 0 by itself (RFC 7084)."},
    {.path = "/announce/router/preference",
     .type = Type::choice,
     .choices = "low|medium|high",
     .fallback = "\"medium\"",
     .help =
         "Which of several default routers hosts choose (RFC 4191). It matters only where there "
         "are several."},
    {.path = "/announce/router/managed",
     .type = Type::boolean,
     .fallback = "false",
     .help = "The M flag: hosts get addresses by DHCPv6. A DHCPv6 server must be there, such as "
             "dnsmasq."},
    {.path = "/announce/router/other",
     .type = Type::boolean,
     .fallback = "true",
     .help =
         "The O flag: hosts ask DHCPv6 for everything but addresses. Without it hosts may never "
         "ask for the DHCPv6 option of the encrypted resolver."},
    {.path = "/announce/router/mtu",
     .type = Type::integer,
     .max = 65535,
     .fallback = "0",
     .help = "The MTU of the link in octets. 0 announces the interface's own, else 1280 or more."},
    {.path = "/announce/router/rdnss",
     .type = Type::list,
     .max = 8,
     .fallback = "[]",
     .shorthand = true,
     .help = "IPv6 addresses of the plain resolvers (RFC 8106). With an empty list it is this "
             "router's own, where dnsmasq answers."},
    {.path = "/announce/router/rdnss/*",
     .type = Type::ipv6,
     .help = "One address that hosts can reach. IPv4 can't stand in Router Advertisements."},
    {.path = "/announce/router/dnssl",
     .type = Type::list,
     .max = 8,
     .fallback = "[]",
     .shorthand = true,
     .help = "Domains that hosts search for names of one label (RFC 8106). Usually the domain of "
             "dnsmasq."},
    {.path = "/announce/router/dnssl/*",
     .type = Type::domain,
     .help = "One domain. The order is that of searching."},
    {.path = "/announce/resolvers",
     .type = Type::list,
     .max = 32,
     .fallback = "[]",
     .help = "Resolvers outside this home that hosts are told of in mode \"static\". This router "
             "then needs neither resolver nor certificate nor upstream."},
    {.path = "/announce/resolvers/*",
     .help = "One resolver, as hosts learn it. With adn alone hosts look up the rest themselves "
             "(RFC 9463 section 3.1.6); else it needs addresses and one of dot, doq and doh. "
             "Protocols at different ports, and each further path of DNS over HTTPS, make an entry "
             "of their own, tried in the order dot, doq, doh."},
    {.path = "/announce/resolvers/*/adn",
     .type = Type::host,
     .missing = "the name on that resolver's certificate",
     .help = "The resolver's authentication domain name. Hosts accept no certificate but one for "
             "this name."},
    {.path = "/announce/resolvers/*/addresses",
     .type = Type::list,
     .max = 8,
     .fallback = "[]",
     .shorthand = true,
     .help = "The resolver's IPv4 and IPv6 addresses in order of preference. DHCPv4 carries the "
             "former, DHCPv6 and Router Advertisements the latter."},
    {.path = "/announce/resolvers/*/addresses/*",
     .type = Type::address,
     .help = "One address that hosts can reach. Loopback and multicast addresses are refused."},
    {.path = "/announce/resolvers/*/priority",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .help =
         "The Service Priority of its first entry: hosts try the smaller first, and where a "
         "carrier has no room for all, the larger are left out. Without it, it is one more than "
         "that of the entry before; further entries count on from it."},
    {.path = "/announce/resolvers/*/dot",
     .help = "It speaks DNS over TLS (RFC 7858). {} is enough."},
    {.path = "/announce/resolvers/*/dot/port",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "853",
     .help = "The TCP port. 853 is the one assigned."},
    {.path = "/announce/resolvers/*/doq",
     .help = "It speaks DNS over QUIC (RFC 9250). {} is enough."},
    {.path = "/announce/resolvers/*/doq/port",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "853",
     .help = "The UDP port. 853 is the one assigned."},
    {.path = "/announce/resolvers/*/doh",
     .type = Type::list,
     .max = 8,
     .fallback = "[]",
     .help = "It speaks DNS over HTTPS (RFC 8484), at each of these. [{}] is enough."},
    {.path = "/announce/resolvers/*/doh/*", .help = "One path of DNS over HTTPS. {} is enough."},
    {.path = "/announce/resolvers/*/doh/*/port",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "443",
     .help = "The port. 443 is the one assigned."},
    {.path = "/announce/resolvers/*/doh/*/path",
     .type = Type::text,
     .fallback = "\"/dns-query{?dns}\"",
     .help = "The path, a URI template with the variable dns (RFC 9461 section 5). The default is "
             "what most resolvers have."},
    {.path = "/announce/resolvers/*/doh/*/versions",
     .type = Type::list,
     .min = 1,
     .max = 2,
     .fallback = "[\"h2\"]",
     .shorthand = true,
     .help = "The versions of HTTP, by their ALPN names. \"h3\" is HTTP over QUIC."},
    {.path = "/announce/resolvers/*/doh/*/versions/*",
     .type = Type::choice,
     .choices = "h2|h3",
     .help = "One version. Hosts that know both choose."},
    {.path = "/announce/groups",
     .type = Type::list,
     .max = 8,
     .fallback = "[]",
     .help =
         "Hosts that are told of other resolvers than the rest of the home, such as children's. "
         "DHCP alone can tell hosts apart: set announce.ra to \"off\" where a group must not "
         "hear of the home's resolver too."},
    {.path = "/announce/groups/*",
     .help = "One group of hosts. It is told the same on every interface of the home but those "
             "whose mode is \"off\"."},
    {.path = "/announce/groups/*/tag",
     .type = Type::tag,
     .missing = "the group's name, such as \"kids\"",
     .help = "The group's name: a tag of dnsmasq's. Hosts that dnsmasq's own configuration gives "
             "this tag belong to the group too; by DHCPv6 only where their reservation has an IPv6 "
             "address or no address at all."},
    {.path = "/announce/groups/*/hosts",
     .type = Type::list,
     .max = 64,
     .fallback = "[]",
     .shorthand = true,
     .help = "Hosts of the group. A host's reservation in dnsmasq's configuration stays as it is."},
    {.path = "/announce/groups/*/hosts/*",
     .type = Type::hardware_address,
     .help = "The hardware (MAC) address of one host. It can be in one group only."},
    {.path = "/announce/groups/*/resolvers",
     .type = Type::list,
     .max = 32,
     .fallback = "[]",
     .like = "/announce/resolvers",
     .help = "The resolvers that the group is told of. With an empty list it is told of none."},

    {.path = "/dnsmasq",
     .fallback = "{}",
     .help = "How porchlight works with the dnsmasq that runs beside it. The paths are those of "
             "Debian's package."},
    {.path = "/dnsmasq/fragment",
     .type = Type::path,
     .fallback = "\"/etc/dnsmasq.d/porchlight.conf\"",
     .help = "The file that porchlight writes into dnsmasq's conf-dir. It is removed when "
             "porchlight ends."},
    {.path = "/dnsmasq/pid_file",
     .type = Type::path,
     .fallback = "\"/run/dnsmasq/dnsmasq.pid\"",
     .help = "The file with dnsmasq's process number, as its option pid-file says. porchlight "
             "sends SIGHUP to that process when options or servers change."},
    {.path = "/dnsmasq/lease_file",
     .type = Type::path,
     .fallback = "\"/var/lib/misc/dnsmasq.leases\"",
     .help = "The file with dnsmasq's leases, as its option dhcp-leasefile says. It is read where "
             "guard.validate_sources is on; OpenWrt's is /tmp/dhcp.leases."},
    {.path = "/dnsmasq/restart",
     .type = Type::list,
     .max = 16,
     .fallback = "[]",
     .help =
         "A program and its arguments that start dnsmasq anew, such as [\"systemctl\", "
         "\"restart\", \"dnsmasq\"]; it is run without a shell when dnsmasq runs "
         "without having read the fragment, and again after 20 s, doubling to every 10 min, for "
         "as long as it has not. With an empty list that is left to you, and "
         "`porchlight status` says so."},
    {.path = "/dnsmasq/restart/*",
     .type = Type::text,
     .help = "The program, then one argument each. Nothing in it is expanded."},
    {.path = "/dnsmasq/resolv_file",
     .type = Type::path,
     .fallback = "\"/etc/resolv.conf\"",
     .help = "The file whose nameservers dnsmasq asked before porchlight. They come back when "
             "porchlight goes, unless dnsmasq.on_exit is \"refuse\"."},
    {.path = "/dnsmasq/on_exit",
     .type = Type::choice,
     .choices = "former|refuse",
     .fallback = "\"former\"",
     .help = "What the home's old hosts get once porchlight is gone: answers from the former "
             "servers, in clear text, or with \"refuse\" a quick failure. The former keeps the "
             "home working, the latter keeps it private."},

    {.path = "/odhcpd",
     .fallback = "{}",
     .help = "How porchlight works with OpenWrt's odhcpd, where announce.dhcpv6 or announce.ra "
             "says so or finds it running. It keeps `list dnr` in the configuration `dhcp` and has "
             "odhcpd read that again."},
    {.path = "/odhcpd/uci",
     .type = Type::path,
     .fallback = "\"/sbin/uci\"",
     .help = "The program that changes OpenWrt's configuration. It is run without a shell; what "
             "you have staged for `dhcp` is neither seen nor committed."},
};

}  // namespace

std::span<const Setting> home_settings() {
    return table;
}

}  // namespace porchlight::agent::config
