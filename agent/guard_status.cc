#include "agent/guard_status.h"

#include <nlohmann/json.hpp>

#include "core/escape.h"

namespace porchlight::agent {
namespace {

using Json = nlohmann::ordered_json;

/// Beyond these a person reads the list, not the warnings.
constexpr std::size_t warnings_max = 8;

std::int64_t seconds_since(Clock::time_point then, Clock::time_point now) {
    return std::chrono::floor<std::chrono::seconds>(now - then).count();
}

Json rogue_json(const Rogue& rogue, Clock::time_point now) {
    Json json{{"link", rogue.link},
              {"port", rogue.port},
              {"mac", net::to_text(rogue.mac)},
              {"by", kind_name(rogue.kind)},
              {"threat", threat_name(rogue.threat)},
              {"as_this_router", rogue.as_this_router},
              {"address", to_text(rogue.address)}};
    if (!rogue.server.empty()) json["server"] = rogue.server;
    json["resolvers"] = Json::array();
    for (const StrangeResolver& one : rogue.resolvers) json["resolvers"].push_back(one.name);
    json["messages"] = rogue.messages;
    json["seconds_since_first"] = seconds_since(rogue.first_seen, now);
    json["seconds_since_last"] = seconds_since(rogue.last_seen, now);
    json["text"] = sentence(rogue);
    return json;
}

}  // namespace

Json guard_json(const GuardStatus& guard, Clock::time_point now) {
    Json json{{"detects", guard.detects},
              {"blocks", guard.blocks},
              {"validates_sources", guard.validates_sources}};
    if (guard.validates_sources) json["leases"] = guard.leases;
    json["listens_at"] = Json::array();
    for (const GuardPort& port : guard.ports) json["listens_at"].push_back(port.port);
    json["rogues"] = Json::array();
    for (const Rogue& rogue : guard.rogues) json["rogues"].push_back(rogue_json(rogue, now));
    json["counters"] = {{"frames", guard.counters.frames},
                        {"messages", guard.counters.messages.sum()},
                        {"malformed", guard.counters.malformed},
                        {"untold", guard.counters.untold},
                        {"blocked", guard.dropped.blocked.sum()},
                        {"forged", guard.dropped.forged},
                        {"by_kind", Json::object()}};
    for (const ServerKind kind : server_kinds)
        json["counters"]["by_kind"][std::string(word_of(kind))] = {
            {"messages", guard.counters.messages[kind]},
            {"naming_a_resolver", guard.counters.naming[kind]},
            {"blocked", guard.dropped.blocked[kind]}};
    return json;
}

std::vector<std::string> guard_warnings(const GuardStatus& guard) {
    std::vector<std::string> list;
    std::size_t unnamed = 0;
    for (const Rogue& rogue : guard.rogues) {
        if (rogue.threat == Threat::beside) continue;
        if (list.size() < warnings_max)
            list.push_back(sentence(rogue));
        else
            ++unnamed;
    }
    if (unnamed > 0)
        list.push_back("and " + std::to_string(unnamed) +
                       " more devices act as router or DHCP server of this home");
    return list;
}

std::string guard_text(const Json& json) {
    const bool validates = json.at("validates_sources") == true;
    if (json.at("detects") != true && json.at("blocks") != true && !validates) return "";
    std::string ports;
    for (const Json& port : json.at("listens_at"))
        ports += (ports.empty() ? "" : ", ") + escape(port.get<std::string>());
    std::string text = "\nRogue routers and DHCP servers (" +
                       (ports.empty() ? "listening nowhere" : "listening at " + ports) +
                       (json.at("blocks") == true ? "; blocking" : "") + ")\n";
    if (json.at("rogues").empty()) text += "  none\n";
    for (const Json& rogue : json.at("rogues"))
        text += "  " + escape(rogue.at("text").get<std::string>()) + "; " +
                rogue.at("messages").dump() + " messages from " +
                escape(rogue.at("address").get<std::string>()) + ", the last " +
                rogue.at("seconds_since_last").dump() + " s ago\n";
    if (json.at("blocks") == true)
        text += "  " + json.at("counters").at("blocked").dump() + " messages blocked\n";
    if (validates)
        text += "  " + json.at("counters").at("forged").dump() +
                " packets dropped that came from another's address; " + json.at("leases").dump() +
                " leases known\n";
    return text;
}

}  // namespace porchlight::agent
