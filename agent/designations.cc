#include "agent/designations.h"

#include <algorithm>
#include <optional>

namespace porchlight::agent {
namespace {

using forwarder::Designations;

template <class Item>
void keep_common(std::vector<Item>& items, const std::vector<Item>& others) {
    std::erase_if(items, [&](const Item& one) {
        return std::find(others.begin(), others.end(), one) == others.end();
    });
}

/// Whether there can be hosts on the link that ask the companion.
bool may_have_hosts(const std::vector<net::Link>& links, const std::string& name) {
    return std::any_of(links.begin(), links.end(), [&](const net::Link& link) {
        return link.name == name && link.up && !announced_addresses(link).empty();
    });
}

bool is_told_of_router(const Config& config, const std::string& link) {
    return std::any_of(config.lan.begin(), config.lan.end(), [&](const LanConfig& lan) {
        return lan.interface == link && resolve_mode(config, lan) == Mode::forwarder;
    });
}

bool is_of(const dns::SvcParams& params, Transport transport) {
    const bool is_dot = params.alpn.front() == "dot";
    return is_dot == (transport == Transport::dot);
}

/// An entry of the plan as one for each of its transports. A port that is told is that of one.
std::vector<dns::SvcParams> by_transport(const dns::SvcParams& entry) {
    dns::SvcParams dot = entry, doh = entry;
    std::erase_if(dot.alpn, [](const std::string& id) { return id != "dot"; });
    dot.dohpath.reset();
    std::erase(doh.alpn, "dot");
    std::vector<dns::SvcParams> parts{std::move(dot), std::move(doh)};
    std::erase_if(parts, [](const dns::SvcParams& part) { return part.alpn.empty(); });
    return parts;
}

/// Behind the choice of what is true of several links, which have to be alike for that.
void number(Designations& told, Transport preferred) {
    std::stable_partition(told.records.begin(), told.records.end(),
                          [&](const dns::Svcb& record) { return is_of(record.params, preferred); });
    std::uint16_t priority = 1;
    for (dns::Svcb& record : told.records) record.priority = priority++;
}

/// All of one priority yet.
Designations of_link(const Config& config, const LinkPlan& link) {
    Designations told{link.link, {}, {}};
    if (!is_told_of_router(config, link.link)) return told;
    for (const dns::EncryptedResolver& resolver : link.resolvers) {
        // For a moment after a change of mode hosts still have those of before.
        if (resolver.adn != config.resolver->adn) continue;
        for (dns::SvcParams& params : by_transport(resolver.params)) {
            dns::Svcb record{1, resolver.adn, std::move(params)};
            if (!dns::why_not_usable(record)) told.records.push_back(std::move(record));
        }
        for (const IpAddress& address : resolver.addresses) {
            // A link-local address means nothing without its link, which DNS can't say.
            const auto* v6 = std::get_if<Ipv6>(&address);
            const bool is_told = std::find(told.addresses.begin(), told.addresses.end(), address) !=
                                 told.addresses.end();
            if (!is_told && (v6 == nullptr || !is_link_local(*v6)))
                told.addresses.push_back(address);
        }
    }
    return told;
}

}  // namespace

std::vector<Designations> designations(const Config& config, const Plan& plan,
                                       const std::vector<net::Link>& links) {
    std::vector<Designations> whole;
    if (!config.announce.ddr || !config.resolver) return whole;
    std::optional<Designations> everywhere;
    for (const LinkPlan& link : plan.links) {
        Designations told = of_link(config, link);
        if (!everywhere && may_have_hosts(links, link.link)) {
            everywhere = told;
        } else if (may_have_hosts(links, link.link)) {
            keep_common(everywhere->records, told.records);
            keep_common(everywhere->addresses, told.addresses);
        }
        if (!told.records.empty()) whole.push_back(std::move(told));
    }
    if (everywhere && !everywhere->records.empty()) {
        everywhere->link.clear();
        whole.push_back(*std::move(everywhere));
    }
    for (Designations& told : whole) number(told, config.announce.ddr_prefers);
    return whole;
}

}  // namespace porchlight::agent
