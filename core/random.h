#pragma once

#include <cstdint>
#include <span>

namespace porchlight {

/// Where unpredictable octets come from, so that a simulated home can replay a seed.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;

    /// Uniform in [0, bound); `bound` above 0.
    std::uint64_t below(std::uint64_t bound);
};

/// The kernel's generator, through getrandom(2).
class SystemRandom : public Random {
  public:
    void fill(std::span<std::uint8_t> out) override;
};

/// A reproducible sequence. For tests and simulations only.
class SeededRandom : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    void fill(std::span<std::uint8_t> out) override;

  private:
    std::uint64_t state_;
};

}  // namespace porchlight
