#pragma once

#include <cstdlib>

#include "core/bytes.h"
#include "core/writer.h"

namespace porchlight {

/// A property that must hold; its breach is what libFuzzer shall find.
inline void check(bool holds) {
    if (!holds) std::abort();
}

/// What was parsed, written and parsed again must be the same.
template <class Value, class Parse>
void check_round_trip(const Value& value, Parse parse) {
    Writer out;
    write(out, value);
    const Result<Buffer> octets = out.take();
    check(bool(octets));
    const auto again = parse(*octets);
    check(again && *again == value);
}

}  // namespace porchlight
