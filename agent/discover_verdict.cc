#include "agent/discover_verdict.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/escape.h"

namespace porchlight::agent::discover {
namespace {

/// Every well-formed resolver in the order in which hosts take them: DHCP's before those of
/// advertisements (RFC 8106 section 5.3.1), and the preferred ones first.
std::vector<const ResolverRecord*> in_order(std::span<const Told> told) {
    std::vector<const ResolverRecord*> all;
    for (const Carrier carrier : {Carrier::dhcpv6, Carrier::dhcpv4, Carrier::ra, Carrier::svcb}) {
        const auto first = static_cast<std::ptrdiff_t>(all.size());
        for (const Told& one : told) {
            if (one.carrier != carrier) continue;
            for (const Offer& offer : one.offers)
                for (const ResolverRecord& resolver : offer.resolvers) all.push_back(&resolver);
        }
        std::stable_sort(all.begin() + first, all.end(),
                         [](const ResolverRecord* a, const ResolverRecord* b) {
                             return a->priority.value_or(0) < b->priority.value_or(0);
                         });
    }
    return all;
}

std::string joined(const std::vector<std::string>& words, std::string_view last) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? last : std::string_view(", ");
        text += words[i];
    }
    return text;
}

/// Who names whom, where that is not the same everywhere. Who names nobody contradicts nobody: an
/// option that is absent means nothing (RFC 4861 section 9).
std::vector<std::string> contradictions(std::span<const Told> told) {
    std::map<std::string, std::set<std::string>> by_sender;
    for (const Told& one : told)
        for (const Offer& offer : one.offers)
            for (const ResolverRecord& resolver : offer.resolvers)
                if (resolver.adn && !resolver.why_not_usable && one.carrier != Carrier::svcb)
                    by_sender[std::string(title(one.carrier)) + " from " +
                              to_text(one.from.address)]
                        .insert(dns::to_host(*resolver.adn));
    std::vector<std::string> all;
    const bool same = std::all_of(by_sender.begin(), by_sender.end(), [&](const auto& one) {
        return one.second == by_sender.begin()->second;
    });
    if (same) return all;
    for (const auto& [sender, names] : by_sender)
        all.push_back(sender + " names " + joined({names.begin(), names.end()}, " and "));
    return all;
}

}  // namespace

Verdict judge(std::string_view interface, std::span<const Told> told) {
    Verdict verdict;
    verdict.contradictions = contradictions(told);
    const std::string where = escape(interface);
    const auto resolvers = in_order(told);
    const auto usable = std::find_if(resolvers.begin(), resolvers.end(),
                                     [](const auto* one) { return !one->why_not_usable; });
    if (usable != resolvers.end()) {
        verdict.usable = true;
        const std::string by = protocols_text(**usable);
        verdict.sentence = "Hosts on " + where + " are offered " + resolver_text(**usable) +
                           (by.empty() ? "" : " over " + by) + ".";
        return verdict;
    }
    const bool offered =
        std::any_of(told.begin(), told.end(), [](const Told& one) { return !one.offers.empty(); });
    if (!resolvers.empty())
        verdict.sentence = "Hosts on " + where + " are offered " +
                           resolver_text(*resolvers.front()) + ", which no host can use (" +
                           *resolvers.front()->why_not_usable + "): they ask in clear text.";
    else if (offered)
        verdict.sentence =
            "The network of " + where + " offers what no host can read: hosts ask in clear text.";
    else if (told.empty())
        verdict.sentence = "Nobody on " + where + " answered: no DHCP server, no router.";
    else
        verdict.sentence =
            "The network of " + where + " offers no encrypted resolver: hosts ask in clear text.";
    return verdict;
}

std::string protocol_text(std::string_view alpn) {
    if (alpn == "dot") return "TLS";
    if (alpn == "doq") return "QUIC";
    if (alpn == "h2" || alpn == "http/1.1") return "HTTPS";
    if (alpn == "h3") return "HTTP/3";
    return escape(alpn);
}

std::string protocols_text(const ResolverRecord& resolver) {
    std::vector<std::string> words;
    for (const std::string& id : resolver.params.alpn) {
        const std::string word = protocol_text(id);
        if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    }
    return joined(words, " and ");
}

std::string resolver_text(const ResolverRecord& resolver) {
    std::vector<std::string> addresses;
    for (const IpAddress& address : resolver.addresses) addresses.push_back(to_text(address));
    const std::string where = joined(addresses, ", ");
    if (!resolver.adn) return where.empty() ? "a resolver without a name" : where;
    return dns::to_host(*resolver.adn) + (where.empty() ? "" : " (" + where + ")");
}

}  // namespace porchlight::agent::discover
