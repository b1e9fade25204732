#include "ra/rdnss_option.h"

#include "core/reader.h"
#include "dns/encrypted_resolver.h"
#include "ra/advertisement.h"

namespace porchlight::ra {

Result<RdnssOption> parse_rdnss_option(Bytes option) {
    Reader in(option);
    RdnssOption rdnss;
    if (in.u8() != rdnss_option_type) in.fail("is of another type");
    if (in.u8() * option_unit_octets != option.size()) in.fail("has a Length that is not its own");
    (void)in.u16();  // reserved: ignored by the receiver
    rdnss.lifetime = std::chrono::seconds(in.u32());
    rdnss.servers = dns::read_addresses<Ipv6>(in);
    if (!in.finished()) return in.error("RA option 25");
    return rdnss;
}

void write(Writer& out, const RdnssOption& rdnss) {
    const std::size_t start = out.size();
    out.u8(rdnss_option_type);
    out.u8(0);
    out.u16(0);
    out.u32(static_cast<std::uint32_t>(rdnss.lifetime.count()));
    dns::write_addresses(out, rdnss.servers);
    out.patch_u8(start + 1, (out.size() - start) / option_unit_octets);
}

}  // namespace porchlight::ra
