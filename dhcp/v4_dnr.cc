#include "dhcp/v4_dnr.h"

#include "core/reader.h"

namespace porchlight::dhcp {
namespace {

V4DnrInstance read_instance(Reader& in) {
    V4DnrInstance dnr;
    dnr.priority = in.u16();
    in.counted_u8([&](Reader& part) { dnr.adn = dns::read_adn(part); });
    if (!in.empty()) {
        in.counted_u8([&](Reader& part) { dnr.addresses = dns::read_addresses<Ipv4>(part); });
        dnr.params = dns::read_dnr_params(in);
    }
    return dnr;
}

}  // namespace

Result<V4Dnr> parse_v4_dnr(Bytes payload) {
    Reader in(payload);
    V4Dnr dnr;
    do {
        in.counted_u16([&](Reader& part) { dnr.push_back(read_instance(part)); });
    } while (!in.empty());
    if (!in.finished()) return in.error("DHCPv4 option 162");
    return dnr;
}

void write(Writer& out, const V4DnrInstance& dnr) {
    out.counted_u16([&] {
        out.u16(dnr.priority);
        out.counted_u8([&] { dns::write(out, dnr.adn); });
        if (dnr.addresses.empty()) return;
        out.counted_u8([&] { dns::write_addresses(out, dnr.addresses); });
        dns::write(out, dnr.params);
    });
}

void write(Writer& out, const V4Dnr& dnr) {
    for (const V4DnrInstance& instance : dnr) write(out, instance);
}

V4DnrInstance v4_dnr_instance(const dns::EncryptedResolver& resolver) {
    return {resolver.priority, resolver.adn, dns::announceable<Ipv4>(resolver), resolver.params};
}

dns::EncryptedResolver resolver_of(const V4DnrInstance& dnr) {
    return {dnr.priority, dnr.adn, {dnr.addresses.begin(), dnr.addresses.end()}, dnr.params};
}

}  // namespace porchlight::dhcp
