#include "forwarder/memory.h"

#include <algorithm>

namespace porchlight::forwarder {
namespace {

constexpr std::uint64_t mib = 1 << 20;
// Of a small router and of a large one.
constexpr std::uint64_t small_machine = 128 * mib, small_memory = 28 * mib;
constexpr std::uint64_t large_machine = 512 * mib, large_memory = 96 * mib;

constexpr std::uint64_t cache_usual = 8 * mib;

constexpr std::uint64_t query_log_usual = mib;
constexpr std::size_t tallies_usual = 16384, failures_usual = 4096;

constexpr std::uint64_t parts = 28, connection_parts = 10, question_parts = 2, cache_parts = 8,
                        tally_parts = 5, failure_parts = 2, query_log_parts = 1;
static_assert(connection_parts + question_parts + cache_parts + tally_parts + failure_parts +
                  query_log_parts <=
              parts);

/// Without a product that 64 bits can't hold.
std::uint64_t part_of(std::uint64_t whole, std::uint64_t count) {
    return whole / parts * count;
}

std::size_t number_of(std::uint64_t share, std::uint32_t cost, std::size_t usual) {
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(share / cost, 1, usual));
}

/// One is always left.
void bound(std::uint32_t& limit, std::uint64_t most) {
    if (limit > most) limit = static_cast<std::uint32_t>(std::max<std::uint64_t>(most, 1));
}

}  // namespace

MemoryShares shares_of(std::uint64_t memory_bytes) {
    return {part_of(memory_bytes, connection_parts), part_of(memory_bytes, question_parts),
            part_of(memory_bytes, cache_parts),      part_of(memory_bytes, tally_parts),
            part_of(memory_bytes, failure_parts),    part_of(memory_bytes, query_log_parts)};
}

std::size_t tallies_max(std::uint64_t memory_bytes) {
    return number_of(shares_of(memory_bytes).tallies, memory_cost::tally, tallies_usual);
}

std::size_t failures_max(std::uint64_t memory_bytes) {
    return number_of(shares_of(memory_bytes).failures, memory_cost::failure, failures_usual);
}

std::uint64_t memory_for(std::uint64_t machine_bytes) {
    if (machine_bytes <= small_machine) return machine_bytes * small_memory / small_machine;
    const std::uint64_t beyond = std::min(machine_bytes, large_machine) - small_machine;
    return small_memory + beyond * (large_memory - small_memory) / (large_machine - small_machine);
}

void fit(Settings& settings, std::uint64_t machine_bytes) {
    Limits& limits = settings.limits;
    if (limits.memory_bytes_max == 0) limits.memory_bytes_max = memory_for(machine_bytes);
    const MemoryShares shares = shares_of(limits.memory_bytes_max);
    bound(limits.in_flight_max, shares.questions / memory_cost::question);
    bound(limits.in_flight_per_client_max, limits.in_flight_max / 4);
    bound(limits.in_flight_per_prefix_max, limits.in_flight_max / 2);
    if (settings.cache_bytes_max == 0)
        settings.cache_bytes_max = std::min(cache_usual, shares.cache);
    if (settings.query_log.bytes_max == 0)
        settings.query_log.bytes_max = std::min(query_log_usual, shares.query_log);
}

}  // namespace porchlight::forwarder
