#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"

namespace porchlight::agent {

/// Writes Prometheus' text exposition format 0.0.4: families of samples, each with HELP and TYPE.
class Exposition {
  public:
    enum class Type { counter, gauge };
    /// Names of labels with their values, which may be any octets.
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    /// What follows are samples of `name`, until the next call. One without samples is left out.
    void family(std::string_view name, Type type, std::string_view help);

    void number(Labels labels, std::uint64_t value);
    void flag(Labels labels, bool value);
    void seconds(Labels labels, std::chrono::microseconds value);
    void moment(Labels labels, WallTime value);

    const std::string& text() const { return text_; }

  private:
    void sample(Labels labels, const std::string& value);

    std::string text_;
    std::string heading_;  // of a family that has no sample yet
    std::string name_;
};

}  // namespace porchlight::agent
