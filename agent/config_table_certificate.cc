#include "agent/config_table_parts.h"

// The certificate, and whom TLS trusts.

namespace porchlight::agent::config {
namespace {

using namespace unit;

constexpr Setting table[] = {
    {.path = "/certificate",
     .fallback = "{}",
     .help = "Where this router's certificate comes from: files or acme, not both. Mode "
             "\"forwarder\" needs one of them."},
    {.path = "/certificate/files",
     .help = "A certificate that somebody else keeps fresh. porchlight reads it at the start, at "
             "each reload, and by itself within ten seconds of a change of its files. One that is "
             "expired or not valid yet takes no good one's place, which is served until there is a "
             "better one; at a start it is served all the same, but no host is told of it."},
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
};

}  // namespace

std::span<const Setting> certificate_settings() {
    return table;
}

}  // namespace porchlight::agent::config
