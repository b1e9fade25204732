#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/reader.h"
#include "core/result.h"
#include "core/writer.h"
#include "dns/name.h"

namespace porchlight::acme {

/// A key that signs updates (RFC 8945).
struct TsigKey {
    dns::Name name;
    std::string algorithm = "hmac-sha256";  // or hmac-sha384, hmac-sha512
    Buffer secret;                          // octets, base64 undone
};

/// How dns-01 records get into the zone: by dynamic update (RFC 2136).
struct DnsUpdate {
    Endpoint server;
    dns::Name zone;
    TsigKey key;
    std::chrono::milliseconds propagation_wait{2000};  // before the CA is told to look
};

/// A resolver for our own look-ups (the names of CAs): DoT, authenticated by name.
struct Bootstrap {
    dns::Name adn;
    std::vector<Endpoint> addresses;
};

/// One certificate to be had. Goes to the provision role as octets.
struct Job {
    std::vector<std::string> directories;  // https URLs of CAs, tried in this order
    std::vector<std::string> contacts;     // "mailto:..."
    bool terms_agreed = false;
    std::vector<dns::Name> names;  // of the certificate; the first is the ADN
    DnsUpdate update;
    Buffer roots_pem;  // trust anchors for the CA's HTTPS
    std::vector<Bootstrap> resolvers;
    Buffer upstream_roots_pem;              // trust anchors for `resolvers`
    std::optional<Buffer> account_key_pem;  // none: make one
    std::string account_url;                // empty: ask the CA by the key
    std::string account_directory;          // whose account that is
    bool dates_count = true;                // false while the clock is not trusted
};

/// What the provision role hands back. Either `chain_pem` and `key_pem`, or `error`.
struct Outcome {
    std::string directory;   // the CA that answered
    Buffer account_key_pem;  // to be kept, also after a failure
    std::string account_url;
    Buffer chain_pem;
    Buffer key_pem;
    std::string error_code;  // stable and machine-readable: "dns-update.badkey", "acme.rateLimited"
    std::string error;       // for people
    std::chrono::seconds retry_after{0};  // what the CA asked for; 0: nothing
};

void write(Writer& out, const Bootstrap& bootstrap);
Bootstrap read_bootstrap(Reader& in);
void write(Writer& out, const Job& job);
Result<Job> parse_job(Bytes message);
void write(Writer& out, const Outcome& outcome);
Result<Outcome> parse_outcome(Bytes message);

}  // namespace porchlight::acme
