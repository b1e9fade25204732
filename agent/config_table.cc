#include "agent/config_table.h"

#include <algorithm>

#include "agent/table_text.h"

namespace porchlight::agent::config {
namespace {

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
constexpr std::int64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

constexpr Setting table[] = {
    {.path = "",
     .fallback = "{}",
     .help = "The whole configuration: one JSON object. Every key below is optional unless it says "
             "otherwise."},
    {.path = "/mode",
     .type = Type::choice,
     .choices = "auto|forwarder|static|off",
     .fallback = "\"auto\"",
     .help = "Which resolvers hosts are told of: this router (\"forwarder\"), those of "
             "announce.resolvers (\"static\"), or none (\"off\"). \"auto\" means \"forwarder\" "
             "where resolver is given, else \"static\" where announce.resolvers is, else \"off\"."},

    {.path = "/lan",
     .type = Type::list,
     .max = 32,
     .fallback = "[]",
     .help = "The interfaces of the home, each with hosts of its own. Hosts are told of resolvers "
             "on these alone, and encrypted DNS is served on these alone."},
    {.path = "/lan/*", .help = "One interface of the home. The same one can't stand here twice."},
    {.path = "/lan/*/interface",
     .type = Type::interface,
     .missing = "the name of an interface, such as \"br-lan\"",
     .help = "The interface's name, as `ip link` prints it. It need not exist yet: porchlight "
             "waits for it."},

    {.path = "/wan",
     .type = Type::list,
     .max = 8,
     .fallback = "[]",
     .help = "The interfaces toward the Internet. Nothing is announced or served on them, and none "
             "of them may stand in lan too."},
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

    {.path = "/announce",
     .fallback = "{}",
     .help = "How hosts learn of resolvers. By default every carrier tells them."},
    {.path = "/announce/formats",
     .type = Type::list,
     .min = 1,
     .max = 1,
     .fallback = "[\"rfc9463\"]",
     .shorthand = true,
     .help = "The forms of the DHCP and Router Advertisement options. \"rfc9463\" is what hosts of "
             "today understand: DHCPv4 option 162, DHCPv6 option 144, Neighbor Discovery option "
             "144."},
    {.path = "/announce/formats/*",
     .type = Type::choice,
     .choices = "rfc9463",
     .help = "One form. Its hosts are those that implement that document."},
    {.path = "/announce/dhcpv4",
     .type = Type::choice,
     .choices = "dnsmasq|off",
     .fallback = "\"dnsmasq\"",
     .help = "Who puts the option into DHCPv4. With \"off\" no DHCPv4 client is told."},
    {.path = "/announce/dhcpv6",
     .type = Type::choice,
     .choices = "dnsmasq|off",
     .fallback = "\"dnsmasq\"",
     .help = "Who puts the option into DHCPv6. With \"off\" no DHCPv6 client is told."},
    {.path = "/announce/ra",
     .type = Type::choice,
     .choices = "supplement|off",
     .fallback = "\"supplement\"",
     .help = "\"supplement\" sends Router Advertisements of our own beside those of the daemon "
             "that runs already, with its header and our option. With \"off\" none is sent."},
    {.path = "/announce/ra_interval",
     .type = Type::seconds,
     .min = 4 * second,
     .max = 1800 * second,
     .fallback = "\"10min\"",
     .help = "The longest time between two unsolicited Router Advertisements (MaxRtrAdvInterval, "
             "RFC 4861 section 6.2.1). The shortest is a third of it; hosts forget an option after "
             "three times of it."},
    {.path = "/announce/resolvers",
     .type = Type::list,
     .max = 16,
     .fallback = "[]",
     .help = "Resolvers outside this home that hosts are told of in mode \"static\". This router "
             "then needs neither resolver nor certificate nor upstream."},
    {.path = "/announce/resolvers/*",
     .help = "One resolver, as hosts learn it. With adn alone hosts look up the rest themselves "
             "(RFC 9463 section 3.1.6)."},
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
    {.path = "/announce/resolvers/*/alpn",
     .type = Type::list,
     .max = 4,
     .fallback = "[]",
     .shorthand = true,
     .help = "The protocols that the resolver speaks. Needed wherever addresses are given."},
    {.path = "/announce/resolvers/*/alpn/*",
     .type = Type::choice,
     .choices = "dot|doq|h2|h3",
     .help = "One protocol by its ALPN name. \"h2\" and \"h3\" mean DNS over HTTPS and need "
             "dohpath."},
    {.path = "/announce/resolvers/*/port",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .help = "The port of every protocol of this entry. Without it hosts use each protocol's own, "
             "853 or 443."},
    {.path = "/announce/resolvers/*/dohpath",
     .type = Type::text,
     .help = "The path of DNS over HTTPS, a URI template with the variable dns (RFC 9461 section "
             "5), such as \"/dns-query{?dns}\". It has no effect unless alpn has \"h2\" or "
             "\"h3\"."},
    {.path = "/announce/resolvers/*/priority",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "1",
     .help = "The Service Priority: hosts try the smaller first. Where a carrier has no room for "
             "all, the larger are left out."},

    {.path = "/upstream",
     .type = Type::list,
     .max = 16,
     .fallback = "[]",
     .help = "The resolvers that this router asks, tried in this order. They are never asked in "
             "clear text."},
    {.path = "/upstream/*",
     .help = "One resolver. It comes back into use a minute after it works again."},
    {.path = "/upstream/*/protocol",
     .type = Type::choice,
     .choices = "dot",
     .fallback = "\"dot\"",
     .help = "How it is asked. \"dot\" is DNS over TLS."},
    {.path = "/upstream/*/adn",
     .type = Type::host,
     .missing = "a strict upstream needs the name on its certificate",
     .help = "The name on its certificate. A server that can't prove this name gets no question."},
    {.path = "/upstream/*/addresses",
     .type = Type::list,
     .min = 1,
     .max = 8,
     .missing = "where the upstream is reached",
     .shorthand = true,
     .help = "Its IPv4 and IPv6 addresses, tried in this order. Names are not looked up, because "
             "this router is who would look them up."},
    {.path = "/upstream/*/addresses/*",
     .type = Type::address,
     .help = "One address. Link-local, multicast and unspecified addresses are refused."},
    {.path = "/upstream/*/port",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "853",
     .help = "The TCP port at all its addresses. 853 is the one assigned to DNS over TLS."},
    {.path = "/upstream/*/profile",
     .type = Type::choice,
     .choices = "strict",
     .fallback = "\"strict\"",
     .help = "How much is trusted. \"strict\" asks only a server whose certificate chain and name "
             "hold (RFC 8310 section 5)."},

    {.path = "/do53",
     .fallback = "{}",
     .help = "Plain DNS for dnsmasq, which serves the home's old hosts. It is open to this machine "
             "alone."},
    {.path = "/do53/addresses",
     .type = Type::list,
     .max = 4,
     .fallback = "[\"127.0.0.1\", \"::1\"]",
     .shorthand = true,
     .help = "The loopback addresses that plain DNS listens on. An empty list serves none."},
    {.path = "/do53/addresses/*",
     .type = Type::loopback,
     .help = "One address. Queries from other machines are refused."},
    {.path = "/do53/port",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "5453",
     .help = "The UDP and TCP port there. It must differ from dnsmasq's, which is local.server."},

    {.path = "/local",
     .fallback = "{}",
     .help = "Who answers for the home's own names. They never leave the home."},
    {.path = "/local/server",
     .type = Type::endpoint,
     .choices = "off",
     .fallback = "\"127.0.0.1:53\"",
     .help = "Address and port of the plain DNS server that knows them: dnsmasq. With \"off\" "
             "nobody does and they don't exist; without a port 53 counts."},
    {.path = "/local/domains",
     .type = Type::list,
     .max = 64,
     .fallback = "[\"lan\"]",
     .shorthand = true,
     .help = "Domains whose names are the home's own. Names of one label and the reverse zones of "
             "private addresses are always among them."},
    {.path = "/local/domains/*",
     .type = Type::domain,
     .help = "One domain. Everything below it is the home's own."},

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
    {.path = "/dnsmasq/restart",
     .type = Type::list,
     .max = 16,
     .fallback = "[]",
     .help = "A program and its arguments that start dnsmasq anew, such as [\"systemctl\", "
             "\"restart\", \"dnsmasq\"]; it is run without a shell, once, when dnsmasq runs "
             "without having read the fragment. With an empty list that is left to you, and "
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

    {.path = "/certificate",
     .fallback = "{}",
     .help = "Where this router's certificate comes from: files or acme, not both. Mode "
             "\"forwarder\" needs one of them."},
    {.path = "/certificate/files",
     .help = "A certificate that somebody else keeps fresh. porchlight reads it at start and at "
             "each reload."},
    {.path = "/certificate/files/chain",
     .type = Type::path,
     .missing = "the PEM file with the certificate chain",
     .help = "A PEM file with the certificate for resolver.adn and the intermediate ones behind "
             "it. The leaf stands first."},
    {.path = "/certificate/files/key",
     .type = Type::path,
     .missing = "the PEM file with the private key",
     .help = "A PEM file with its private key, without a passphrase. Nobody else should be able to "
             "read it."},
    {.path = "/certificate/acme",
     .help = "A certificate that porchlight obtains and renews itself (RFC 8555). Renewal begins "
             "when a third of its life is left."},
    {.path = "/certificate/acme/directory",
     .type = Type::list,
     .min = 1,
     .max = 4,
     .missing = "the directory URL of a CA, such as "
                "\"https://acme-v02.api.letsencrypt.org/directory\"",
     .shorthand = true,
     .help = "The directory URLs of CAs, tried in this order. The next is asked when one does not "
             "answer or refuses."},
    {.path = "/certificate/acme/directory/*",
     .type = Type::url,
     .help = "One CA's directory. Its own certificate must chain to certificate.acme.roots."},
    {.path = "/certificate/acme/contact",
     .type = Type::list,
     .max = 4,
     .fallback = "[]",
     .shorthand = true,
     .help = "Where the CA may write to about the account. Many CAs need none."},
    {.path = "/certificate/acme/contact/*",
     .type = Type::contact,
     .help = "One address, such as \"mailto:admin@example.net\". The CA keeps it."},
    {.path = "/certificate/acme/agree_to_terms",
     .type = Type::boolean,
     .fallback = "false",
     .help = "Whether you have read the CA's terms of service and agree. A CA that has terms gives "
             "no certificate without."},
    {.path = "/certificate/acme/roots",
     .type = Type::path,
     .fallback = "/tls/roots",
     .help = "A PEM file with the roots that the CA's own HTTPS must chain to. Without it "
             "tls.roots counts."},
    {.path = "/certificate/acme/challenge",
     .missing = "how the CA is shown that the name is yours",
     .help = "How the CA is shown that resolver.adn is yours. There is one way, dns-01, which "
             "needs no open port."},
    {.path = "/certificate/acme/challenge/dns-01",
     .missing = "the challenge that porchlight can meet",
     .help = "A TXT record at _acme-challenge.<resolver.adn> for as long as the CA looks (RFC 8555 "
             "section 8.4). It is taken away afterwards."},
    {.path = "/certificate/acme/challenge/dns-01/rfc2136",
     .missing = "how records get into the zone",
     .help = "Puts the record in by dynamic update (RFC 2136) over TCP. BIND, Knot, PowerDNS and "
             "many hosters accept them."},
    {.path = "/certificate/acme/challenge/dns-01/rfc2136/server",
     .type = Type::address,
     .missing = "the address of the zone's primary server",
     .help = "The address of the zone's primary server. A name would have to be looked up first, "
             "so it is not accepted."},
    {.path = "/certificate/acme/challenge/dns-01/rfc2136/port",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "53",
     .help = "The TCP port there. 53 is what DNS servers use."},
    {.path = "/certificate/acme/challenge/dns-01/rfc2136/zone",
     .type = Type::domain,
     .missing = "the zone that is updated, such as \"example.net\"",
     .help = "The zone that holds the record. resolver.adn must lie in it."},
    {.path = "/certificate/acme/challenge/dns-01/rfc2136/tsig",
     .missing = "updates are signed",
     .help = "The key that signs updates (RFC 8945). It should be allowed this one TXT record and "
             "nothing more."},
    {.path = "/certificate/acme/challenge/dns-01/rfc2136/tsig/name",
     .type = Type::domain,
     .missing = "the key's name, as the server knows it",
     .help = "The key's name, exactly as the server knows it. It is part of the signature."},
    {.path = "/certificate/acme/challenge/dns-01/rfc2136/tsig/algorithm",
     .type = Type::choice,
     .choices = "hmac-sha256|hmac-sha384|hmac-sha512",
     .fallback = "\"hmac-sha256\"",
     .help = "The key's algorithm. The server must have it under the same one."},
    {.path = "/certificate/acme/challenge/dns-01/rfc2136/tsig/secret",
     .type = Type::secret,
     .missing = "{\"file\": path} of the file with the key",
     .help = "The key itself, by the file that holds it. It can't stand in the configuration, "
             "which is printed and copied around."},
    {.path = "/certificate/acme/challenge/dns-01/rfc2136/tsig/secret/file",
     .type = Type::path,
     .missing = "the path of the file with the key in base64",
     .help = "A file with the key in base64 and nothing else. Nobody but root should be able to "
             "read it."},
    {.path = "/certificate/acme/challenge/dns-01/propagation_wait",
     .type = Type::duration,
     .max = 1 * hour,
     .fallback = "\"2s\"",
     .help = "How long to wait after the update before the CA is told to look. Longer where "
             "secondary servers are slow to follow."},

    {.path = "/tls", .fallback = "{}", .help = "Whom TLS connections of our own trust. One file."},
    {.path = "/tls/roots",
     .type = Type::path,
     .fallback = "\"/etc/ssl/certs/ca-certificates.crt\"",
     .help = "A PEM file with the root certificates that upstreams must chain to. The default is "
             "the public ones of Debian and OpenWrt."},

    {.path = "/cache",
     .fallback = "{}",
     .help = "The answers that are kept in memory. Nothing of it is written to disk."},
    {.path = "/cache/size",
     .type = Type::size,
     .min = 256 * kib,
     .max = 4 * gib,
     .fallback = "\"8MiB\"",
     .help = "How much memory answers may take, for all workers together. The least used make "
             "room."},
    {.path = "/cache/negative_ttl_max",
     .type = Type::seconds,
     .max = 1 * day,
     .fallback = "\"15min\"",
     .help = "The longest time to keep the answer that a name does not exist, in whole seconds. "
             "\"0s\" keeps none."},
    {.path = "/cache/stale_max",
     .type = Type::seconds,
     .max = 7 * day,
     .fallback = "\"1d\"",
     .help = "How long after its time an answer may still be given while no upstream answers (RFC "
             "8767), in whole seconds. \"0s\" gives none."},

    {.path = "/workers",
     .type = Type::integer,
     .min = 1,
     .max = 64,
     .fallback = "1",
     .help = "The number of threads that serve DNS; one for each processor core is the most that "
             "helps. It changes only by a restart."},

    {.path = "/limits",
     .fallback = "{}",
     .help = "Bounds on everything that somebody in the home can drive. `porchlight status` counts "
             "how often each was met."},
    {.path = "/limits/connections_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "600",
     .help = "TLS connections open at once. Beyond it the next is closed at once."},
    {.path = "/limits/connections_per_client_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "32",
     .help = "TLS connections of one client address. One host can't take them all."},
    {.path = "/limits/in_flight_per_connection_max",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "64",
     .help = "Questions of one connection that wait for an answer. At the limit the connection is "
             "not read until one is answered (RFC 7766 section 7)."},
    {.path = "/limits/in_flight_max",
     .type = Type::integer,
     .min = 1,
     .max = 10000000,
     .fallback = "10000",
     .help = "Questions of all clients that wait for an upstream. Beyond it the next gets "
             "SERVFAIL."},
    {.path = "/limits/waiters_per_question_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "1000",
     .help = "Clients that wait for the answer to the same question. Beyond it the next gets "
             "SERVFAIL."},
    {.path = "/limits/queries_per_client_second",
     .type = Type::integer,
     .min = 1,
     .max = 10000000,
     .fallback = "200",
     .help = "Queries a second that one client address may ask for long. Beyond it, and beyond the "
             "burst, its queries are refused."},
    {.path = "/limits/queries_per_client_burst",
     .type = Type::integer,
     .min = 1,
     .max = 10000000,
     .fallback = "1000",
     .help = "Queries that one client address may ask at once after a quiet time. Opening a web "
             "page takes dozens."},
    {.path = "/limits/output_max",
     .type = Type::size,
     .min = 4 * kib,
     .max = 16 * mib,
     .fallback = "\"64KiB\"",
     .help = "Answers that one connection may leave unread. At the limit the connection is not "
             "read until the client reads."},
    {.path = "/limits/handshake_max",
     .type = Type::duration,
     .min = 100,
     .max = 10 * minute,
     .fallback = "\"10s\"",
     .help = "How long a TLS handshake may take. Then the connection is closed."},
    {.path = "/limits/frame_max",
     .type = Type::duration,
     .min = 100,
     .max = 10 * minute,
     .fallback = "\"5s\"",
     .help = "How long one query may take from its first octet to its last. Then the connection is "
             "closed."},
    {.path = "/limits/idle_max",
     .type = Type::duration,
     .min = 100,
     .max = 1 * hour,
     .fallback = "\"30s\"",
     .help = "How long a connection may be without a query. Clients that ask are told it (RFC "
             "7828)."},
    {.path = "/limits/stalled_max",
     .type = Type::duration,
     .min = 100,
     .max = 10 * minute,
     .fallback = "\"10s\"",
     .help = "How long a client may read nothing while answers wait for it. Then the connection is "
             "closed."},
    {.path = "/limits/query_max",
     .type = Type::duration,
     .min = 100,
     .max = 1 * minute,
     .fallback = "\"10s\"",
     .help = "How long an answer is looked for. Then the client gets SERVFAIL."},

    {.path = "/log",
     .fallback = "{}",
     .help = "What is said, and where. Keys, tokens and passwords never are."},
    {.path = "/log/level",
     .type = Type::choice,
     .choices = "error|warn|info|debug",
     .fallback = "\"info\"",
     .help = "The least important line that is written. Names that hosts ask for and their "
             "addresses appear at \"debug\" alone."},
    {.path = "/log/target",
     .type = Type::choice,
     .choices = "stderr|syslog",
     .fallback = "\"stderr\"",
     .help = "Where lines go: standard error, with the priority in front unless it is a terminal, "
             "or syslog. A service manager wants the former."},

    {.path = "/users",
     .fallback = "{}",
     .help = "Who the processes that talk to the network run as. Without root they run as who "
             "started them."},
    {.path = "/users/agent",
     .type = Type::user,
     .fallback = "\"porchlight\"",
     .help = "The user, by name or number, of the process that plans, announces and obtains "
             "certificates. It should own nothing else."},
    {.path = "/users/forwarder",
     .type = Type::user,
     .fallback = "\"porchlight-dns\"",
     .help = "The user, by name or number, of the process that serves DNS. It should own nothing "
             "at all."},

    {.path = "/state_directory",
     .type = Type::path,
     .fallback = "\"/var/lib/porchlight\"",
     .help = "The directory for what must outlive a restart: certificates, the ACME account, what "
             "was announced. It is made where it is missing, for root alone."},
    {.path = "/runtime_directory",
     .type = Type::path,
     .fallback = "\"/run/porchlight\"",
     .help = "The directory, in memory, for the control socket and the files that dnsmasq reads. "
             "It is made where it is missing."},
};

}  // namespace

std::span<const Setting> settings() {
    return table;
}

const Setting* find_setting(std::string_view path) {
    const auto* found = std::find_if(std::begin(table), std::end(table),
                                     [&](const Setting& setting) { return setting.path == path; });
    return found == std::end(table) ? nullptr : found;
}

std::vector<const Setting*> members_of(std::string_view path) {
    std::vector<const Setting*> members;
    for (const Setting& setting : table) {
        if (setting.path.size() <= path.size() || !setting.path.starts_with(path)) continue;
        const std::string_view rest = setting.path.substr(path.size());
        if (rest.front() == '/' && rest.rfind('/') == 0 && rest != "/*")
            members.push_back(&setting);
    }
    return members;
}

std::string_view name_of(const Setting& setting) {
    return setting.path.substr(setting.path.rfind('/') + 1);
}

std::vector<std::string_view> words_of(const Setting& setting) {
    return alternatives(setting.choices);
}

}  // namespace porchlight::agent::config
