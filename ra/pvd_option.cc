#include "ra/pvd_option.h"

#include "core/reader.h"

namespace porchlight::ra {
namespace {

constexpr std::uint16_t http_flag = 0x8000;
constexpr std::uint16_t legacy_flag = 0x4000;
constexpr std::uint16_t header_flag = 0x2000;
constexpr std::uint16_t delay_bits = 0x000f;

std::size_t padding_behind(std::size_t octets) {
    return (option_unit_octets - octets % option_unit_octets) % option_unit_octets;
}

}  // namespace

Result<PvdOption> parse_pvd_option(Bytes option) {
    Reader in(option);
    PvdOption pvd;
    if (in.u8() != pvd_option_type) in.fail("is of another type");
    if (in.u8() * option_unit_octets != option.size()) in.fail("has a Length that is not its own");
    const std::uint16_t flags = in.u16();
    pvd.http = (flags & http_flag) != 0;
    pvd.legacy = (flags & legacy_flag) != 0;
    if (pvd.http) pvd.delay = static_cast<std::uint8_t>(flags & delay_bits);
    pvd.sequence = in.u16();
    pvd.name = dns::read_name(in);
    if (pvd.name.is_root()) in.fail("names no provisioning domain");
    (void)in.bytes(padding_behind(in.offset()));
    if ((flags & header_flag) != 0) {
        (void)in.u32();  // type, code, checksum
        pvd.header = read_router_header(in);
    }
    pvd.options = read_nd_options(in);
    if (!in.finished()) return in.error("RA option 21");
    return pvd;
}

void write(Writer& out, const PvdOption& pvd) {
    const std::size_t start = out.size();
    out.u8(pvd_option_type);
    out.u8(0);
    out.u16(static_cast<std::uint16_t>((pvd.http ? http_flag | pvd.delay : 0) |
                                       (pvd.legacy ? legacy_flag : 0) |
                                       (pvd.header ? header_flag : 0)));
    out.u16(pvd.sequence);
    dns::write(out, pvd.name);
    out.zeros(padding_behind(out.size() - start));
    if (pvd.header) {
        out.u8(advertisement_type);
        out.u8(0);
        out.u16(0);
        write(out, *pvd.header);
    }
    write(out, pvd.options);
    out.patch_u8(start + 1, (out.size() - start) / option_unit_octets);
}

}  // namespace porchlight::ra
