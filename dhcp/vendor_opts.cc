#include "dhcp/vendor_opts.h"

#include "core/reader.h"

namespace porchlight::dhcp {

Result<VendorOpts> parse_vendor_opts(Bytes option) {
    Reader in(option);
    VendorOpts vendor;
    vendor.enterprise = in.u32();
    while (!in.empty()) {
        V6Option one;
        one.code = in.u16();
        const Bytes data = in.bytes(in.u16());
        one.data.assign(data.begin(), data.end());
        vendor.options.push_back(std::move(one));
    }
    if (!in.finished()) return in.error("DHCPv6 option 17");
    return vendor;
}

void write(Writer& out, const VendorOpts& vendor) {
    out.u32(vendor.enterprise);
    for (const V6Option& one : vendor.options) write(out, one);
}

dns::DraftCodePoints within(const dns::DraftCodePoints& codes) {
    dns::DraftCodePoints used = codes;
    if (codes.enterprise == 0) return used;
    used.dhcpv6_adn = 1;
    used.dhcpv6_addresses = 2;
    used.dhcpv6_templates = 3;
    return used;
}

}  // namespace porchlight::dhcp
