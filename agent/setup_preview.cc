#include "agent/setup_preview.h"

#include <algorithm>
#include <functional>
#include <map>

#include "agent/announcement.h"
#include "agent/plan.h"
#include "agent/setup_carriers.h"
#include "agent/table_text.h"
#include "core/escape.h"

namespace porchlight::agent::setup {
namespace {

constexpr std::size_t columns = 78;

std::string host_of(const dns::Name& name) {
    std::string text = dns::to_text(name);
    if (text.size() > 1) text.pop_back();
    return text;
}

/// "a", "a and b", "a, b and c".
std::string enumerated(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
    return text;
}

std::string protocols_of(const dns::SvcParams& params) {
    std::vector<std::string> names;
    for (const std::string& alpn : params.alpn) {
        const std::string name = alpn == "dot" ? "TLS" : alpn == "doq" ? "QUIC" : "HTTPS";
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    if (names.empty()) return "";
    std::string text = " by DNS over " + enumerated(names);
    if (params.port) text += ", port " + std::to_string(*params.port);
    return text;
}

std::string sentence(const dns::EncryptedResolver& resolver) {
    std::vector<std::string> addresses;
    for (const IpAddress& one : resolver.addresses) addresses.push_back(porchlight::to_text(one));
    std::string text = host_of(resolver.adn) + protocols_of(resolver.params);
    if (!addresses.empty()) text += " at " + enumerated(addresses);
    return text;
}

std::string carrier_name(const std::string& carrier) {
    if (carrier == "dhcpv4") return "DHCPv4";
    return carrier == "dhcpv6" ? "DHCPv6" : "Router Advertisement";
}

using Silent = std::function<std::string(const std::string& carrier)>;

std::string carriers_of(const std::vector<CarrierStatus>& carriers, const std::string& link,
                        const Silent& why_silent) {
    std::vector<std::string> telling;
    std::string silent, left_out;
    for (const CarrierStatus& one : carriers) {
        if (one.link != link || one.is_group) continue;
        const std::string name = carrier_name(one.carrier);
        const std::string why = one.announced ? why_silent(one.carrier) : "";
        if (!why.empty())
            silent += wrapped("not by " + name + ": " + why, "  ", columns);
        else if (one.announced)
            telling.push_back(name);
        for (const std::string& what : one.left_out)
            left_out += wrapped("left out of " + name + ": " + escape(what), "  ", columns);
    }
    std::string text;
    if (!telling.empty())
        text = wrapped("by " + enumerated(telling), "  ", columns);
    else if (!silent.empty())
        text = "  by nothing yet:\n";
    else
        left_out += "  by nothing: no carrier is switched on or has room\n";
    return text + silent + left_out;
}

}  // namespace

std::string preview(const Config& config, const Found& found,
                    const std::optional<DnsmasqFound>& dnsmasq) {
    Facts facts;
    std::map<std::string, net::Link> links;
    for (const FoundLink& one : found.links) {
        facts.links.push_back(one.link);
        links[one.link.name] = one.link;
    }
    for (const LanConfig& lan : config.lan)
        for (const std::uint16_t port :
             config.resolver ? ports(*config.resolver) : std::vector<std::uint16_t>())
            facts.fitness.push_back({lan.interface, true, {}, true, port});
    const Plan planned = plan(config, facts);
    const Config used = in_force(config, found);
    const Announcement announcement = announce(used, planned);
    std::string text;
    for (const LinkPlan& link : planned.links) {
        const std::string hosts = "Hosts on " + link.link + " would be told of";
        if (link.resolvers.empty()) {
            text += wrapped(hosts + " nothing: " + link.why, "", columns);
            continue;
        }
        text += hosts + "\n";
        for (const dns::EncryptedResolver& resolver : link.resolvers)
            text += wrapped(sentence(resolver), "  ", columns);
        links[link.link].name = link.link;  // also of one that is not here yet
        text += carriers_of(announcement.carriers, link.link, [&](const std::string& carrier) {
            return why_silent(used.announce, carrier, links[link.link], found, dnsmasq);
        });
    }
    if (planned.router)
        text += "once the certificate is there and the router's own listeners answer.\n";
    return text;
}

}  // namespace porchlight::agent::setup
