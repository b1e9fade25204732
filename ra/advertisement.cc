#include "ra/advertisement.h"

namespace porchlight::ra {
namespace {

void read_icmpv6(Reader& in, std::uint8_t type, const Envelope& envelope) {
    if (envelope.hop_limit != hop_limit) in.fail("has a hop limit below 255");
    if (envelope.in_fragments) in.fail("came in fragments");
    if (in.u8() != type) in.fail("is of another type");
    if (in.u8() != 0) in.fail("has a code that is not 0");
    (void)in.u16();  // checksum
}

void write_icmpv6(Writer& out, std::uint8_t type) {
    out.u8(type);
    out.u8(0);
    out.u16(0);
}

bool has_option(const NdOptions& options, std::uint8_t type) {
    for (const Buffer& option : options)
        if (option[0] == type) return true;
    return false;
}

}  // namespace

RouterHeader read_router_header(Reader& in) {
    RouterHeader header;
    header.cur_hop_limit = in.u8();
    header.flags = in.u8();
    header.router_lifetime = std::chrono::seconds(in.u16());
    header.reachable_time = std::chrono::milliseconds(in.u32());
    header.retrans_timer = std::chrono::milliseconds(in.u32());
    return header;
}

void write(Writer& out, const RouterHeader& header) {
    out.u8(header.cur_hop_limit);
    out.u8(header.flags);
    out.u16(static_cast<std::uint16_t>(header.router_lifetime.count()));
    out.u32(static_cast<std::uint32_t>(header.reachable_time.count()));
    out.u32(static_cast<std::uint32_t>(header.retrans_timer.count()));
}

NdOptions read_nd_options(Reader& in) {
    NdOptions options;
    while (!in.empty()) {
        const std::uint8_t type = in.u8();
        const std::size_t size = in.u8() * option_unit_octets;
        if (size == 0) {
            in.fail("has an option of length 0");
            return {};
        }
        Buffer option{type, static_cast<std::uint8_t>(size / option_unit_octets)};
        const Bytes body = in.bytes(size - option.size());
        option.insert(option.end(), body.begin(), body.end());
        options.push_back(std::move(option));
    }
    return options;
}

void write(Writer& out, const NdOptions& options) {
    for (const Buffer& option : options) out.bytes(option);
}

Result<Advertisement> parse_advertisement(Bytes icmpv6, const Envelope& envelope) {
    Reader in(icmpv6);
    Advertisement advertisement;
    if (!is_link_local(envelope.source)) in.fail("is not from a link-local address");
    read_icmpv6(in, advertisement_type, envelope);
    advertisement.header = read_router_header(in);
    advertisement.options = read_nd_options(in);
    if (!in.finished()) return in.error("Router Advertisement");
    return advertisement;
}

void write(Writer& out, const Advertisement& advertisement) {
    write_icmpv6(out, advertisement_type);
    write(out, advertisement.header);
    write(out, advertisement.options);
}

Result<Solicitation> parse_solicitation(Bytes icmpv6, const Envelope& envelope) {
    Reader in(icmpv6);
    Solicitation solicitation;
    read_icmpv6(in, solicitation_type, envelope);
    (void)in.u32();  // reserved: ignored by the receiver
    solicitation.options = read_nd_options(in);
    if (envelope.source == Ipv6{} &&
        has_option(solicitation.options, source_link_layer_option_type))
        in.fail("names a link-layer address of no source");
    if (!in.finished()) return in.error("Router Solicitation");
    return solicitation;
}

void write(Writer& out, const Solicitation& solicitation) {
    write_icmpv6(out, solicitation_type);
    out.u32(0);
    write(out, solicitation.options);
}

}  // namespace porchlight::ra
