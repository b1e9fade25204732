#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "core/writer.h"
#include "ra/announced.h"

namespace porchlight::agent {

// What Router Advertisements tell on every link, as one file, so that whoever comes after a crash
// can take it back.

void write(Writer& out, const std::vector<ra::Announced>& links);
Result<std::vector<ra::Announced>> parse_announced_links(Bytes octets);

/// The prefixes that `link` tells of as a router, be it that they are gone, with lifetimes of 0 and
/// in order: the same set looks the same. What is stored of it outlives a power cut, in the form of
/// the above.
ra::NdOptions prefixes_of(const ra::Announced& link);

/// The links among `announced` that the home has. A process without privilege wrote the list, and
/// whoever withdraws by it has every privilege: it may not send where it pleases the list.
std::vector<ra::Announced> on_links_of(const std::vector<std::string>& lan,
                                       std::vector<ra::Announced> announced);

}  // namespace porchlight::agent
