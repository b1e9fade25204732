#include "agent/leases.h"

#include <algorithm>
#include <map>

#include "core/fields.h"

namespace porchlight::agent {
namespace {

std::string_view take_until(std::string_view& rest, char end) {
    const std::string_view taken = rest.substr(0, rest.find(end));
    rest.remove_prefix(std::min(rest.size(), taken.size() + 1));
    return taken;
}

}  // namespace

/// "1763782400 02:00:5e:10:00:01 192.168.1.23 laptop 01:02:00:5e:10:00:01". Another hardware's
/// address has its type before it, "06-...".
std::vector<Lease> parse_lease_file(std::string_view file) {
    std::map<Ipv4, net::MacAddress> by_address;
    while (!file.empty()) {
        std::string_view line = take_until(file, '\n');
        take_until(line, ' ');  // when it ends: dnsmasq takes it out of the file by then
        const auto mac = net::parse_mac_address(take_until(line, ' '));
        const auto address = parse_ipv4(take_until(line, ' '));
        if (!mac || !address) continue;
        if (by_address.size() < leases_max || by_address.contains(*address))
            by_address[*address] = *mac;
    }
    std::vector<Lease> leases;
    for (const auto& [address, mac] : by_address) leases.push_back({mac, address});
    return leases;
}

void write(Writer& out, const std::vector<Lease>& leases) {
    write_list(out, leases, [&](const Lease& lease) {
        out.bytes(lease.mac.octets);
        out.bytes(lease.address);
    });
}

Result<std::vector<Lease>> parse_leases(Bytes message) {
    Reader in(message);
    auto leases = read_list<Lease>(in, [](Reader& part) {
        Lease lease;
        const Bytes mac = part.bytes(lease.mac.octets.size());
        std::copy(mac.begin(), mac.end(), lease.mac.octets.begin());
        const Bytes address = part.bytes(lease.address.octets.size());
        std::copy(address.begin(), address.end(), lease.address.octets.begin());
        return lease;
    });
    if (!in.finished()) return in.error("leases");
    return leases;
}

}  // namespace porchlight::agent
