#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "forwarder/device_id.h"
#include "forwarder/http_status.h"

namespace porchlight::forwarder {

/// A request for DNS over HTTPS as far as it was heard (RFC 8484 section 4.1), told field by field
/// and body part by part by whatever HTTP carried it. Keeps what decides and the message itself,
/// nothing else of what a browser says of its user. Its memory is used again after clear().
class DohRequest {
  public:
    /// Of all fields together, each counted as its name, its value and 32 (RFC 9113 section 6.5.2).
    static constexpr std::size_t fields_octets_max = 16384;
    static constexpr std::size_t message_octets_max = 65535;

    void clear();

    void set_method(std::string_view method);
    /// The path and query of the URL; `paths` are those that are served, without a query, each also
    /// with a step behind it that is one of `devices`, ids of the home's devices.
    void set_target(std::string_view target, std::span<const std::string> paths,
                    std::span<const std::string> devices = {});
    /// Any other field, its name in whatever case.
    void add_field(std::string_view name, std::string_view value);
    /// Once all fields were told: what they come to alone. Nothing: the body decides.
    std::optional<HttpStatus> judge_head();

    /// False: the body is larger than any message.
    bool add_body(Bytes part);
    /// Whether its client sends the body only once it is told to (RFC 9110 section 10.1.1).
    bool waits_to_go_on() const { return waits_to_go_on_; }
    /// Once the body has ended.
    HttpStatus judge_body() const;

    /// The DNS message, where a judgement was `ok`.
    Bytes message() const { return message_; }
    /// The id that its path ends with; empty: none.
    std::string_view device() const { return {device_.data(), device_octets_}; }
    /// Memory that it holds, for whoever keeps many.
    std::size_t capacity() const { return message_.capacity(); }

  private:
    enum class Method : std::uint8_t { other, get, post };
    enum class Target : std::uint8_t { none, other_path, without_message, malformed, message };
    /// How closely a media range that was read so far names our type.
    enum class Range : std::uint8_t { none, any, any_application, exact };

    bool set_device(std::string_view path, std::span<const std::string> paths,
                    std::span<const std::string> devices);
    void count(std::string_view name, std::string_view value);
    void add_accept(std::string_view value);
    void add_range(std::string_view range);

    Method method_ = Method::other;
    Target target_ = Target::none;
    bool accept_told_ = false;
    Range accepted_by_ = Range::none;  // the closest so far, and what it said
    bool accepted_ = false;
    bool is_message_type_ = false;
    bool body_too_large_ = false;
    bool waits_to_go_on_ = false;
    std::uint8_t device_octets_ = 0;
    std::array<char, device_id_octets_max> device_{};  // its own, for it outlives the path
    std::size_t fields_octets_ = 0;
    std::size_t target_octets_ = 0;  // of those
    Buffer message_;
};

}  // namespace porchlight::forwarder
