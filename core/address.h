#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/bytes.h"

namespace porchlight {

/// An IPv4 address in network order.
struct Ipv4 {
    std::array<std::uint8_t, 4> octets{};
    auto operator<=>(const Ipv4&) const = default;
    operator Bytes() const { return octets; }
};

/// An IPv6 address in network order. A scope, where one is needed, stands beside it.
struct Ipv6 {
    std::array<std::uint8_t, 16> octets{};
    auto operator<=>(const Ipv6&) const = default;
    operator Bytes() const { return octets; }
};

using IpAddress = std::variant<Ipv4, Ipv6>;

/// Where to connect or listen. `scope` is the interface index of a link-local address, else 0.
struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;
    std::uint32_t scope = 0;
    auto operator<=>(const Endpoint&) const = default;
};

/// The text forms of RFC 4291 section 2.2 and RFC 5952; nothing for anything else, so no blanks,
/// no leading zeros in IPv4, no zone.
std::optional<Ipv4> parse_ipv4(std::string_view text);
std::optional<Ipv6> parse_ipv6(std::string_view text);
std::optional<IpAddress> parse_address(std::string_view text);
/// "192.0.2.1:53" or "[2001:db8::1]:53"; without a port `default_port` counts.
std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port);

std::string to_text(const Ipv4& address);
std::string to_text(const Ipv6& address);
std::string to_text(const IpAddress& address);
std::string to_text(const Endpoint& endpoint);

bool is_link_local(const Ipv6& address);      // fe80::/10
bool is_unique_local(const Ipv6& address);    // fc00::/7
bool is_global_unicast(const Ipv6& address);  // 2000::/3

// Which addresses of an encrypted resolver count: strict with what is told, lenient with what is
// heard.

/// An address that may be told and configured: it is receivable, and not of a block that names no
/// host on a network either, 0.0.0.0/8, 240.0.0.0/4 and ::/96.
bool is_announceable(const Ipv4& address);
bool is_announceable(const Ipv6& address);
bool is_announceable(const IpAddress& address);
/// An address that is kept when it is heard: not multicast or loopback (RFC 9463 sections 4.2, 5.2
/// and 6.2), and not unspecified, the broadcast address or IPv4-mapped, which nobody connects to.
bool is_receivable(const Ipv4& address);
bool is_receivable(const Ipv6& address);
bool is_receivable(const IpAddress& address);

bool is_loopback(const IpAddress& address);
/// Of a network that its users number as they like, so that it proves nothing: private (RFC 1918),
/// unique local (RFC 4193) or link-local (RFC 3927, RFC 4291 section 2.5.6). Shared address space
/// (RFC 6598) is not.
bool is_private(const IpAddress& address);

}  // namespace porchlight
