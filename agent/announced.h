#pragma once

#include <vector>

#include "core/result.h"
#include "core/writer.h"
#include "ra/announced.h"

namespace porchlight::agent {

// What Router Advertisements tell on every link, as one file, so that whoever comes after a crash
// can take it back.

void write(Writer& out, const std::vector<ra::Announced>& links);
Result<std::vector<ra::Announced>> parse_announced_links(Bytes octets);

}  // namespace porchlight::agent
