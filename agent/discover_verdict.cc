#include "agent/discover_verdict.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/escape.h"

namespace porchlight::agent::discover {
namespace {

/// A resolver, and who told of it.
struct Choice {
    const Told* told = nullptr;
    const Candidate* candidate = nullptr;
};

/// Every well-formed resolver in the order in which hosts take them: DHCP's before those of
/// advertisements (RFC 8106 section 5.3.1), what is announced before what has to be asked for (RFC
/// 9463 section 3.2), and the preferred ones first.
std::vector<Choice> in_order(std::span<const Told> told) {
    std::vector<Choice> all;
    for (const Carrier carrier : {Carrier::dhcpv6, Carrier::dhcpv4, Carrier::ra, Carrier::svcb}) {
        const auto first = static_cast<std::ptrdiff_t>(all.size());
        for (const Told& one : told) {
            if (one.carrier != carrier) continue;
            for (const Offer& offer : one.offers)
                for (const Candidate& candidate : offer.resolvers)
                    all.push_back({&one, &candidate});
        }
        std::stable_sort(all.begin() + first, all.end(), [](const Choice& a, const Choice& b) {
            return a.candidate->told.priority.value_or(0) < b.candidate->told.priority.value_or(0);
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
            for (const Candidate& candidate : offer.resolvers)
                if (candidate.told.adn && !candidate.told.why_not_usable &&
                    one.carrier != Carrier::svcb)
                    by_sender[std::string(title(one.carrier)) + " from " +
                              to_text(one.from.address)]
                        .insert(dns::to_host(*candidate.told.adn));
    std::vector<std::string> all;
    const bool same = std::all_of(by_sender.begin(), by_sender.end(), [&](const auto& one) {
        return one.second == by_sender.begin()->second;
    });
    if (same) return all;
    for (const auto& [sender, names] : by_sender)
        all.push_back(sender + " names " + joined({names.begin(), names.end()}, " and "));
    return all;
}

std::string use_sentence(const std::string& where, const Choice& choice, const Trial& trial) {
    const std::string by = " over " + protocol_text(trial.alpn);
    const std::string who = resolver_text(choice.candidate->told) + by;
    if (choice.told->carrier != Carrier::svcb)
        return "Hosts on " + where + " use " + who + ": it answers, and its certificate is good.";
    if (choice.told->of_name)
        return "Hosts on " + where + " that look up " + dns::to_host(*choice.told->of_name) +
               " use " + who + ": it answers, and its certificate is good.";
    const std::string address = to_text(choice.told->from.address);
    if (trial.proof == Proof::address)
        return "Hosts on " + where + " that ask " + address + " for an encrypted resolver use " +
               who + ": it answers, and its certificate proves that address.";
    return "Hosts on " + where + " that ask " + address + " for an encrypted resolver may use " +
           who + ": it answers, but nothing proves who it is.";
}

const Trial* first_hung_up(const Candidate& candidate) {
    const auto found =
        std::find_if(candidate.trials.begin(), candidate.trials.end(),
                     [](const Trial& one) { return one.outcome == Outcome::hung_up; });
    return found == candidate.trials.end() ? nullptr : &*found;
}

bool proves_itself(const Choice& choice) {
    const Trial* trial = working(*choice.candidate);
    return trial != nullptr && trial->proof != Proof::nothing;
}

}  // namespace

Verdict judge(std::string_view interface, std::span<const Told> told) {
    Verdict verdict;
    verdict.contradictions = contradictions(told);
    const std::string where = escape(interface);
    const std::vector<Choice> choices = in_order(told);
    auto chosen = std::find_if(choices.begin(), choices.end(), proves_itself);
    verdict.usable = chosen != choices.end();
    if (!verdict.usable)
        chosen = std::find_if(choices.begin(), choices.end(),
                              [](const Choice& one) { return working(*one.candidate) != nullptr; });
    const bool offered =
        std::any_of(told.begin(), told.end(), [](const Told& one) { return !one.offers.empty(); });
    if (chosen != choices.end())
        verdict.sentence = use_sentence(where, *chosen, *working(*chosen->candidate));
    else if (const auto open =
                 std::find_if(choices.begin(), choices.end(),
                              [](const Choice& one) { return is_undecided(*one.candidate); });
             open != choices.end())
        verdict.sentence = "The network of " + where + " offers " +
                           resolver_text(open->candidate->told) + ", which could not be tried (" +
                           why_not(*open->candidate) + "): try again in a minute.";
    else if (!choices.empty())
        verdict.sentence = "The network of " + where + " offers " +
                           resolver_text(choices.front().candidate->told) +
                           ", but it does not work (" + why_not(*choices.front().candidate) +
                           "): hosts fall back to clear text.";
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

const Trial* working(const Candidate& candidate) {
    const auto found = std::find_if(candidate.trials.begin(), candidate.trials.end(),
                                    [](const Trial& one) { return one.outcome == Outcome::works; });
    return found == candidate.trials.end() ? nullptr : &*found;
}

bool is_undecided(const Candidate& candidate) {
    return working(candidate) == nullptr && first_hung_up(candidate) != nullptr;
}

std::string why_not(const Candidate& candidate) {
    if (candidate.told.why_not_usable) return escape(*candidate.told.why_not_usable);
    if (const Trial* trial = first_hung_up(candidate)) return escape(trial->why);
    for (const Trial& trial : candidate.trials)
        if (trial.outcome != Outcome::not_tried) return escape(trial.why);
    if (!candidate.trials.empty()) return escape(candidate.trials.front().why);
    return candidate.told.addresses.empty() ? "no address of it is known"
                                            : "it has no protocol that is known here";
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
