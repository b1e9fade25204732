#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/bytes.h"
#include "forwarder/http_status.h"

namespace porchlight::forwarder {

/// How many seconds an HTTP cache may keep a whole DNS message (RFC 8484 section 5.1): the least
/// TTL of its answer section, and of the SOA that says how long a negative answer lives (RFC 2308
/// section 5). 0 for one that says nothing for any time: a failure, or nothing found, be it behind
/// a CNAME, and no SOA.
std::uint32_t max_age(Bytes message);

/// The fields of one response, for HTTP/2 as for HTTP/1.1. Their text stands here or is a literal,
/// so they live as long as this, which stays where it is.
class DohFields {
  public:
    struct Field {
        std::string_view name;
        std::string_view value;
    };

    DohFields() = default;
    DohFields(const DohFields&) = delete;
    DohFields& operator=(const DohFields&) = delete;

    /// Of a response of `status` with that message as its body, empty unless `status` is `ok`.
    void set(HttpStatus status, Bytes message);

    /// Three digits.
    std::string_view status() const { return {status_.data(), status_.size()}; }
    std::span<const Field> fields() const { return std::span(fields_).first(count_); }

  private:
    void add(std::string_view name, std::string_view value) { fields_[count_++] = {name, value}; }

    std::array<Field, 3> fields_{};
    std::size_t count_ = 0;
    std::array<char, 3> status_{};
    std::array<char, 5> length_{};
    std::array<char, sizeof "max-age=4294967295"> max_age_{};
};

}  // namespace porchlight::forwarder
