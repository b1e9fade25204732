#include "core/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace porchlight {
namespace {

template <class Address>
std::optional<Address> parse(int family, std::string_view text) {
    char buffer[INET6_ADDRSTRLEN] = {};
    if (text.size() >= sizeof buffer) return std::nullopt;
    std::copy(text.begin(), text.end(), buffer);
    if (std::strlen(buffer) != text.size()) return std::nullopt;
    Address address;
    if (inet_pton(family, buffer, address.octets.data()) != 1) return std::nullopt;
    return address;
}

template <class Address>
std::string print(int family, const Address& address) {
    char buffer[INET6_ADDRSTRLEN] = {};
    inet_ntop(family, address.octets.data(), buffer, sizeof buffer);
    return buffer;
}

bool is_v4_mapped(const Ipv6& address) {
    return std::all_of(address.octets.begin(), address.octets.begin() + 10,
                       [](std::uint8_t octet) { return octet == 0; }) &&
           address.octets[10] == 0xff && address.octets[11] == 0xff;
}

}  // namespace

std::optional<Ipv4> parse_ipv4(std::string_view text) {
    return parse<Ipv4>(AF_INET, text);
}

std::optional<Ipv6> parse_ipv6(std::string_view text) {
    return parse<Ipv6>(AF_INET6, text);
}

std::optional<IpAddress> parse_address(std::string_view text) {
    if (auto v4 = parse_ipv4(text)) return *v4;
    if (auto v6 = parse_ipv6(text)) return *v6;
    return std::nullopt;
}

std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
    if (auto bare = parse_address(text)) return Endpoint{*bare, default_port};
    std::string_view host = text;
    std::uint16_t port = default_port;
    const std::size_t colon = text.rfind(':');
    const bool bracketed = text.starts_with('[');
    if (colon != text.npos && (!bracketed || text[colon - 1] == ']')) {
        const std::string_view digits = text.substr(colon + 1);
        const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (ec != std::errc() || end != digits.data() + digits.size() || port == 0)
            return std::nullopt;
        host = text.substr(0, colon);
    }
    if (bracketed) {
        if (host.size() < 2 || host.back() != ']') return std::nullopt;
        auto v6 = parse_ipv6(host.substr(1, host.size() - 2));
        return v6 ? std::optional(Endpoint{*v6, port}) : std::nullopt;
    }
    auto v4 = parse_ipv4(host);
    return v4 ? std::optional(Endpoint{*v4, port}) : std::nullopt;
}

std::string to_text(const Ipv4& address) {
    return print(AF_INET, address);
}

std::string to_text(const Ipv6& address) {
    return print(AF_INET6, address);
}

std::string to_text(const IpAddress& address) {
    return std::visit([](const auto& one) { return to_text(one); }, address);
}

std::string to_text(const Endpoint& endpoint) {
    const bool v6 = std::holds_alternative<Ipv6>(endpoint.address);
    std::string text = v6 ? "[" : "";
    text += to_text(endpoint.address);
    if (endpoint.scope != 0) text += "%" + std::to_string(endpoint.scope);
    if (v6) text += "]";
    return text + ":" + std::to_string(endpoint.port);
}

bool is_link_local(const Ipv6& address) {
    return address.octets[0] == 0xfe && (address.octets[1] & 0xc0) == 0x80;
}

bool is_unique_local(const Ipv6& address) {
    return (address.octets[0] & 0xfe) == 0xfc;
}

bool is_global_unicast(const Ipv6& address) {
    return (address.octets[0] & 0xe0) == 0x20;
}

bool is_announceable(const Ipv4& address) {
    const std::uint8_t first = address.octets[0];
    return is_receivable(address) && first != 0 && first < 240;
}

bool is_announceable(const Ipv6& address) {
    // ::/96 held a form long deprecated (RFC 4291 section 2.5.5.1).
    const bool low = std::all_of(address.octets.begin(), address.octets.begin() + 12,
                                 [](std::uint8_t octet) { return octet == 0; });
    return is_receivable(address) && !low;
}

bool is_announceable(const IpAddress& address) {
    return std::visit([](const auto& one) { return is_announceable(one); }, address);
}

bool is_receivable(const IpAddress& address) {
    return std::visit([](const auto& one) { return is_receivable(one); }, address);
}

bool is_receivable(const Ipv4& address) {
    const bool multicast = (address.octets[0] & 0xf0) == 224;
    const bool broadcast = address == Ipv4{{255, 255, 255, 255}};
    return !multicast && !broadcast && !is_loopback(address) && address != Ipv4();
}

bool is_receivable(const Ipv6& address) {
    const bool multicast = address.octets[0] == 0xff;
    return !multicast && !is_loopback(address) && !is_v4_mapped(address) && address != Ipv6();
}

bool is_private(const IpAddress& address) {
    if (const auto* v6 = std::get_if<Ipv6>(&address))
        return is_link_local(*v6) || is_unique_local(*v6);
    const auto& octets = std::get<Ipv4>(address).octets;
    return octets[0] == 10 || (octets[0] == 172 && octets[1] >> 4 == 1) ||
           (octets[0] == 192 && octets[1] == 168) || (octets[0] == 169 && octets[1] == 254);
}

bool is_loopback(const IpAddress& address) {
    if (const auto* v4 = std::get_if<Ipv4>(&address)) return v4->octets[0] == 127;
    Ipv6 one;
    one.octets[15] = 1;
    return std::get<Ipv6>(address) == one;
}

}  // namespace porchlight
