#include "agent/status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/config.h"
#include "agent/guard_status.h"
#include "agent/status_certificate.h"
#include "core/escape.h"

namespace porchlight::agent {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::hours unused_warning{24};

std::string count(std::uint64_t number, const std::string& noun) {
    return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string join(const std::vector<std::string>& parts, const std::string& between) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
    return text;
}

/// "59 days", "5 hours", "40 minutes": as long as a person counts.
std::string span(std::chrono::seconds length) {
    using namespace std::chrono;
    if (length >= days(2))
        return count(static_cast<std::uint64_t>(floor<days>(length).count()), "day");
    if (length >= hours(2))
        return count(static_cast<std::uint64_t>(floor<hours>(length).count()), "hour");
    return count(static_cast<std::uint64_t>(floor<minutes>(length).count()), "minute");
}

std::string mode_name(Mode mode) {
    switch (mode) {
        case Mode::relay:
            return "relay";
        case Mode::forwarder:
            return "forwarder";
        case Mode::static_:
            return "static";
        case Mode::automatic:
            return "auto";
        case Mode::off:
            break;
    }
    return "off";
}

/// Links whose hosts are told the same names.
struct ToldAlike {
    std::vector<std::string> links;
    std::vector<std::string> names;
};

struct Told {
    std::vector<ToldAlike> links;
    std::vector<std::string> protocols;  // "TLS", "HTTPS", "QUIC"
    std::vector<std::string> carriers;
    std::string why_not;  // of the first link that is told nothing
};

void add_once(std::vector<std::string>& list, std::string word) {
    if (std::find(list.begin(), list.end(), word) == list.end()) list.push_back(std::move(word));
}

std::string protocol_name(const std::string& alpn) {
    if (alpn == "dot") return "TLS";
    return alpn == "doq" ? "QUIC" : "HTTPS";
}

std::string carrier_name(const std::string& carrier) {
    if (carrier == "dhcpv4") return "DHCPv4";
    if (carrier == "dhcpv6") return "DHCPv6";
    return carrier == "ddr" ? "DDR" : "RA";
}

Told what_is_told(const Status& status) {
    Told told;
    for (const LinkPlan& link : status.plan.links) {
        if (link.resolvers.empty()) {
            if (told.why_not.empty()) told.why_not = link.why;
            continue;
        }
        std::vector<std::string> names;
        for (const auto& resolver : link.resolvers) {
            add_once(names, to_host(resolver.adn));
            for (const std::string& alpn : resolver.params.alpn)
                add_once(told.protocols, protocol_name(alpn));
        }
        const auto alike = std::find_if(told.links.begin(), told.links.end(),
                                        [&](const ToldAlike& one) { return one.names == names; });
        if (alike == told.links.end())
            told.links.push_back({{link.link}, std::move(names)});
        else
            alike->links.push_back(link.link);
    }
    for (const CarrierStatus& carrier : status.carriers) {
        if (carrier.is_group) continue;
        if (carrier.announced) add_once(told.carriers, carrier_name(carrier.carrier));
        if (!carrier.announced && told.why_not.empty()) told.why_not = carrier.why;
    }
    return told;
}

bool are_offered(const std::vector<std::string>& names, const OffersStatus& offers) {
    const std::vector<Offer> all = offers_of(offers.learned);
    return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
        return std::any_of(all.begin(), all.end(),
                           [&](const Offer& offer) { return to_host(offer.resolver.adn) == name; });
    });
}

std::string usage(const Status& status) {
    if (!status.forwarder) return "the forwarder does not answer";
    if (status.forwarder->clients_today == 0) return "no host used it in the last day";
    return count(status.forwarder->clients_today, "host") + " used it in the last day";
}

std::string certificate_sentence(const CertificateStatus& certificate, WallTime now) {
    if (!certificate.fit || !certificate.not_after)
        return "its certificate is not fit: " + certificate.why;
    if (*certificate.not_after <= now)
        return "its certificate counts as good while the clock is not set";
    return "its certificate is good for " + span(*certificate.not_after - now);
}

Json resolver_json(const dns::EncryptedResolver& resolver) {
    Json json;
    json["priority"] = resolver.priority;
    json["adn"] = dns::to_text(resolver.adn);
    json["addresses"] = Json::array();
    for (const IpAddress& address : resolver.addresses)
        json["addresses"].push_back(to_text(address));
    json["alpn"] = resolver.params.alpn;
    if (resolver.params.port) json["port"] = *resolver.params.port;
    if (resolver.params.dohpath) json["dohpath"] = *resolver.params.dohpath;
    return json;
}

Json plan_json(const Plan& plan) {
    Json list = Json::array();
    for (const LinkPlan& link : plan.links) {
        Json json{{"link", link.link}, {"resolvers", Json::array()}};
        for (const auto& resolver : link.resolvers)
            json["resolvers"].push_back(resolver_json(resolver));
        if (!link.why.empty()) json["why"] = link.why;
        list.push_back(std::move(json));
    }
    return list;
}

Json groups_json(const Plan& plan) {
    Json list = Json::array();
    for (const GroupPlan& group : plan.groups) {
        Json json{{"tag", group.tag}, {"links", group.links}, {"resolvers", Json::array()}};
        for (const auto& resolver : group.resolvers)
            json["resolvers"].push_back(resolver_json(resolver));
        list.push_back(std::move(json));
    }
    return list;
}

Json chosen_json(const std::vector<ChosenCarrier>& chosen) {
    Json json = Json::object();
    for (const ChosenCarrier& one : chosen)
        json[one.carrier] = {{"by", one.by}, {"auto", one.automatic}};
    return json;
}

Json announced_json(const std::vector<CarrierStatus>& carriers) {
    Json json{{"dhcpv4", false}, {"dhcpv6", false}, {"ra", false}, {"ddr", false}};
    Json details = Json::array();
    for (const CarrierStatus& carrier : carriers) {
        if (carrier.announced && !carrier.is_group) json[carrier.carrier] = true;
        if (!carrier.announced && !carrier.is_group && !carrier.why.empty())
            json["why"] = carrier.why;
        Json one{{carrier.is_group ? "group" : "link", carrier.link},
                 {"carrier", carrier.carrier},
                 {"announced", carrier.announced}};
        if (!carrier.options.empty()) one["options"] = carrier.options;
        if (!carrier.left_out.empty()) one["left_out"] = carrier.left_out;
        if (!carrier.why.empty()) one["why"] = carrier.why;
        if (!carrier.notes.empty()) one["notes"] = carrier.notes;
        details.push_back(std::move(one));
    }
    json["carriers"] = std::move(details);
    return json;
}

Json ddr_json(const DdrStatus& ddr) {
    Json json{{"announced", ddr.announced}, {"verified_possible", ddr.verified_possible}};
    if (!ddr.why.empty()) json["why"] = ddr.why;
    return json;
}

Json lasting(Json json, const std::optional<std::chrono::seconds>& left) {
    json["seconds_left"] = left ? Json(left->count()) : Json();
    return json;
}

Json wan_json(const std::vector<WanStatus>& links) {
    Json list = Json::array();
    for (const WanStatus& wan : links) {
        Json routers = Json::array();
        for (const WanStatus::Router& router : wan.routers) {
            Json one{{"address", router.address},
                     {"heard_seconds_ago", router.heard_ago.count()},
                     {"resolvers", Json::array()},
                     {"plain", Json::array()}};
            for (const auto& [resolver, left] : router.resolvers)
                one["resolvers"].push_back(lasting(resolver_json(resolver), left));
            for (const auto& [address, left] : router.plain)
                one["plain"].push_back(lasting({{"address", address}}, left));
            if (!router.provisioning_domain.empty())
                one["provisioning_domain"] = router.provisioning_domain;
            routers.push_back(std::move(one));
        }
        Json counters = Json::object();
        for (const auto& [name, value] : wan.counters) counters[name] = value;
        list.push_back({{"link", wan.interface},
                        {"hears", wan.hears},
                        {"routers", std::move(routers)},
                        {"counters", std::move(counters)}});
    }
    return list;
}

Json tried_json(const std::vector<Upstreams::Tried>& all) {
    Json list = Json::array();
    for (const Upstreams::Tried& one : all) {
        Json json{{"adn", dns::to_host(one.upstream.adn)}, {"answers", one.answered}};
        if (!one.error.empty()) json["error"] = one.error;
        list.push_back(std::move(json));
    }
    return list;
}

Json upstreams_json(const std::optional<forwarder::Status>& status) {
    Json list = Json::array();
    if (!status) return list;
    for (const forwarder::UpstreamState& upstream : status->upstreams) {
        Json json{{"adn", dns::to_host(upstream.adn)},
                  {"address", to_text(upstream.address)},
                  {"state", !upstream.reachable     ? "unreachable"
                            : upstream.queries == 0 ? "not asked yet"
                                                    : "reachable"},
                  {"queries", upstream.queries},
                  {"failures", upstream.failures},
                  {"round_trip_us", upstream.round_trip_us}};
        if (!upstream.last_error.empty()) json["last_error"] = upstream.last_error;
        list.push_back(std::move(json));
    }
    return list;
}

Json forwarder_json(const std::optional<forwarder::Status>& status) {
    if (!status) return {{"serving", false}};
    Json json{{"serving", status->serving},
              {"dot_connections", status->dot_connections},
              {"doh_connections", status->doh_connections},
              {"connection_octets", status->connection_octets},
              {"connection_octets_max", status->connection_octets_max},
              {"handshakes_waiting", status->handshakes_waiting},
              {"clients_today", status->clients_today},
              {"blocked", Json::array()}};
    for (const forwarder::Ban& ban : status->bans)
        json["blocked"].push_back({{"client", ban.client}, {"seconds_left", ban.left.count()}});
    if (status->since_last_dot_query)
        json["seconds_since_last_dot_query"] = status->since_last_dot_query->count();
    return json;
}

Json counters_json(const Status& status) {
    Json json = Json::object();
    for (const forwarder::Counter& counter : status.counters) json[counter.name] = counter.value;
    if (!status.forwarder) return json;
    json["cache_entries"] = status.forwarder->cache_entries;
    json["cache_octets"] = status.forwarder->cache_octets;
    return json;
}

Json processes_json(const Processes& processes) {
    Json json{{"keeper", processes.keeper}, {"agent", processes.agent}};
    json["forwarder"] = processes.forwarder == 0 ? Json() : Json(processes.forwarder);
    json["forwarder_starts"] = processes.forwarder_starts;
    json["agent_starts"] = processes.agent_starts;
    return json;
}

Json dnsmasq_json(const Processes& processes) {
    Json json{{"found", processes.dnsmasq_found}, {"fed", processes.dnsmasq_trouble.empty()}};
    if (!processes.dnsmasq_trouble.empty()) json["trouble"] = processes.dnsmasq_trouble;
    return json;
}

std::vector<std::string> warnings(const Status& status) {
    std::vector<std::string> list = guard_warnings(status.guard);
    if (!status.wall_trusted)
        list.push_back("the clock is not set yet; dates of certificates are not judged");
    if (!status.certificate.passed_over.empty())
        list.push_back(passed_over_text(status.certificate.passed_over));
    if (!status.processes.dnsmasq_trouble.empty()) list.push_back(status.processes.dnsmasq_trouble);
    if (status.forwarder) {
        const auto& last = status.forwarder->since_last_dot_query;
        const auto idle = last ? *last : status.uptime;
        if (status.plan.router && !what_is_told(status).carriers.empty() && idle >= unused_warning)
            list.push_back("no host has asked over TLS for " + span(idle) +
                           ": do the hosts know RFC 9463?");
        const auto& upstreams = status.forwarder->upstreams;
        if (!upstreams.empty() && std::none_of(upstreams.begin(), upstreams.end(),
                                               [](const auto& one) { return one.reachable; }))
            list.push_back("no upstream answers: " + upstreams.front().last_error);
    }
    if (!status.forwarder_trouble.empty())
        list.push_back("the forwarder refuses its settings: " + status.forwarder_trouble);
    for (const std::string& trouble : status.processes.troubles) list.push_back(trouble);
    return list;
}

/// A member as text: strings bare, everything else as JSON writes it; nothing for what is missing.
std::string member(const Json& json, const char* key) {
    if (!json.contains(key) || json[key].is_null()) return "";
    const Json& value = json.at(key);
    return escape(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string join_members(const Json& json, const char* key, const std::string& between) {
    std::vector<std::string> parts;
    if (json.contains(key))
        for (const Json& part : json.at(key)) parts.push_back(escape(part.get<std::string>()));
    return join(parts, between);
}

std::string render_resolvers(const Json& told) {
    std::string text;
    for (const Json& resolver : told.at("resolvers")) {
        text += "    " + member(resolver, "priority") + " " + member(resolver, "adn");
        if (!resolver.at("addresses").empty())
            text += " at " + join_members(resolver, "addresses", ", ");
        if (!resolver.at("alpn").empty()) text += " by " + join_members(resolver, "alpn", ", ");
        if (resolver.contains("port")) text += " port " + member(resolver, "port");
        if (resolver.contains("dohpath")) text += " path " + member(resolver, "dohpath");
        text += "\n";
    }
    return text;
}

/// "; dhcpv4 dnsmasq; dhcpv6 odhcpd (auto)": whom the configuration names, or what runs here.
std::string render_chosen(const Json& json) {
    std::string text;
    for (const auto& [carrier, chosen] : json.at("carriers").items()) {
        text += "; " + escape(carrier) + " " + member(chosen, "by");
        if (chosen.at("auto") == true) text += " (auto)";
    }
    return text;
}

std::string render_plan(const Json& json) {
    std::string text = "\nAnnounced (mode " + member(json, "mode") + render_chosen(json) + ")\n";
    for (const Json& link : json.at("plan")) {
        text += "  " + member(link, "link") + ":";
        if (link.at("resolvers").empty()) text += " nothing; " + member(link, "why");
        text += "\n";
        text += render_resolvers(link);
    }
    for (const Json& group : json.at("groups"))
        text += "  group " + member(group, "tag") + " on " + join_members(group, "links", ", ") +
                ":" + (group.at("resolvers").empty() ? " nothing" : "") + "\n" +
                render_resolvers(group);
    for (const Json& carrier : json.at("announced").at("carriers")) {
        const bool group = carrier.contains("group");
        text += "  " + (group ? "group " + member(carrier, "group") : member(carrier, "link")) +
                " " + member(carrier, "carrier") + ": ";
        const std::string what = carrier.at("carrier") == "ddr" ? "record " : "option ";
        text += carrier.at("announced") == true ? what + join_members(carrier, "options", ", ")
                                                : "nothing; " + member(carrier, "why");
        if (carrier.contains("left_out"))
            text += " (left out: " + join_members(carrier, "left_out", "; ") + ")";
        text += "\n";
        if (carrier.contains("notes"))
            text += "    " + join_members(carrier, "notes", "\n    ") + "\n";
    }
    return text;
}

std::string render_upstreams(const Json& json) {
    const Json& upstreams = json.at("upstreams");
    std::string text = "\nUpstreams";
    if (json.value("upstreams_because", "") != to_text(UpstreamOrigin::configuration))
        text += ", because " + member(json, "upstreams_because");
    text += "\n";
    if (upstreams.empty()) text += "  none\n";
    for (const Json& tried : json.value("upstreams_offered", Json::array()))
        if (!tried.at("answers").get<bool>())
            text += "  " + member(tried, "adn") + " is offered and tried: " +
                    (tried.contains("error") ? member(tried, "error") : "no answer yet") + "\n";
    for (const Json& upstream : upstreams) {
        text += "  " + member(upstream, "adn") + " at " + member(upstream, "address") + ": " +
                member(upstream, "state") + ", " + member(upstream, "queries") + " queries, " +
                member(upstream, "failures") + " failed";
        if (upstream.contains("last_error")) text += "; " + member(upstream, "last_error");
        text += "\n";
    }
    return text;
}

std::string lasting_text(const Json& json) {
    return json.at("seconds_left").is_null() ? "for ever"
                                             : "for " + member(json, "seconds_left") + " s";
}

std::string render_wan(const Json& links) {
    if (links.empty()) return "";
    std::string text = "\nHeard on the WAN by Router Advertisement\n";
    for (const Json& wan : links) {
        text += "  " + member(wan, "link") + ":";
        if (wan.at("hears") != true) text += " not listening";
        for (const auto& [name, value] : wan.at("counters").items())
            if (value != 0) text += " " + escape(name) + " " + value.dump();
        text += "\n";
        for (const Json& router : wan.at("routers")) {
            text += "    " + member(router, "address") + ", " +
                    member(router, "heard_seconds_ago") + " s ago\n";
            for (const Json& one : router.at("resolvers"))
                text += "      " + member(one, "adn") + " at " +
                        join_members(one, "addresses", ", ") + " " + lasting_text(one) + "\n";
            for (const Json& one : router.at("plain"))
                text += "      plain " + member(one, "address") + " " + lasting_text(one) + "\n";
            if (router.contains("provisioning_domain"))
                text += "      a resolver inside the provisioning domain " +
                        member(router, "provisioning_domain") + ", which is not offered\n";
        }
    }
    return text;
}

std::string render_blocked(const Json& forwarder) {
    std::string text;
    for (const Json& one : forwarder.value("blocked", Json::array()))
        text += "  " + member(one, "client") + " for " + member(one, "seconds_left") + " s\n";
    return text.empty() ? text : "\nBlocked clients (porchlight unblock lets them in)\n" + text;
}

std::string render_rest(const Json& json) {
    const Json& processes = json.at("processes");
    std::string text = "\nProcesses\n  keeper " + member(processes, "keeper") + ", agent " +
                       member(processes, "agent") + ", forwarder " +
                       member(processes, "forwarder") + " (started " +
                       member(processes, "forwarder_starts") + " times)\n";
    text += "  dnsmasq " +
            std::string(json.at("dnsmasq").at("found") == true ? "found" : "not running");
    if (json.at("dnsmasq").contains("trouble"))
        text += "; " + member(json.at("dnsmasq"), "trouble");
    text += "\n\nCounters\n";
    for (const auto& [name, value] : json.at("counters").items())
        text += "  " + escape(name) + " " + value.dump() + "\n";
    if (!json.at("cannot").empty()) text += "\nMay not\n";
    for (const Json& what : json.at("cannot"))
        text += "  " + escape(what.get<std::string>()) + "\n";
    return text;
}

std::string render(const Json& json) {
    std::string text = member(json, "summary") + "\n";
    for (const Json& warning : json.at("warnings"))
        text += "warning: " + escape(warning.get<std::string>()) + "\n";
    const Json& certificate = json.at("certificate");
    const bool shown = certificate.at("needed") == true || certificate.at("source") != "none";
    return text + render_plan(json) + offers_text(json.at("offers").dump()) +
           (shown ? render_certificate(certificate) : "") + render_upstreams(json) +
           render_wan(json.at("wan_advertisements")) + guard_text(json.at("guard")) +
           render_blocked(json.at("forwarder")) + render_rest(json);
}

/// What `render` makes of a daemon's answer.
template <class Render>
Result<std::string> rendered(std::string_view text, Render render_json) {
    try {
        return render_json(Json::parse(text));
    } catch (const Json::exception& wrong) {
        return Error{Errc::malformed,
                     std::string("the daemon's answer is no status: ") + wrong.what()};
    }
}

}  // namespace

std::string summary(const Status& status, WallTime now) {
    const Told told = what_is_told(status);
    if (told.carriers.empty()) {
        if (told.why_not == offers_none) return "The ISP offers no encrypted resolver.";
        const std::string why = told.why_not.empty() ? "" : ": " + told.why_not;
        return "Hosts are told of no encrypted resolver" + why + ".";
    }
    std::string text;
    for (const ToldAlike& one : told.links)
        text += (text.empty() ? "Hosts on " : ", those on ") + join(one.links, ", ") +
                (text.empty() ? " are told to use " : " ") +
                (are_offered(one.names, status.offers) ? "the ISP's " : "") + join(one.names, ", ");
    if (!told.protocols.empty()) text += " over " + join(told.protocols, ", ");
    text += " (by " + join(told.carriers, ", ") + ")";
    if (status.plan.router) text += "; " + usage(status);
    if (status.needs_certificate) text += "; " + certificate_sentence(status.certificate, now);
    return text + ".";
}

std::string status_json(const Status& status, WallTime now) {
    Json json;
    json["summary"] = summary(status, now);
    json["warnings"] = warnings(status);
    json["mode"] = mode_name(status.plan.mode);
    json["plan"] = plan_json(status.plan);
    json["groups"] = groups_json(status.plan);
    json["offers"] = Json::parse(offers_json(status.offers));
    json["carriers"] = chosen_json(status.chosen);
    json["announced"] = announced_json(status.carriers);
    json["wan_advertisements"] = wan_json(status.wan);
    json["ddr"] = ddr_json(status.ddr);
    json["certificate"] = certificate_json(status.certificate);
    json["certificate"]["needed"] = status.needs_certificate;
    json["upstreams"] = upstreams_json(status.forwarder);
    json["upstreams_offered"] = tried_json(status.upstreams_tried);
    json["upstreams_because"] = std::string(to_text(status.upstreams_origin));
    json["forwarder"] = forwarder_json(status.forwarder);
    json["guard"] = guard_json(status.guard, Clock::now());
    json["counters"] = counters_json(status);
    json["processes"] = processes_json(status.processes);
    json["dnsmasq"] = dnsmasq_json(status.processes);
    json["firewall"] = status.processes.firewall;
    json["clock_trusted"] = status.wall_trusted;
    json["uptime_seconds"] = status.uptime.count();
    json["cannot"] = status.cannot;
    json["version"] = PORCHLIGHT_VERSION;
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> status_text(std::string_view text) {
    return rendered(text, render);
}

Result<std::string> certificate_text(std::string_view text) {
    return rendered(text, [](const Json& json) {
        const Json& certificate = json.at("certificate");
        if (certificate.at("needed") != true && certificate.at("source") == "none")
            return std::string("no certificate is needed: hosts are not told of this router\n");
        return render_certificate(certificate).substr(1);  // the line between it and what is above
    });
}

}  // namespace porchlight::agent
