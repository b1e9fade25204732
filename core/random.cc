#include "core/random.h"

#include <sys/random.h>

#include <cstdlib>
#include <cstring>

namespace porchlight {

std::uint64_t Random::below(std::uint64_t bound) {
    // Draws above the last whole multiple of `bound` would favour small values: draw again.
    const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    std::uint64_t value = 0;
    do {
        std::uint8_t octets[sizeof value];
        fill(octets);
        std::memcpy(&value, octets, sizeof value);
    } while (value >= limit);
    return value % bound;
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t got = getrandom(out.data(), out.size(), 0);
        // Without random octets nothing here is safe; the keeper starts us again.
        if (got <= 0) std::abort();
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
    for (std::uint8_t& octet : out) {
        state_ += 0x9e3779b97f4a7c15;  // SplitMix64: short, well distributed, no secret
        std::uint64_t mixed = state_;
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
        octet = static_cast<std::uint8_t>(mixed ^ mixed >> 31);
    }
}

}  // namespace porchlight
