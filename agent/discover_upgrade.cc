#include "agent/discover_upgrade.h"

#include <algorithm>

#include "agent/discover_verdict.h"

namespace porchlight::agent::discover {
namespace {

constexpr std::string_view star = "*.";

std::string text_of(const Preconfigured& preconfigured) {
    return (preconfigured.below ? std::string(star) : std::string()) +
           dns::to_host(preconfigured.name);
}

/// Announced to hosts, by a name.
bool is_announced(const Told& told, const Candidate& candidate) {
    return told.carrier != Carrier::svcb && candidate.told.adn.has_value();
}

}  // namespace

Result<Preconfigured> parse_preconfigured(std::string_view text) {
    Preconfigured preconfigured;
    preconfigured.below = text.starts_with(star);
    if (preconfigured.below) text.remove_prefix(star.size());
    auto name = dns::parse_name(text);
    if (!name || !dns::is_host_name(*name) || dns::reads_as_address(*name))
        return Error{Errc::malformed, "neither a host's name nor one behind *."};
    preconfigured.name = *std::move(name);
    return preconfigured;
}

bool covers(const Preconfigured& preconfigured, const dns::Name& name) {
    if (!preconfigured.below) return name == preconfigured.name;
    return name.is_within(preconfigured.name) && name != preconfigured.name;
}

Upgrade judge_upgrade(const Preconfigured& preconfigured, std::span<const Told> told) {
    Upgrade upgrade;
    upgrade.sentence = "A host with " + text_of(preconfigured) + " preconfigured ";
    const Candidate* covered = nullptr;
    const Candidate* chosen = nullptr;
    for (const Told& one : told)
        for (const Offer& offer : one.offers)
            for (const Candidate& candidate : offer.resolvers) {
                if (!is_announced(one, candidate)) continue;
                const std::string name = dns::to_host(*candidate.told.adn);
                if (covers(preconfigured, *candidate.told.adn)) {
                    if (covered == nullptr) covered = &candidate;
                    if (chosen == nullptr && working(candidate) != nullptr) chosen = &candidate;
                } else if (std::find(upgrade.refused.begin(), upgrade.refused.end(), name) ==
                           upgrade.refused.end()) {
                    upgrade.refused.push_back(name);
                }
            }
    upgrade.upgrades = chosen != nullptr;
    if (chosen != nullptr)
        upgrade.sentence += "upgrades to " + resolver_text(chosen->told) + " over " +
                            protocol_text(working(*chosen)->alpn) +
                            ": its certificate proves that name.";
    else if (covered != nullptr)
        upgrade.sentence += "does not upgrade: " + resolver_text(covered->told) +
                            " is one of those, but does not work (" + why_not(*covered) + ").";
    else if (!upgrade.refused.empty())
        upgrade.sentence +=
            "does not upgrade: " + upgrade.refused.front() + " is not one of those.";
    else
        upgrade.sentence += "does not upgrade: no resolver is announced by a name.";
    return upgrade;
}

}  // namespace porchlight::agent::discover
