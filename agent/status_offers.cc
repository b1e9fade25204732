#include "agent/status_offers.h"

#include <nlohmann/json.hpp>

#include "agent/resolver_json.h"
#include "core/escape.h"

namespace porchlight::agent {
namespace {

using Json = nlohmann::ordered_json;

Json resolvers_of(const Learned& learned, Clock::time_point now) {
    std::vector<ResolverRecord> records;
    for (const Offer& offer : still_offered(learned.offers, now)) {
        ResolverRecord record;
        record.priority = offer.resolver.priority;
        record.adn = offer.resolver.adn;
        record.addresses = offer.resolver.addresses;
        record.params = offer.resolver.params;
        if (offer.until)
            record.lifetime = std::chrono::ceil<std::chrono::seconds>(*offer.until - now);
        record.why_not_usable = dns::why_not_usable(offer.resolver);
        records.push_back(std::move(record));
    }
    return Json::parse(resolvers_to_json(records));
}

Json one_json(const Learned& learned, const OffersStatus& offers) {
    Json json{{"wan", learned.wan},
              {"source", name_of(learned.source)},
              {"told_by", learned.told_by},
              {"resolvers", resolvers_of(learned, offers.now)}};
    for (const RefusedOffer& refused : offers.refused)
        if (refused.offer.wan == learned.wan && refused.offer.source == learned.source)
            json["left_out"].push_back(dns::to_text(refused.offer.resolver.adn) + ": " +
                                       refused.why);
    if (!learned.discarded.empty()) json["discarded"] = learned.discarded;
    for (const IpAddress& address : learned.plain) json["plain"].push_back(to_text(address));
    return json;
}

std::string text_of_member(const Json& json) {
    return escape(json.is_string() ? json.get<std::string>() : json.dump());
}

std::string joined(const Json& list) {
    std::string text;
    for (const Json& one : list) text += (text.empty() ? "" : ", ") + text_of_member(one);
    return text;
}

std::string resolver_text(const Json& resolver) {
    std::string text =
        "    " + text_of_member(resolver.at("priority")) + " " + text_of_member(resolver.at("adn"));
    const auto add = [&](const char* word, const char* key) {
        if (!resolver.contains(key)) return;
        const Json& value = resolver.at(key);
        text += std::string(" ") + word + " " +
                (value.is_array() ? joined(value) : text_of_member(value));
    };
    add("at", "addresses");
    add("by", "alpn");
    add("port", "port");
    add("path", "dohpath");
    if (resolver.contains("lifetime"))
        text += ", for another " + text_of_member(resolver.at("lifetime")) + " s";
    return text + "\n";
}

std::string source_text(const Json& offered) {
    std::string text = "  " + text_of_member(offered.at("wan")) + " by " +
                       text_of_member(offered.at("source")) + " (" +
                       text_of_member(offered.at("told_by")) + "):";
    text += offered.at("resolvers").empty() ? " no encrypted resolver\n" : "\n";
    for (const Json& resolver : offered.at("resolvers")) text += resolver_text(resolver);
    const auto add = [&](const char* word, const char* key) {
        if (!offered.contains(key)) return;
        for (const Json& one : offered.at(key))
            text += std::string("    ") + word + ": " + text_of_member(one) + "\n";
    };
    add("hosts are not told", "left_out");
    add("discarded", "discarded");
    if (offered.contains("plain"))
        text += "    in clear text: " + joined(offered.at("plain")) + "\n";
    return text;
}

}  // namespace

std::string offers_json(const OffersStatus& offers) {
    Json list = Json::array();
    for (const Learned& learned : offers.learned) list.push_back(one_json(learned, offers));
    return list.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string offers_text(std::string_view json) {
    const Json list = Json::parse(json);
    std::string text;
    for (const Json& offered : list) text += source_text(offered);
    return text.empty() ? "" : "\nOffered to this router\n" + text;
}

Result<std::string> offers_text_of_status(std::string_view status_json) {
    try {
        return offers_text(Json::parse(status_json).at("offers").dump());
    } catch (const Json::exception& wrong) {
        return Error{Errc::malformed,
                     std::string("the daemon's answer is no status: ") + wrong.what()};
    }
}

}  // namespace porchlight::agent
