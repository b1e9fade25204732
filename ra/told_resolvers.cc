#include "ra/told_resolvers.h"

#include <algorithm>

#include "core/reader.h"
#include "ra/dnr_option.h"
#include "ra/options.h"

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

std::vector<StrangeResolver> strange_resolvers(const NdOptions& known, const NdOptions& theirs) {
    std::vector<std::string> ours;
    for (const Buffer& unit : known)
        for (const Buffer& option : options_of(unit))
            for (std::string& resolver : resolvers_in(option)) ours.push_back(std::move(resolver));
    std::vector<StrangeResolver> strange;
    for (const Buffer& option : theirs) {
        if (option == withdrawn(option)) continue;
        for (std::string& resolver : resolvers_in(option))
            if (std::find(ours.begin(), ours.end(), resolver) == ours.end())
                strange.push_back({std::move(resolver), lifetime(option)});
    }
    return strange;
}

void Strangers::note(const Ipv6& router, const StrangeResolver& resolver, Clock::time_point now) {
    std::erase_if(heard_, [&](const Stranger& one) {
        return one.until <= now || (one.router == router && one.resolver == resolver.resolver);
    });
    if (heard_.size() >= shown_max) heard_.erase(heard_.begin());
    heard_.push_back({router, resolver.resolver, now + std::min(resolver.lifetime, shown_for_max)});
}

std::vector<Strangers::Stranger> Strangers::standing(Clock::time_point now) const {
    std::vector<Stranger> found = heard_;
    std::erase_if(found, [&](const Stranger& one) { return one.until <= now; });
    return found;
}

}  // namespace porchlight::ra
