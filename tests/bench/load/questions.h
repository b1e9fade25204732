#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace porchlight::bench {

/// Questions for the addresses of nNNNNNNN.<prefix>.bench.net, with EDNS and without padding.
class Questions {
  public:
    /// Of `names` names each comes once before any comes again, in an order that jumps about as a
    /// cache's own order in memory does not; with 0 none comes twice.
    Questions(const std::string& prefix, std::uint32_t names);

    std::uint32_t next();
    /// The question as it goes over TCP, its length first; borrowed until the next call.
    std::string_view framed(std::uint16_t id, std::uint32_t number);
    /// Whether `message` says NOERROR, has an answer and repeats the question of that number. The
    /// caller has looked at the ID.
    bool answered_by(std::string_view message, std::uint32_t number) const;

  private:
    std::string text_;  // framed
    std::size_t digits_;
    std::uint32_t names_, step_ = 1, next_ = 0;
};

}  // namespace porchlight::bench
