#include "dns/svcb.h"

#include "core/reader.h"

namespace porchlight::dns {

Result<Svcb> parse_svcb(Bytes rdata) {
    Reader in(rdata);
    Svcb svcb;
    svcb.priority = in.u16();
    svcb.target = read_name(in);
    svcb.params = read_svc_params(in);
    if (!in.finished()) return in.error("SVCB");
    return svcb;
}

void write(Writer& out, const Svcb& svcb) {
    out.u16(svcb.priority);
    write(out, svcb.target);
    write(out, svcb.params);
}

std::optional<std::string> why_not_usable(const Svcb& svcb) {
    static const Name resolver_arpa = *parse_name("resolver.arpa");
    if (svcb.priority == 0) return "priority 0 makes it an alias of its target";
    if (!is_host_name(svcb.target)) return "its target is no host's name";
    if (reads_as_address(svcb.target)) return "its target reads as an address";
    if (svcb.target.is_within(resolver_arpa)) return "its target lies in resolver.arpa";
    return why_not_usable(svcb.params);
}

}  // namespace porchlight::dns
