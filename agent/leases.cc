#include "agent/leases.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "core/fields.h"
#include "core/text.h"

namespace porchlight::agent {
namespace {

constexpr std::int64_t earliest_date_s = 1'000'000'000;

/// 0 is no end. A dnsmasq that was built for machines without a clock writes how long a lease is.
bool ended(std::string_view end, std::optional<WallTime> now) {
    std::int64_t seconds = 0;
    std::from_chars(end.data(), end.data() + end.size(), seconds);
    return now && seconds > earliest_date_s && seconds < now->time_since_epoch().count();
}

}  // namespace

/// "1763782400 02:00:5e:10:00:01 192.168.1.23 laptop 01:02:00:5e:10:00:01". Another hardware's
/// address has its type before it, "06-...".
std::vector<Lease> parse_lease_file(std::string_view file, std::optional<WallTime> now) {
    std::map<Ipv4, net::MacAddress> by_address;
    // Without its end a line may lack the end of its address, too.
    while (file.find('\n') != file.npos) {
        std::string_view line = take_until(file, '\n');
        if (ended(take_until(line, ' '), now)) continue;
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

std::vector<Lease> moved(const std::vector<Lease>& before, const std::vector<Lease>& after) {
    std::map<Ipv4, net::MacAddress> known;
    for (const Lease& one : before) known[one.address] = one.mac;
    std::vector<Lease> list = after;
    std::erase_if(list, [&](const Lease& one) {
        const auto old = known.find(one.address);
        return old == known.end() || old->second == one.mac;
    });
    return list;
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
    if (leases.size() > leases_max) return Error{Errc::malformed, "more leases than can be"};
    return leases;
}

}  // namespace porchlight::agent
