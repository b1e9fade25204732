#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/result.h"
#include "dns/name.h"

namespace porchlight::acme {

/// What people and the plan want to know of a certificate.
struct Certificate {
    std::vector<std::string> names;    // DNS names of the SAN, wildcards too
    std::vector<IpAddress> addresses;  // of the SAN
    WallTime not_before{};
    WallTime not_after{};
    std::string subject;  // RFC 2253 form; often empty
    std::string issuer;
    std::string serial;  // lower-case hexadecimal
};

inline constexpr std::size_t chain_octets_max = 64 << 10;
inline constexpr std::size_t chain_certificates_max = 10;
/// A CA's clock may be this far ahead of ours: a certificate is not "not yet valid" for that.
inline constexpr std::chrono::seconds clock_skew_max{300};

/// Every certificate of a PEM chain, the leaf first. Fails with `malformed` if one doesn't parse,
/// there is none, or a limit is passed.
Result<std::vector<Certificate>> parse_chain(Bytes chain_pem);

/// Why a chain and a key are not fit to serve `names`, or nothing if they are: the key is the
/// leaf's, the leaf is good for every name, each certificate is signed by the next, and (unless
/// `dates_count` is false) all are valid at `wall`. Trust in the root is the hosts' business.
std::optional<std::string> check_pair(Bytes chain_pem, Bytes key_pem,
                                      const std::vector<dns::Name>& names, WallTime wall,
                                      bool dates_count);

/// The name of whoever issued the last certificate of a chain, where hosts may look for it in vain:
/// that one is not signed by itself, nor by one of `roots_pem`. Nothing where the chain is
/// complete. A home may trust roots that this machine does not know, so it is a remark, not a
/// verdict.
std::optional<std::string> missing_issuer(Bytes chain_pem, Bytes roots_pem);

/// The name of the last certificate of a chain, where that is signed by itself and none of
/// `roots_pem`: a chain is no proof of its own root. A remark, likewise.
std::optional<std::string> unknown_root(Bytes chain_pem, Bytes roots_pem);

}  // namespace porchlight::acme
