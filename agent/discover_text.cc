#include <algorithm>

#include "agent/discover_report.h"
#include "core/clock.h"
#include "core/escape.h"

namespace porchlight::agent::discover {
namespace {

std::string sender_text(const Sender& from) {
    const std::string hardware = to_hex(from.hardware_address, ':');
    return porchlight::to_text(from.address) + (hardware.empty() ? "" : " (" + hardware + ")");
}

std::string lifetime_text(std::chrono::seconds lifetime) {
    constexpr std::chrono::seconds for_ever{0xffffffff};
    if (lifetime == for_ever) return "good for ever";
    return "good for " + porchlight::to_text(lifetime);
}

std::string facts_text(const ResolverRecord& resolver) {
    std::string text;
    if (const std::string by = protocols_text(resolver); !by.empty()) text += "over " + by + "; ";
    if (resolver.params.port) text += "port " + std::to_string(*resolver.params.port) + "; ";
    if (resolver.params.dohpath) text += "path " + escape(*resolver.params.dohpath) + "; ";
    for (const std::string& one : resolver.templates) text += "template " + escape(one) + "; ";
    if (resolver.priority) text += "priority " + std::to_string(*resolver.priority) + "; ";
    if (resolver.lifetime) text += lifetime_text(*resolver.lifetime) + "; ";
    return text.substr(0, text.size() - std::min<std::size_t>(text.size(), 2));
}

std::string trial_text(const Trial& trial) {
    const std::string what =
        "    " + protocol_text(trial.alpn) + " at " + porchlight::to_text(trial.to) + ": ";
    const auto took = [&] {
        return trial.tls_version + " after " + porchlight::to_text(*trial.connected_after);
    };
    switch (trial.outcome) {
        case Outcome::works: {
            const std::string proved =
                trial.proof == Proof::nothing
                    ? "answers, without proof of who it is (" + escape(trial.why) + ")"
                    : "works";
            return what + proved + "; " + took() + ", answer after " +
                   porchlight::to_text(*trial.answered_after) + "\n";
        }
        case Outcome::no_answer:
            return what + "proves who it is (" + took() + "), but " + escape(trial.why) + "\n";
        case Outcome::not_tried:
            return what + "not tried: " + escape(trial.why) + "\n";
        case Outcome::hung_up:
            return what + "could not be tried: " + escape(trial.why) + "\n";
        case Outcome::refused:
        case Outcome::unreachable:
        case Outcome::silent:
            break;
    }
    return what + "does not work: " + escape(trial.why) + "\n";
}

std::string candidate_text(Carrier carrier, const Candidate& candidate) {
    const ResolverRecord& resolver = candidate.told;
    std::string text = "  " + resolver_text(resolver) + "\n";
    if (const std::string facts = facts_text(resolver); !facts.empty())
        text += "    " + facts + "\n";
    if (resolver.why_not_usable)
        text += "    of no use to hosts: " + escape(*resolver.why_not_usable) + "\n";
    for (const std::string& remark : remarks(carrier, resolver)) text += "    " + remark + "\n";
    for (const Trial& trial : candidate.trials) text += trial_text(trial);
    return text;
}

std::string offer_text(Carrier carrier, const Offer& offer) {
    std::string text;
    if (offer.malformed) text += "  discarded by hosts: " + escape(*offer.malformed) + "\n";
    for (const Candidate& one : offer.resolvers) text += candidate_text(carrier, one);
    if (offer.format == dns::Format::draft_btw_11)
        text += "    (in the form of draft-btw-add-home-11, by our default code points)\n";
    return text + "    octets " + to_hex(offer.octets) + "\n";
}

std::string told_text(const Told& told) {
    std::string text(title(told.carrier));
    if (told.of_name) text += " for " + dns::to_host(*told.of_name);
    text += ", from " + sender_text(told.from) +
            (told.offers.empty() ? ": no encrypted resolver\n" : "\n");
    for (const Offer& offer : told.offers) text += offer_text(told.carrier, offer);
    return text;
}

std::string carrier_text(const Asked& asked, const std::vector<Told>& told) {
    std::string text;
    for (const Told& one : told)
        if (one.carrier == asked.carrier) text += told_text(one);
    if (!text.empty()) return text;
    const std::string why = asked.problem.empty() ? "nobody answered" : asked.problem;
    return std::string(title(asked.carrier)) + ": " + escape(why) + " (" + asked.how + ")\n";
}

}  // namespace

std::string to_text(const Report& report) {
    std::string text;
    if (report.upgrade) {
        text += report.upgrade->sentence + "\n";
        for (const std::string& name : report.upgrade->refused)
            text += "It does not upgrade to " + name + ".\n";
    }
    text += report.verdict.sentence + "\n";
    for (const std::string& one : report.verdict.contradictions)
        text += "Contradiction: " + one + ".\n";
    text += "\n";
    for (const Asked& asked : report.heard.asked) text += carrier_text(asked, report.heard.told);
    for (const Told& one : report.heard.told)
        if (one.carrier == Carrier::svcb) text += told_text(one);
    for (const Told& one : report.heard.told)
        for (const IpAddress& address : one.plain)
            text += "In clear text: " + porchlight::to_text(address) + ", by " +
                    std::string(title(one.carrier)) + " from " + sender_text(one.from) + "\n";
    for (const std::string& note : report.heard.notes) text += "Note: " + escape(note) + "\n";
    return text;
}

}  // namespace porchlight::agent::discover
