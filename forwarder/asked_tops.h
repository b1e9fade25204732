#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/bytes.h"
#include "core/random.h"
#include "forwarder/keyed_hash.h"

namespace porchlight::forwarder {

/// The top-level domains beneath which something was asked upstream, and answered: of these, and of
/// no other name of a single label, a validator's questions tell an upstream nothing that it was
/// not told before. One for all workers, until the process ends; any thread, no lock. Of fixed
/// size, so it may take a domain for asked that was not: with all 1500 there are for one in 40,
/// with the hundred of a home for one in 600.
class AskedTops {
  public:
    explicit AskedTops(Random& random) : hash_(random) {}

    /// `name` in wire form, lower-cased. One of fewer than two labels is beneath nothing.
    void note(Bytes name);
    /// `label` without its length, lower-cased.
    bool has(Bytes label) const;

  private:
    static constexpr std::size_t bits_of_word = 64, words = 1024;

    std::size_t bit_of(Bytes label) const {
        return static_cast<std::size_t>(hash_(label) % (words * bits_of_word));
    }

    KeyedHash hash_;
    std::array<std::atomic<std::uint64_t>, words> seen_{};
};

}  // namespace porchlight::forwarder
