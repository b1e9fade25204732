#include <nlohmann/json.hpp>

#include "agent/discover_report.h"
#include "core/escape.h"

namespace porchlight::agent::discover {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Sender& from) {
    Json json{{"address", porchlight::to_text(from.address)}};
    if (!from.hardware_address.empty()) json["mac"] = to_hex(from.hardware_address, ':');
    return json;
}

const char* text_of(Proof proof) {
    switch (proof) {
        case Proof::name:
            return "name";
        case Proof::address:
            return "address";
        case Proof::nothing:
            break;
    }
    return "nothing";
}

const char* text_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::works:
            return "works";
        case Outcome::refused:
            return "refused";
        case Outcome::unreachable:
            return "unreachable";
        case Outcome::silent:
            return "silent";
        case Outcome::hung_up:
            return "hung-up";
        case Outcome::no_answer:
            return "no-answer";
        case Outcome::not_tried:
            break;
    }
    return "not-tried";
}

Json to_json(const Trial& trial) {
    Json json{{"alpn", escape(trial.alpn)},
              {"to", porchlight::to_text(trial.to)},
              {"outcome", text_of(trial.outcome)},
              {"proof", text_of(trial.proof)}};
    if (!trial.why.empty()) json["why"] = trial.why;
    if (trial.connected_after) json["connected_after_ms"] = trial.connected_after->count();
    if (trial.answered_after) json["answered_after_ms"] = trial.answered_after->count();
    if (!trial.tls_version.empty()) json["tls"] = trial.tls_version;
    return json;
}

Json to_json(Carrier carrier, const Candidate& candidate) {
    // As `porchlight options decode` shows it: one form for both.
    Json json = Json::parse(resolvers_to_json({&candidate.told, 1}))[0];
    for (const std::string& remark : remarks(carrier, candidate.told))
        json["remarks"].push_back(remark);
    json["trials"] = Json::array();
    for (const Trial& trial : candidate.trials) json["trials"].push_back(to_json(trial));
    return json;
}

Json to_json(const Told& told, const Offer& offer) {
    Json json;
    json["carrier"] = name(told.carrier);
    json["format"] = offer.format == dns::Format::rfc9463 ? "rfc9463" : "draft-btw-11";
    json["from"] = to_json(told.from);
    if (told.of_name) json["of"] = dns::to_text(*told.of_name);
    json["octets"] = to_hex(offer.octets);
    if (offer.malformed) json["malformed"] = *offer.malformed;
    json["resolvers"] = Json::array();
    for (const Candidate& candidate : offer.resolvers)
        json["resolvers"].push_back(to_json(told.carrier, candidate));
    return json;
}

Json to_json(const Asked& asked, const std::vector<Told>& told) {
    Json json{{"carrier", name(asked.carrier)}, {"how", asked.how}};
    json["answers"] = Json::array();
    for (const Told& one : told)
        if (one.carrier == asked.carrier) json["answers"].push_back(to_json(one.from));
    if (!asked.problem.empty()) json["problem"] = asked.problem;
    return json;
}

}  // namespace

std::string to_json(const Report& report) {
    Json json{{"interface", report.interface},
              {"sentence", report.verdict.sentence},
              {"usable", report.verdict.usable}};
    if (report.upgrade)
        json["upgrade"] = {{"upgrades", report.upgrade->upgrades},
                           {"sentence", report.upgrade->sentence},
                           {"refused", report.upgrade->refused}};
    json["contradictions"] = report.verdict.contradictions;
    json["asked"] = Json::array();
    for (const Asked& asked : report.heard.asked)
        json["asked"].push_back(to_json(asked, report.heard.told));
    json["offers"] = Json::array();
    json["plain"] = Json::array();
    for (const Told& told : report.heard.told) {
        for (const Offer& offer : told.offers) json["offers"].push_back(to_json(told, offer));
        for (const IpAddress& address : told.plain)
            json["plain"].push_back({{"address", porchlight::to_text(address)},
                                     {"carrier", name(told.carrier)},
                                     {"from", to_json(told.from)}});
    }
    json["notes"] = report.heard.notes;
    return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace porchlight::agent::discover
