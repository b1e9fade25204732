#include "agent/queries.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/address_field.h"

namespace porchlight::agent {
namespace {

using Json = nlohmann::ordered_json;
using forwarder::LoggedQuery;
using forwarder::QueryCounts;

constexpr const char* levels[] = {"off", "counters", "names", "full"};
constexpr const char* carriers[] = {"do53", "dot", "doh"};
constexpr const char* outcomes[] = {"own", "cached", "looked up", "refused", "malformed"};
constexpr const char* rcodes[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                  "NXDOMAIN", "NOTIMP",  "REFUSED"};
/// IANA, "Extended DNS Error Codes".
constexpr const char* extended_errors[] = {"Other Error",
                                           "Unsupported DNSKEY Algorithm",
                                           "Unsupported DS Digest Type",
                                           "Stale Answer",
                                           "Forged Answer",
                                           "DNSSEC Indeterminate",
                                           "DNSSEC Bogus",
                                           "Signature Expired",
                                           "Signature Not Yet Valid",
                                           "DNSKEY Missing",
                                           "RRSIGs Missing",
                                           "No Zone Key Bit Set",
                                           "NSEC Missing",
                                           "Cached Error",
                                           "Not Ready",
                                           "Blocked",
                                           "Censored",
                                           "Filtered",
                                           "Prohibited",
                                           "Stale NXDOMAIN Answer",
                                           "Not Authoritative",
                                           "Not Supported",
                                           "No Reachable Authority",
                                           "Network Error",
                                           "Invalid Data",
                                           "Signature Expired before Valid",
                                           "Too Early",
                                           "Unsupported NSEC3 Iterations Value",
                                           "Unable to conform to policy",
                                           "Synthesized"};
/// Of QueryCounts::types.
constexpr const char* types[] = {"A",   "AAAA", "HTTPS", "SVCB", "PTR",  "TXT",
                                 "SRV", "MX",   "NS",    "SOA",  "CNAME"};
static_assert(std::size(types) == QueryCounts::types.size());

std::string type_name(std::uint16_t type) {
    const auto& known = QueryCounts::types;
    const auto at = std::find(known.begin(), known.end(), type);
    if (at != known.end()) return types[at - known.begin()];
    return "TYPE" + std::to_string(type);  // RFC 3597 section 5
}

std::string rcode_name(std::size_t rcode) {
    return rcode < std::size(rcodes) ? rcodes[rcode] : "RCODE" + std::to_string(rcode);
}

std::string extended_error_name(std::size_t code) {
    return code < std::size(extended_errors) ? extended_errors[code]
                                             : "extended error " + std::to_string(code);
}

/// The members that are not zero.
template <class Numbers, class NameOf>
Json counts_json(const Numbers& numbers, NameOf name_of) {
    Json json = Json::object();
    for (std::size_t i = 0; i < numbers.size(); ++i)
        if (numbers[i] != 0) json[name_of(i)] = numbers[i];
    return json;
}

std::string network_text(const forwarder::LoggedClient& client) {
    if (client.family == family_ipv4) {
        Ipv4 address;
        std::copy_n(client.network.begin(), 3, address.octets.begin());
        return to_text(IpAddress(address)) + "/24";
    }
    Ipv6 address;
    std::copy(client.network.begin(), client.network.end(), address.octets.begin());
    return to_text(IpAddress(address)) + "/56";
}

std::string pseudonym_text(std::uint32_t pseudonym) {
    std::array<char, 9> text{};
    std::snprintf(text.data(), text.size(), "%08x", static_cast<unsigned>(pseudonym));
    return text.data();
}

Json query_json(const LoggedQuery& query) {
    Json json;
    json["seconds_ago"] = query.age.count();
    json["name"] = query.name ? Json(dns::to_text(*query.name)) : Json(nullptr);
    json["type"] = type_name(query.type);
    json["over"] = carriers[static_cast<std::size_t>(query.over)];
    json["outcome"] = outcomes[static_cast<std::size_t>(query.outcome)];
    json["rcode"] = rcode_name(query.rcode);
    if (query.extended_error != 0) {
        json["extended_error"] = query.extended_error;
        json["extended_error_text"] = extended_error_name(query.extended_error);
    }
    if (query.client.family != 0) {
        json["client"] = pseudonym_text(query.client.pseudonym);
        json["network"] = network_text(query.client);
    }
    return json;
}

std::string counts_line(const std::string& head, const Json& counts) {
    std::string line = head;
    for (const auto& [name, number] : counts.items())
        line += "  " + name + " " + std::to_string(number.template get<std::uint64_t>());
    return line + "\n";
}

/// "5s", "12min", "3h": as near as a person wants to know.
std::string age_text(std::uint64_t seconds) {
    if (seconds < 120) return std::to_string(seconds) + "s";
    if (seconds < 7200) return std::to_string(seconds / 60) + "min";
    return std::to_string(seconds / 3600) + "h";
}

std::string padded(std::string text, std::size_t columns) {
    if (text.size() < columns) text.resize(columns, ' ');
    return text;
}

/// `with_clients`: some of the lines beside it say who asked.
std::string query_line(const Json& query, bool with_clients) {
    const auto text = [&](const char* member) {
        return query.contains(member) && query[member].is_string()
                   ? query[member].template get<std::string>()
                   : std::string("-");
    };
    std::string line = padded(age_text(query.at("seconds_ago").template get<std::uint64_t>()), 6) +
                       padded(text("type"), 7) + padded(text("rcode"), 10) +
                       padded(text("outcome"), 11) + padded(text("over"), 6);
    if (with_clients) line += padded(text("client"), 9) + padded(text("network"), 24);
    line += text("name");
    if (query.contains("extended_error_text")) line += "  (" + text("extended_error_text") + ")";
    return line + "\n";
}

std::string text_of_json(const Json& json, std::size_t count) {
    const std::string level = json.at("level").template get<std::string>();
    if (level == "off")
        return "Nothing is noted: query_log.level in the configuration is \"off\".\n";
    std::string text;
    text += counts_line("outcomes", json.at("outcomes"));
    text += counts_line("types   ", json.at("types"));
    text += counts_line("rcodes  ", json.at("rcodes"));
    text += counts_line("over    ", json.at("over"));
    const Json& queries = json.at("queries");
    if (!queries.empty()) text += "\n";
    const bool with_clients = std::any_of(queries.begin(), queries.end(),
                                          [](const Json& one) { return one.contains("client"); });
    for (std::size_t i = 0; i < std::min(count, queries.size()); ++i)
        text += query_line(queries[i], with_clients);
    return text;
}

}  // namespace

std::string queries_json(const forwarder::QueryReport& report) {
    const QueryCounts& counts = report.counts;
    Json json;
    json["level"] = levels[static_cast<std::size_t>(report.level)];
    json["outcomes"] = counts_json(counts.by_outcome, [](std::size_t i) { return outcomes[i]; });
    json["types"] = counts_json(
        counts.by_type, [](std::size_t i) { return i < std::size(types) ? types[i] : "other"; });
    json["rcodes"] = counts_json(counts.by_rcode, rcode_name);
    json["over"] = counts_json(counts.by_carrier, [](std::size_t i) { return carriers[i]; });
    json["queries"] = Json::array();
    for (const LoggedQuery& query : report.queries) json["queries"].push_back(query_json(query));
    return json.dump(2);
}

Result<std::string> newest_queries(std::string_view text, std::size_t count) {
    try {
        Json json = Json::parse(text);
        Json& queries = json.at("queries");
        while (queries.size() > count) queries.erase(queries.size() - 1);
        return json.dump(2) + "\n";
    } catch (const Json::exception& error) {
        return Error{Errc::malformed, std::string("the daemon's answer: ") + error.what()};
    }
}

Result<std::string> queries_text(std::string_view json, std::size_t count) {
    try {
        return text_of_json(Json::parse(json), count);
    } catch (const Json::exception& error) {
        return Error{Errc::malformed, std::string("the daemon's answer: ") + error.what()};
    }
}

}  // namespace porchlight::agent
