#pragma once

#include "generator.h"

namespace porchlight::bench {

/// Each says "ready" when it stands, waits for a line, works, and prints one JSON object.
void flood(const Options& options);
void handshakes(const Options& options);
void hold(const Options& options);
/// Says no "ready": it asks until it is answered, and prints when that was.
void first(const Options& options);

}  // namespace porchlight::bench
