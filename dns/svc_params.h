#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/reader.h"
#include "core/writer.h"

namespace porchlight::dns {

/// Service parameters (RFC 9460 section 2.2, RFC 9461). What is absent on the wire is absent here.
struct SvcParams {
    std::vector<std::uint16_t> mandatory;   // key 0; empty: absent
    std::vector<std::string> alpn;          // key 1: "dot", "doq", "h2", "h3"; empty: absent
    bool no_default_alpn = false;           // key 2
    std::optional<std::uint16_t> port;      // key 3; applies to every protocol of the entry
    std::optional<std::string> dohpath;     // key 7, a relative URI template with variable `dns`
    std::map<std::uint16_t, Buffer> other;  // every other key, value as on the wire
    bool operator==(const SvcParams&) const = default;
};

}  // namespace porchlight::dns
