#pragma once

#include <algorithm>
#include <cstdint>
#include <variant>

#include "core/address.h"
#include "core/reader.h"
#include "core/writer.h"

namespace porchlight {

// An address in the messages that our own processes send each other: its family, then its octets.

inline constexpr std::uint8_t family_ipv4 = 4;
inline constexpr std::uint8_t family_ipv6 = 6;

/// The octets alone, of Ipv4 or Ipv6. Zero where the input ends.
template <class Address>
Address read_address_octets(Reader& in) {
    Address address;
    std::ranges::copy(in.bytes(address.octets.size()), address.octets.begin());
    return address;
}

inline void write_address(Writer& out, const IpAddress& address) {
    out.u8(std::holds_alternative<Ipv4>(address) ? family_ipv4 : family_ipv6);
    std::visit([&](const auto& one) { out.bytes(one); }, address);
}

inline IpAddress read_address(Reader& in) {
    switch (in.u8()) {
        case family_ipv4:
            return read_address_octets<Ipv4>(in);
        case family_ipv6:
            return read_address_octets<Ipv6>(in);
        default:
            in.fail("has an address of an unknown family");
            return {};
    }
}

}  // namespace porchlight
