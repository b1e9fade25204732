#include "ra/announced.h"

#include <algorithm>

#include "core/fields.h"

namespace porchlight::ra {
namespace {

constexpr std::uint8_t layout_version = 2;
constexpr std::size_t option_octets_min = 8;

Buffer read_option(Reader& in) {
    Buffer option = read_octets_field(in);
    if (option.size() < option_octets_min) in.fail("has an option that is too short");
    return option;
}

}  // namespace

std::chrono::seconds remaining_lifetime(const Announced& announced, Clock::time_point now) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(announced.route_until - now);
    // More than the header ever gave is a moment of another boot.
    if (left > announced.header.router_lifetime) return std::chrono::seconds(0);
    return std::max(left, std::chrono::seconds(0));
}

Result<Announced> parse_announced(Bytes octets) {
    Reader in(octets);
    Announced announced;
    if (in.u8() != layout_version) in.fail("is of another version");
    announced.interface = read_text_field(in);
    const Bytes source = in.bytes(announced.source.octets.size());
    std::copy(source.begin(), source.end(), announced.source.octets.begin());
    announced.header.flags = in.u8();
    announced.header.router_lifetime = std::chrono::seconds(in.u16());
    announced.route_until = Clock::time_point(std::chrono::seconds(in.u32()));
    announced.options = read_list<Buffer>(in, read_option);
    announced.full = in.u8() != 0;
    if (!in.finished()) return in.error("stored announcement");
    return announced;
}

void write(Writer& out, const Announced& announced) {
    out.u8(layout_version);
    write_field(out, std::string_view(announced.interface));
    out.bytes(announced.source);
    out.u8(announced.header.flags);
    out.u16(static_cast<std::uint16_t>(announced.header.router_lifetime.count()));
    const auto until = std::chrono::floor<std::chrono::seconds>(announced.route_until);
    out.u32(static_cast<std::uint32_t>(until.time_since_epoch().count()));
    write_list(out, announced.options, [&](const Buffer& option) { write_field(out, option); });
    out.u8(announced.full ? 1 : 0);
}

}  // namespace porchlight::ra
