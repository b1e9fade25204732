#include "net/nat64_prefix.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace porchlight::net {
namespace {

constexpr std::array<std::uint8_t, 6> lengths = {32, 40, 48, 56, 64, 96};
constexpr std::size_t reserved_octet = 8;  // bits 64 to 71
constexpr std::uint8_t usual_length = 96;

std::optional<std::uint8_t> parse_length(std::string_view text) {
    std::uint8_t bits = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, bits);
    if (failed != std::errc() || stop != end || text.front() == '0') return std::nullopt;
    if (!is_nat64_length(bits)) return std::nullopt;
    return bits;
}

}  // namespace

bool Nat64Prefix::holds(const Ipv6& other) const {
    return std::equal(address.octets.begin(), address.octets.begin() + bits / 8,
                      other.octets.begin());
}

bool is_nat64_length(std::uint8_t bits) {
    return std::find(lengths.begin(), lengths.end(), bits) != lengths.end();
}

std::optional<Nat64Prefix> parse_nat64_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    auto address = parse_ipv6(text.substr(0, slash));
    // Without a length it may be an address as a translator makes it.
    if (address && slash == text.npos)
        std::fill(address->octets.begin() + usual_length / 8, address->octets.end(), 0);
    const auto bits =
        slash == text.npos ? std::optional(usual_length) : parse_length(text.substr(slash + 1));
    if (!address || !bits || address->octets[reserved_octet] != 0) return std::nullopt;
    const bool is_bare = std::all_of(address->octets.begin() + *bits / 8, address->octets.end(),
                                     [](std::uint8_t octet) { return octet == 0; });
    if (!is_bare) return std::nullopt;
    return Nat64Prefix{*address, *bits};
}

Ipv4 embedded_ipv4(const Ipv6& address, std::uint8_t bits) {
    Ipv4 embedded;
    std::size_t at = bits / 8u;
    for (std::uint8_t& octet : embedded.octets) {
        if (at == reserved_octet) ++at;
        octet = address.octets[at++];
    }
    return embedded;
}

std::size_t embedded_ipv4_end(std::uint8_t bits) {
    const std::size_t end = bits / 8u + Ipv4().octets.size();
    return bits / 8u <= reserved_octet && end >= reserved_octet ? end + 1 : end;
}

}  // namespace porchlight::net
