#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/writer.h"
#include "dns/query.h"
#include "forwarder/keyed_hash.h"
#include "forwarder/views.h"

namespace porchlight::forwarder {

/// A response that may be kept. The spans are borrowed during store() only.
struct Storable {
    Bytes response;  // whole; no OPT; one question; at most 65535 octets
    std::span<const std::uint16_t> ttl_offsets;  // where each record's TTL begins, at most 255
    std::chrono::seconds lifetime{0};            // until it is stale; 0: not kept
    std::chrono::seconds ttl_max{86400};         // no record's TTL leaves with more than this
    /// What goes with it to all who hear it (RFC 8914); kept up to code 63.
    std::optional<std::uint16_t> extended_error = {};
};

/// What is to be known of an answer that the cache had, beside its octets.
struct Hit {
    std::optional<std::uint16_t> extended_error;  // that it was stored with
    bool refresh = false;  // often asked for and soon over: now is the time to ask anew
};

/// A bounded store of DNS answers as wire octets, shared by all workers: 16 shards, each behind one
/// mutex that is held for one look-up and one copy.
/// - A hit is a copy and a patch of ID, flags, question case and TTLs; it allocates nothing.
/// - TTLs are whole seconds, as on the wire. Time is what the caller passes as `now`.
/// - The key is name, type, DO, CD and view; names are compared without regard to case. What one
///   view's hosts are told no other's ever hear.
/// - An answer's AD is kept with it, and told to queries that want it while the answer is fresh.
/// - Answers past their lifetime stay for `stale_max`, for answer_stale() alone (RFC 8767).
/// - An answer that was asked for before and has a tenth of its lifetime left, or a little less,
///   is to be refreshed, and says so once, or again after put_off().
/// - All memory is `bytes_max`, reserved at the start and touched only as it fills, from 256 MiB up
///   in huge pages; then the oldest answers that nobody asked for again make room. Never fails:
///   what cannot be kept is not kept.
class Cache {
  public:
    struct Limits {
        std::size_t bytes_max = 8 << 20;
        std::chrono::seconds stale_max{86400};
        std::chrono::seconds stale_ttl{30};  // that what is stale leaves with, at most
        bool operator==(const Limits&) const = default;
    };
    struct Counts {
        std::size_t entries = 0;
        std::size_t octets = 0;  // in use, of bytes_max
    };

    Cache(Limits limits, Random& random);
    ~Cache();
    Cache(const Cache&) = delete;
    Cache& operator=(const Cache&) = delete;

    /// Appends the answer to `query` for hosts of `view`, or appends nothing and returns nothing.
    /// The answer has the query's ID, RD, CD and letter case, AD where the query wants it, and no
    /// OPT.
    std::optional<Hit> answer(const dns::Query& query, View view, Clock::time_point now,
                              Writer& out);
    /// As above, with ID 0.
    std::optional<Hit> answer(const dns::Question& question, Clock::time_point now, Writer& out);
    /// Appends an answer fresh or stale, with ID 0, without AD and with TTLs of at most `stale_ttl`
    /// if stale (RFC 8767 section 4), or nothing.
    std::optional<Hit> answer_stale(const dns::Question& question, Clock::time_point now,
                                    Writer& out);
    /// Keeps `what` as the answer to `question`, in place of an earlier one; which goes even where
    /// `what` can't be kept, for it is known to be true no more.
    void store(const dns::Question& question, const Storable& what, Clock::time_point now);
    /// The answer was not asked anew though it said that now was the time: a later hit says so
    /// again, no sooner than in the next second. Until then nothing else of its shard does: what is
    /// put off is so for want of places, when looking at each hit would cost most.
    void put_off(const dns::Question& question, Clock::time_point now);

    void flush();
    /// New limits; another size empties the cache.
    void resize(Limits limits);
    Counts counts() const;

  private:
    class Shard;
    struct Key;
    Shard& shard_of(const Key& key) const;

    static constexpr std::size_t shard_count = 16;
    KeyedHash hash_;
    std::array<std::unique_ptr<Shard>, shard_count> shards_;
};

}  // namespace porchlight::forwarder
