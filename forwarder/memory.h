#pragma once

#include <cstdint>

#include "forwarder/settings.h"

namespace porchlight::forwarder {

// How much all strangers together can make this process hold. Connections are counted as they grow
// and shrink; questions and the cache are counted by number and by octet where they are kept.

/// What one thing costs in octets, OpenSSL's and nghttp2's part included, as measured.
namespace memory_cost {
inline constexpr std::uint32_t handshake = 46 << 10;  // a connection until that is done
inline constexpr std::uint32_t idle = 15 << 10;       // one over TLS from then on
inline constexpr std::uint32_t http2 = 23 << 10;      // more of it
inline constexpr std::uint32_t question = 5 << 10;    // that waits for its answer
}  // namespace memory_cost

/// Parts of Limits::memory_bytes_max. What is left is for transports that are not served yet.
struct MemoryShares {
    std::uint64_t connections = 0;
    std::uint64_t questions = 0;
    std::uint64_t cache = 0;
    bool operator==(const MemoryShares&) const = default;
};
MemoryShares shares_of(std::uint64_t memory_bytes);

/// For a machine with so many octets: 28 MiB of 128 MiB and less in proportion, 96 MiB of 512 MiB
/// and more, evenly in between.
std::uint64_t memory_for(std::uint64_t machine_bytes);

/// Makes of limits what memory allows, which where none was set is that of a machine of so many
/// octets. A cache whose size was set has it. One host has a quarter of the questions at most, one
/// prefix half.
void fit(Settings& settings, std::uint64_t machine_bytes);

}  // namespace porchlight::forwarder
