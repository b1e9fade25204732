#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discover_told.h"
#include "core/result.h"
#include "dns/name.h"

namespace porchlight::agent::discover {

/// A resolver that a host knows and trusts beforehand: "dns.example.net" alone, or every name below
/// a domain, "*.example.net" (draft-btw-add-home-11 section 7.1.3).
struct Preconfigured {
    dns::Name name;
    bool below = false;  // every name below `name`, at any depth; not `name` itself
};

/// Fails with `malformed` for anything else, such as a star that stands elsewhere.
Result<Preconfigured> parse_preconfigured(std::string_view text);

/// Whether the name is the one that is preconfigured, or one of those. The draft allows upgrades to
/// subdomains without saying how deep they lie; whoever holds a domain holds all that is below it.
bool covers(const Preconfigured& preconfigured, const dns::Name& name);

/// What a host with such a resolver makes of what is announced. An upgrade takes a name that it
/// covers and a certificate that proves that name.
struct Upgrade {
    bool upgrades = false;
    std::string sentence;
    std::vector<std::string> refused;  // names that are not covered, whoever proves them
};

Upgrade judge_upgrade(const Preconfigured& preconfigured, std::span<const Told> told);

}  // namespace porchlight::agent::discover
