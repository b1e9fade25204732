#include "agent/config_table_parts.h"

// How names are resolved, and what is bounded.

namespace porchlight::agent::config {
namespace {

using namespace unit;

constexpr Setting table[] = {
    {.path = "/upstream",
     .type = Type::list,
     .max = 16,
     .fallback = "[]",
     .help = "The resolvers that this router asks, tried in this order. They are never asked in "
             "clear text. With an empty list and a wan it asks those that its provider offers, as "
             "learning.md says."},
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
    {.path = "/upstream/*/validates",
     .type = Type::boolean,
     .fallback = "false",
     .help = "Whether it is trusted to validate DNSSEC: then hosts that ask for it are told by the "
             "AD flag which answers it found authentic (RFC 6840 section 5.8). This router "
             "validates nothing by itself, so this is the upstream's word; of one that a WAN "
             "offered it never counts."},
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
    {.path = "/rebinding",
     .fallback = "{}",
     .help = "Answers from the Internet that lead into the home. With them a stranger's web page "
             "would reach devices here."},
    {.path = "/rebinding/block",
     .type = Type::boolean,
     .fallback = "true",
     .help = "Whether an answer with an address of the home, of this machine or of no host is "
             "replaced by an empty one, with the extended error Blocked. The home's own names are "
             "never touched."},
    {.path = "/rebinding/allow_domains",
     .type = Type::list,
     .max = 256,
     .fallback = "[]",
     .shorthand = true,
     .help = "Domains that may lead into the home, such as \"plex.direct\". dnsmasq is told them "
             "too, for its own stop-dns-rebind."},
    {.path = "/rebinding/allow_domains/*",
     .type = Type::domain,
     .help = "One domain, with all below it. The name that is asked for counts, not one that a "
             "CNAME leads to."},
    {.path = "/rebinding/allow_devices",
     .type = Type::list,
     .max = 64,
     .fallback = "[]",
     .help = "Devices of the home for which answers may lead into it, as for whoever develops a "
             "service here. It counts for what they ask over TLS or HTTPS; dnsmasq does not say "
             "for whom it asks."},
    {.path = "/rebinding/allow_devices/*",
     .help = "One device. Those with the same domains share their answers in the cache, and nobody "
             "else hears these."},
    {.path = "/rebinding/allow_devices/*/mac",
     .type = Type::hardware_address,
     .help = "Its hardware address on a link of the home, \"02:00:5e:10:00:01\"; or id. A device "
             "that changes it, as phones do from network to network, is no longer known by it."},
    {.path = "/rebinding/allow_devices/*/id",
     .type = Type::label,
     .help = "What it says itself, \"tablet\", in place of mac: by DNS over TLS or HTTPS at "
             "tablet.<resolver.adn>, a name that the certificate must cover, or by a path of "
             "DNS over HTTPS with it behind, /dns-query/tablet. It proves nothing, for any device "
             "may say it; and where it is said, no mac counts."},
    {.path = "/rebinding/allow_devices/*/domains",
     .type = Type::list,
     .min = 1,
     .max = 64,
     .shorthand = true,
     .help = "The domains that may lead into the home for it, beside allow_domains. Without them "
             "any may."},
    {.path = "/rebinding/allow_devices/*/domains/*",
     .type = Type::domain,
     .help = "One domain, with all below it. The name that is asked for counts, not one that a "
             "CNAME leads to."},
    {.path = "/rebinding/nat64_prefixes",
     .type = Type::list,
     .max = 16,
     .fallback = "[]",
     .shorthand = true,
     .help =
         "Prefixes behind which a NAT64 translator of this network reaches IPv4. 64:ff9b::/96 and "
         "64:ff9b:1::/48 are known without."},
    {.path = "/rebinding/nat64_prefixes/*",
     .type = Type::nat64_prefix,
     .help = "One prefix of 32, 40, 48, 56, 64 or 96 bits, \"2001:db8:64::/96\", whose bits 64 to "
             "71 are zero (RFC 6052 section 2.2). Without a length it has 96."},
    {.path = "/cache",
     .fallback = "{}",
     .help = "The answers that are kept in memory. Nothing of it is written to disk."},
    {.path = "/cache/size",
     .type = Type::size,
     .min = 256 * kib,
     .max = 2 * gib,
     .help = "How much memory answers may take, for all workers together; the least used make "
             "room. Without it 8 MiB, or on a small router what limits.memory has for them."},
    {.path = "/cache/ttl_min",
     .type = Type::seconds,
     .max = 1 * hour,
     .fallback = "\"0s\"",
     .help = "The shortest time to keep an answer, in whole seconds, whatever its owner says. More "
             "than \"0s\" spares questions and tells hosts what may be true no more."},
    {.path = "/cache/ttl_max",
     .type = Type::seconds,
     .min = 1000,
     .max = 7 * day,
     .fallback = "\"1d\"",
     .help = "The longest time to keep an answer, in whole seconds. Hosts are told no longer one "
             "either."},
    {.path = "/cache/negative_ttl_max",
     .type = Type::seconds,
     .max = 3 * hour,
     .fallback = "\"15min\"",
     .help = "The longest time to keep the answer that a name does not exist, in whole seconds. "
             "\"0s\" keeps none."},
    {.path = "/cache/stale_max",
     .type = Type::seconds,
     .max = 3 * day,
     .fallback = "\"1d\"",
     .help = "How long after its time an answer may still be given while no upstream answers (RFC "
             "8767), in whole seconds. \"0s\" gives none."},
    {.path = "/cache/stale_client_timer",
     .type = Type::duration,
     .max = 10 * second,
     .fallback = "\"1800ms\"",
     .help = "How long a host waits for a true answer before it is given a stale one. The true one "
             "is looked for on, for limits.query_max in all."},
    {.path = "/cache/stale_recheck",
     .type = Type::seconds,
     .min = 1000,
     .max = 1 * hour,
     .fallback = "\"30s\"",
     .help = "How long a stale answer is given at once after nobody answered, in whole seconds. "
             "Then it is asked again."},
    {.path = "/cache/stale_ttl",
     .type = Type::seconds,
     .min = 1000,
     .max = 5 * minute,
     .fallback = "\"30s\"",
     .help = "How long hosts may keep a stale answer, in whole seconds. RFC 8767 recommends 30 "
             "seconds."},
    {.path = "/cache/nxdomain_cut",
     .type = Type::boolean,
     .fallback = "false",
     .help = "Whether the answer that a name does not exist also counts for all names beneath it "
             "(RFC 8020). It spares questions, and breaks names whose servers say so wrongly; "
             "clients that ask for DNSSEC's proofs are not told so."},
    {.path = "/cache/failure_ttl",
     .type = Type::seconds,
     .min = 1000,
     .max = 5 * minute,
     .fallback = "\"5s\"",
     .help = "How long a name is not asked for again after its servers failed (RFC 9520), in whole "
             "seconds. It doubles with each further failure."},
    {.path = "/cache/failure_ttl_max",
     .type = Type::seconds,
     .min = 1000,
     .max = 5 * minute,
     .fallback = "\"5min\"",
     .help = "The longest it doubles to, in whole seconds. Where it is below failure_ttl, that "
             "counts."},
    {.path = "/query_log",
     .fallback = "{}",
     .help = "What is noted of the home's questions, for `porchlight queries`. It lies in memory "
             "alone, is never written to a file, and goes when the forwarder ends or another "
             "level is set."},
    {.path = "/query_log/level",
     .type = Type::choice,
     .choices = "off|counters|names|full",
     .fallback = "\"off\"",
     .help = "How much. \"counters\" counts types and outcomes, \"names\" keeps what was asked but "
             "not by whom, and \"full\" also a pseudonym of whoever asked, which is another one "
             "each day, and his network, a /24 or /56."},
    {.path = "/query_log/size",
     .type = Type::size,
     .min = 16 * kib,
     .max = 256 * mib,
     .help = "How much memory names may take, for all workers together; then the oldest go, and "
             "one takes about 60 octets. Without it 1 MiB, or on a small router what limits.memory "
             "has for them."},
    {.path = "/query_log/kept_for",
     .type = Type::seconds,
     .min = 1 * minute,
     .max = 7 * day,
     .fallback = "\"1d\"",
     .help = "How long a question is kept, in whole seconds. Shorter is more private."},
    {.path = "/limits",
     .fallback = "{}",
     .help = "Bounds on everything that somebody in the home can drive. `porchlight status` counts "
             "how often each was met."},
    {.path = "/limits/memory",
     .type = Type::size,
     .min = 4 * mib,
     .max = 1024 * gib,
     .help =
         "What hosts can make the forwarder hold: ten parts of 28 for their connections, two "
         "for questions that wait, eight for the cache and one for the query log where their "
         "sizes are not set, five for what is counted of each host, two for what failed lately. "
         "Without it 28 MiB on a router with 128 MiB, 96 MiB with 512 MiB and more, and in "
         "proportion."},
    {.path = "/limits/connections_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "3000",
     .help =
         "TLS connections open at once. Beyond it the least recently active one of whoever has "
         "most is closed for one of a lighter client; without such the next is closed at once."},
    {.path = "/limits/connections_per_client_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "32",
     .help =
         "TLS connections of one host, by however many addresses. One host can't take them all."},
    {.path = "/limits/in_flight_per_connection_max",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "64",
     .help = "Questions of one connection that wait for an answer. At the limit the connection is "
             "not read until one is answered (RFC 7766 section 7)."},
    {.path = "/limits/streams_per_connection_max",
     .type = Type::integer,
     .min = 1,
     .max = 65535,
     .fallback = "100",
     .help =
         "Requests that one connection of DNS over HTTPS may have open at once. A client that is "
         "told so and opens more is let go (RFC 9113 section 5.1.2)."},
    {.path = "/limits/hpack_table",
     .type = Type::size,
     .max = 4 * kib,
     .fallback = "\"0B\"",
     .help = "What one connection over HTTP/2 may keep of fields that were said before, each way "
             "(RFC 7541 section 4). \"4KiB\" spares clients octets and the processor work, and "
             "takes twice as much memory a connection."},
    {.path = "/limits/in_flight_max",
     .type = Type::integer,
     .min = 1,
     .max = 10000000,
     .fallback = "10000",
     .help = "Questions of all clients that wait for an answer. Beyond it the next is refused."},
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
     .help =
         "Queries a second that one host may ask for long. Beyond it, and beyond the burst, its "
         "queries are refused."},
    {.path = "/limits/queries_per_client_burst",
     .type = Type::integer,
     .min = 1,
     .max = 10000000,
     .fallback = "1000",
     .help = "Queries that one host may ask at once after a quiet time. Opening a web page takes "
             "dozens."},
    {.path = "/limits/connections_per_prefix_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "256",
     .help = "TLS connections of all who come from one /24 or /56 by another router. Hosts that "
             "are on a link of the home themselves don't count for it."},
    {.path = "/limits/full_handshakes_per_client_second",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "5",
     .help = "TLS handshakes a second of one host that cost a signature, for long. Beyond it, and "
             "beyond the burst, the connection is closed before anything is computed for it."},
    {.path = "/limits/full_handshakes_per_client_burst",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "20",
     .help = "Such handshakes of one host at once after a quiet time. A device that wakes up opens "
             "several connections."},
    {.path = "/limits/full_handshakes_per_prefix_second",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "50",
     .help = "Such handshakes a second of all who come from one /24 or /56 by another router. "
             "Beyond it, and beyond a burst in proportion to a host's, the connection is closed."},
    {.path = "/limits/resumed_handshakes_per_client_second",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "20",
     .help = "TLS handshakes a second of one host that shows a ticket of an earlier one, for long. "
             "Tickets that are not good are paid for as full handshakes."},
    {.path = "/limits/resumed_handshakes_per_client_burst",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "50",
     .help = "Such handshakes of one host at once after a quiet time. They cost a fraction of a "
             "full one."},
    {.path = "/limits/resumed_handshakes_per_prefix_second",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "200",
     .help = "Such handshakes a second of all who come from one /24 or /56 by another router. "
             "Beyond it, and beyond a burst in proportion to a host's, the connection is closed."},
    {.path = "/limits/unfinished_per_client_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "8",
     .help = "TLS handshakes of one host that are not done. One that failed counts until it would "
             "have been closed for silence."},
    {.path = "/limits/unfinished_per_prefix_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "64",
     .help = "TLS handshakes that are not done of all who come from one /24 or /56 by another "
             "router. Beyond it the next connection is closed at once."},
    {.path = "/limits/unfinished_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "512",
     .help = "TLS handshakes that are not done, of all clients. Beyond it the next connection is "
             "closed at once."},
    {.path = "/limits/handshake_cpu_share",
     .type = Type::integer,
     .min = 5,
     .max = 6400,
     .fallback = "50",
     .help = "What TLS handshakes may compute, in percent of one processor core, for all workers "
             "together. Beyond it they wait, client by client in turns, and whoever is connected "
             "is served meanwhile; 100 for each worker bounds nothing."},
    {.path = "/limits/handshake_cpu_burst",
     .type = Type::duration,
     .min = 100,
     .max = 1 * minute,
     .fallback = "\"2s\"",
     .help = "How long they may compute beyond their share at once after a quiet time. When the "
             "power comes back every device of the home opens its connections."},
    {.path = "/limits/queries_per_prefix_second",
     .type = Type::integer,
     .min = 1,
     .max = 10000000,
     .fallback = "2000",
     .help = "Queries a second of all who come from one /24 or /56 by another router. Beyond it, "
             "and beyond a burst in proportion to a host's, its queries are refused."},
    {.path = "/limits/do53_queries_per_second",
     .type = Type::integer,
     .min = 1,
     .max = 10000000,
     .fallback = "2000",
     .help = "Plain queries a second on loopback, for long, by UDP and as many by TCP: dnsmasq's, "
             "for all who ask it, so ten hosts' share. Beyond it, and beyond the burst, as many "
             "datagrams again are told to come by TCP and the rest is dropped, and who asks by "
             "TCP is refused."},
    {.path = "/limits/do53_queries_burst",
     .type = Type::integer,
     .min = 1,
     .max = 10000000,
     .fallback = "10000",
     .help = "Such queries at once after a quiet time. When the power comes back all of the home "
             "asks."},
    {.path = "/limits/in_flight_per_client_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "256",
     .help = "Questions of one host that wait for an answer. Beyond it the next is refused."},
    {.path = "/limits/in_flight_per_prefix_max",
     .type = Type::integer,
     .min = 1,
     .max = 1000000,
     .fallback = "1024",
     .help = "Questions that wait for an answer of all who come from one /24 or /56 by another "
             "router. Beyond it the next is refused."},
    {.path = "/limits/output_max",
     .type = Type::size,
     .min = 4 * kib,
     .max = 16 * mib,
     .fallback = "\"64KiB\"",
     .help = "Answers that one connection may leave unread. At the limit the connection is not "
             "read until the client reads."},
    {.path = "/limits/doh_bodies_max",
     .type = Type::size,
     .min = 64 * kib,
     .max = 16 * mib,
     .fallback = "\"256KiB\"",
     .help =
         "What requests of one connection of DNS over HTTPS that are not answered yet may hold. "
         "The next gets 503."},
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
    {.path = "/limits/doh_idle_max",
     .type = Type::duration,
     .min = 100,
     .max = 1 * hour,
     .fallback = "\"1min\"",
     .help = "How long a connection of DNS over HTTPS may be without a query. Then it is closed."},
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
    {.path = "/limits/leaving_max",
     .type = Type::duration,
     .min = 100,
     .max = 1500,
     .fallback = "\"1s\"",
     .help = "How long a connection that this side ends, for want of questions or because its "
             "service ends, stays open for what is still to be answered. Then it is closed."},
    {.path = "/limits/ticket_lifetime",
     .type = Type::seconds,
     .min = 1 * minute,
     .max = 1 * day,
     .fallback = "\"12h\"",
     .help =
         "How long a host may take up its last TLS session again by a ticket, in whole seconds. "
         "Then it shakes hands in full."},
    {.path = "/limits/ticket_rotation",
     .type = Type::seconds,
     .min = 1 * minute,
     .max = 1 * day,
     .fallback = "\"12h\"",
     .help = "How often the key changes that seals such tickets, in whole seconds. The four before "
             "it still open them (RFC 9325 section 3.4)."},
};

}  // namespace

std::span<const Setting> resolving_settings() {
    return table;
}

}  // namespace porchlight::agent::config
