#include <nlohmann/json.hpp>

#include "agent/discover_report.h"

namespace porchlight::agent::discover {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Sender& from) {
    Json json{{"address", porchlight::to_text(from.address)}};
    if (!from.hardware_address.empty()) json["mac"] = to_hex(from.hardware_address, ':');
    return json;
}

Json to_json(Carrier carrier, const ResolverRecord& resolver) {
    // As `porchlight options decode` shows it: one form for both.
    Json json = Json::parse(resolvers_to_json({&resolver, 1}))[0];
    for (const std::string& remark : remarks(carrier, resolver)) json["remarks"].push_back(remark);
    return json;
}

Json to_json(const Told& told, const Offer& offer) {
    Json json;
    json["carrier"] = name(told.carrier);
    json["format"] = offer.format == dns::Format::rfc9463 ? "rfc9463" : "draft-btw-11";
    json["from"] = to_json(told.from);
    json["octets"] = to_hex(offer.octets);
    if (offer.malformed) json["malformed"] = *offer.malformed;
    json["resolvers"] = Json::array();
    for (const ResolverRecord& resolver : offer.resolvers)
        json["resolvers"].push_back(to_json(told.carrier, resolver));
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
