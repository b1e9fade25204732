#pragma once

#include <array>
#include <cstdint>

#include "core/bytes.h"
#include "core/random.h"

namespace porchlight::forwarder {

/// SipHash-1-3 (Aumasson and Bernstein): a hash that a stranger who chooses the input, but does
/// not know the key, can't make collide. For tables in memory, not for signatures.
class KeyedHash {
  public:
    using Key = std::array<std::uint8_t, 16>;
    explicit KeyedHash(const Key& key);
    explicit KeyedHash(Random& random);

    /// Of the eight octets of `prefix`, little-endian, and `octets`.
    std::uint64_t operator()(Bytes octets, std::uint64_t prefix = 0) const;

  private:
    std::uint64_t k0_ = 0;
    std::uint64_t k1_ = 0;
};

}  // namespace porchlight::forwarder
