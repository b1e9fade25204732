#include "ra/told_resolvers.h"

#include <algorithm>

#include "core/reader.h"
#include "ra/dnr_option.h"

namespace porchlight::ra {
namespace {

constexpr std::size_t rdnss_addresses_at = 8;

std::vector<std::string> plain_resolvers(const Buffer& rdnss) {
    std::vector<std::string> found;
    for (const Ipv6& address : rdnss_addresses(rdnss)) found.push_back(to_text(address));
    return found;
}

std::vector<std::string> encrypted_resolver(const Buffer& option) {
    const auto dnr = parse_dnr_option(option);
    if (!dnr) return {};
    std::string text = dns::to_host(dnr->adn);
    for (const Ipv6& address : dnr->addresses)
        text += (&address == &dnr->addresses.front() ? " at " : ", ") + to_text(address);
    return {text};
}

}  // namespace

std::vector<Ipv6> rdnss_addresses(const Buffer& option) {
    std::vector<Ipv6> found;
    Ipv6 address;
    Reader in{Bytes(option)};
    in.bytes(rdnss_addresses_at);
    while (in.size() >= address.octets.size()) {
        const Bytes octets = in.bytes(address.octets.size());
        std::copy(octets.begin(), octets.end(), address.octets.begin());
        found.push_back(address);
    }
    return found;
}

std::vector<std::string> resolvers_in(const Buffer& option) {
    if (option[0] == rdnss_option_type) return plain_resolvers(option);
    if (option[0] == dnr_option_type) return encrypted_resolver(option);
    return {};
}

}  // namespace porchlight::ra
