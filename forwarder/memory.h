#pragma once

#include <cstdint>

#include "forwarder/settings.h"

namespace porchlight::forwarder {

// How much all strangers together can make this process hold. Connections are counted as they grow
// and shrink; what else there is is counted by number, or by octet, where it is kept. What is not
// here grows with the number of connections, and is counted as a part of them, or is no stranger's:
// the kernel's neighbours, and buffers that each worker has one of.

/// What one thing costs in octets, OpenSSL's and nghttp2's part included, as measured.
namespace memory_cost {
inline constexpr std::uint32_t handshake = 46 << 10;  // a connection until that is done
inline constexpr std::uint32_t idle = 15 << 10;       // one over TLS from then on
inline constexpr std::uint32_t http2 = 23 << 10;      // more of it
inline constexpr std::uint32_t question = 5 << 10;    // that waits for its answer
inline constexpr std::uint32_t tally = 288;           // of one host, address or prefix
inline constexpr std::uint32_t failure = 512;  // of one question, of the longest name and host
}  // namespace memory_cost

/// Parts of Limits::memory_bytes_max, together no more than that.
struct MemoryShares {
    std::uint64_t connections = 0;
    std::uint64_t questions = 0;
    std::uint64_t cache = 0;
    std::uint64_t tallies = 0;   // what is counted of each host, see Tallies
    std::uint64_t failures = 0;  // see RecentFailures
    std::uint64_t query_log = 0;
    bool operator==(const MemoryShares&) const = default;
};
MemoryShares shares_of(std::uint64_t memory_bytes);

/// How many of each its share has room for, one at least, and no more than anybody needs: 16384 and
/// 4096, which 28 MiB have room for.
std::size_t tallies_max(std::uint64_t memory_bytes);
std::size_t failures_max(std::uint64_t memory_bytes);

/// For a machine with so many octets: 28 MiB of 128 MiB and less in proportion, 96 MiB of 512 MiB
/// and more, evenly in between.
std::uint64_t memory_for(std::uint64_t machine_bytes);

/// Makes of limits what memory allows, which where none was set is that of a machine of so many
/// octets. A cache or a query log whose size was set has it. One host has a quarter of the
/// questions at most, one prefix half.
void fit(Settings& settings, std::uint64_t machine_bytes);

}  // namespace porchlight::forwarder
