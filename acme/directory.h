#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace porchlight::acme {

/// What a CA offers and where (RFC 8555 section 7.1.1). Every URL that we use comes from here.
struct Directory {
    std::string new_nonce;
    std::string new_account;
    std::string new_order;
    std::string revoke_certificate;  // this and the next two may be empty
    std::string key_change;
    std::string renewal_info;
    std::string terms_of_service;  // a URL; empty: nothing to agree to
    std::string website;
    std::vector<std::string> caa_identities;
    std::vector<std::string> profiles;
    bool external_account_required = false;
};

/// Fails with `malformed` if one of the three needed URLs is missing or no https.
Result<Directory> parse_directory(std::string_view text);

}  // namespace porchlight::acme
