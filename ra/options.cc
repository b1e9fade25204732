#include "ra/options.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/reader.h"

namespace porchlight::ra {
namespace {

// Every option with a Lifetime has it there: RFC 4861 section 4.6.2 (a second one follows), RFC
// 4191 section 2.3, RFC 8106 section 5, RFC 9463 section 6.1.
constexpr std::size_t lifetime_at = 4;
constexpr std::size_t lifetime_octets = 4;

bool has_lifetime(std::uint8_t type) {
    return type != source_link_layer_option_type && type != mtu_option_type;
}

std::uint32_t u32_at(const Buffer& octets, std::size_t at) {
    return Reader(Bytes(octets).subspan(at, lifetime_octets)).u32();
}

/// The Lifetime that stands at `at`, if it is there as a whole.
void shorten(Buffer& unit, std::size_t at, std::chrono::seconds lifetime_max) {
    if (at + lifetime_octets > unit.size()) return;
    const std::chrono::seconds told(u32_at(unit, at));
    auto left = static_cast<std::uint32_t>(std::min(told, lifetime_max).count());
    for (std::size_t i = lifetime_octets; i-- > 0; left >>= 8)
        unit[at + i] = static_cast<std::uint8_t>(left);
}

}  // namespace

bool is_sendable(const Buffer& unit, std::size_t octets_max) {
    if (unit.empty() || unit.size() > octets_max) return false;
    std::size_t at = 0;
    while (at + option_unit_octets <= unit.size() && unit[at + 1] != 0)
        at += unit[at + 1] * option_unit_octets;
    return at == unit.size();
}

Buffer shortened(Buffer unit, std::chrono::seconds lifetime_max) {
    for (std::size_t at = 0; at + option_unit_octets <= unit.size() && unit[at + 1] != 0;
         at += unit[at + 1] * option_unit_octets) {
        if (!has_lifetime(unit[at])) continue;
        const std::size_t lifetimes = unit[at] == prefix_option_type ? 2 : 1;
        for (std::size_t i = 0; i < lifetimes; ++i)
            shorten(unit, at + lifetime_at + i * lifetime_octets, lifetime_max);
    }
    return unit;
}

Buffer withdrawn(Buffer unit) {
    return shortened(std::move(unit), std::chrono::seconds(0));
}

NdOptions options_of(const Buffer& unit) {
    NdOptions options;
    std::size_t at = 0;
    while (at + option_unit_octets <= unit.size()) {
        const std::size_t size = unit[at + 1] * option_unit_octets;
        if (size == 0 || size > unit.size() - at) break;
        const auto begin = unit.begin() + std::ptrdiff_t(at);
        options.emplace_back(begin, begin + std::ptrdiff_t(size));
        at += size;
    }
    return options;
}

std::chrono::seconds lifetime(const Buffer& option) {
    assert(can_be_withdrawn(option));
    return std::chrono::seconds(u32_at(option, lifetime_at));
}

bool can_be_withdrawn(const Buffer& unit) {
    return !unit.empty() && has_lifetime(unit[0]);
}

bool is_prefix(const Buffer& unit) {
    return unit.size() == 4 * option_unit_octets && unit[0] == prefix_option_type;
}

std::chrono::seconds valid_lifetime(const Buffer& prefix) {
    assert(is_prefix(prefix));
    return lifetime(prefix);
}

bool is_preferred(const Buffer& prefix) {
    assert(is_prefix(prefix));
    return u32_at(prefix, lifetime_at + lifetime_octets) != 0;
}

bool contains(const NdOptions& units, const Buffer& taken_back) {
    return std::any_of(units.begin(), units.end(),
                       [&](const Buffer& unit) { return withdrawn(unit) == taken_back; });
}

bool same_but_for_lifetimes(const NdOptions& a, const NdOptions& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Buffer& x, const Buffer& y) {
        const Buffer end = withdrawn(x);
        return end == withdrawn(y) && (x == end) == (y == end) &&
               (!is_prefix(x) || is_preferred(x) == is_preferred(y));
    });
}

std::deque<NdOptions> spread(NdOptions units, std::size_t octets_max) {
    std::deque<NdOptions> packets(1);
    std::size_t room = octets_max;
    for (Buffer& unit : units) {
        if (unit.size() > room) {
            packets.emplace_back();
            room = octets_max;
        }
        room -= unit.size();
        packets.back().push_back(std::move(unit));
    }
    return packets;
}

}  // namespace porchlight::ra
