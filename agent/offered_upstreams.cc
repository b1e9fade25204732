#include "agent/offered_upstreams.h"

#include <algorithm>

namespace porchlight::agent {
namespace {

using forwarder::UpstreamSettings;

constexpr std::uint16_t dot_port = 853;  // RFC 7858 section 3.1

bool speaks_dot(const dns::SvcParams& params) {
    return std::find(params.alpn.begin(), params.alpn.end(), "dot") != params.alpn.end();
}

bool is_this_router(const dns::Name& adn, const Config& config) {
    return config.resolver && config.resolver->adn == adn;
}

UpstreamSettings upstream(const dns::Name& adn, const std::vector<IpAddress>& addresses,
                          const dns::SvcParams& params) {
    UpstreamSettings made{adn, {}};
    for (const IpAddress& address : addresses)
        made.addresses.push_back({address, params.port.value_or(dot_port)});
    return made;
}

void add(std::vector<UpstreamSettings>& upstreams, UpstreamSettings one) {
    const bool known = std::find(upstreams.begin(), upstreams.end(), one) != upstreams.end();
    if (!one.addresses.empty() && !known) upstreams.push_back(std::move(one));
}

}  // namespace

std::vector<UpstreamSettings> offered_upstreams(const Config& config,
                                                std::span<const net::Link> links,
                                                std::span<const Offer> offers) {
    std::vector<UpstreamSettings> upstreams;
    for (const Offer& offer : sift(config, links, offers).told) {
        const dns::EncryptedResolver& resolver = offer.resolver;
        if (why_not_usable(resolver) || !speaks_dot(resolver.params) ||
            is_this_router(resolver.adn, config))
            continue;
        add(upstreams, upstream(resolver.adn, resolver.addresses, resolver.params));
    }
    return upstreams;
}

std::vector<UpstreamSettings> designated_upstreams(const Config& config,
                                                   std::span<const net::Link> links,
                                                   const IpAddress& plain,
                                                   std::span<const dns::Designation> designations) {
    std::vector<UpstreamSettings> proved, unproved;
    for (const dns::Designation& designation : designations) {
        const dns::Svcb& svcb = designation.svcb;
        if (designation.malformed || why_not_usable(svcb) || !speaks_dot(svcb.params) ||
            svcb.target == dns::Name() || is_this_router(svcb.target, config))
            continue;
        std::vector<IpAddress> addresses;
        for (const IpAddress& address : designation.addresses)
            if (why_not_beyond(config, links, address).empty()) addresses.push_back(address);
        UpstreamSettings one = upstream(svcb.target, addresses, svcb.params);
        one.designated = plain;
        add(proved, one);
        const bool same = std::find(addresses.begin(), addresses.end(), plain) != addresses.end();
        if (!same || !is_private(plain)) continue;
        one = upstream(svcb.target, {plain}, svcb.params);
        one.designated = net::Unauthenticated{};
        add(unproved, std::move(one));
    }
    proved.insert(proved.end(), unproved.begin(), unproved.end());
    return proved;
}

std::string_view to_text(UpstreamOrigin origin) {
    switch (origin) {
        case UpstreamOrigin::configuration:
            return "the configuration names them";
        case UpstreamOrigin::offer:
            return "the WAN offers them";
        case UpstreamOrigin::designation:
            return "the WAN's plain resolvers designate them";
        case UpstreamOrigin::before:
            return "they are the last that the WAN offered";
        case UpstreamOrigin::nobody:
            break;
    }
    return "the WAN offers nobody";
}

}  // namespace porchlight::agent
