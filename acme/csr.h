#pragma once

#include <vector>

#include "acme/key.h"
#include "dns/name.h"

namespace porchlight::acme {

/// A certificate signing request in DER (RFC 2986) for exactly these names, as subject alternative
/// names; the subject is empty (RFC 8555 section 7.4).
Result<Buffer> make_csr(const Key& key, const std::vector<dns::Name>& names);

}  // namespace porchlight::acme
