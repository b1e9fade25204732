#include "dhcp/v6_dnr.h"

#include "core/reader.h"

namespace porchlight::dhcp {

Result<V6Dnr> parse_v6_dnr(Bytes option) {
    Reader in(option);
    V6Dnr dnr;
    dnr.priority = in.u16();
    in.counted_u16([&](Reader& part) { dnr.adn = dns::read_adn(part); });
    if (!in.empty()) {
        in.counted_u16([&](Reader& part) { dnr.addresses = dns::read_addresses<Ipv6>(part); });
        dnr.params = dns::read_dnr_params(in);
    }
    if (!in.finished()) return in.error("DHCPv6 option 144");
    return dnr;
}

void write(Writer& out, const V6Dnr& dnr) {
    out.u16(dnr.priority);
    out.counted_u16([&] { dns::write(out, dnr.adn); });
    if (dnr.addresses.empty()) return;
    out.counted_u16([&] { dns::write_addresses(out, dnr.addresses); });
    dns::write(out, dnr.params);
}

V6Dnr v6_dnr(const dns::EncryptedResolver& resolver) {
    return {resolver.priority, resolver.adn, dns::announceable<Ipv6>(resolver), resolver.params};
}

dns::EncryptedResolver resolver_of(const V6Dnr& dnr) {
    return {dnr.priority, dnr.adn, {dnr.addresses.begin(), dnr.addresses.end()}, dnr.params};
}

}  // namespace porchlight::dhcp
