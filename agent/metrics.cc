#include "agent/metrics.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "agent/exposition.h"
#include "agent/metrics_forwarder.h"

namespace porchlight::agent {
namespace {

using Type = Exposition::Type;

void put_processes(Exposition& out, const Status& status) {
    out.family("porchlight_build_info", Type::gauge, "The program; always 1.");
    out.number({{"version", PORCHLIGHT_VERSION}}, 1);
    out.family(
        "porchlight_uptime_seconds", Type::gauge,
        "How long the agent runs, and with it every counter that is not said to outlive it.");
    out.seconds({}, status.uptime);
    out.family("porchlight_process_starts_total", Type::counter,
               "How often a process was started since the keeper was: more than once is a crash.");
    out.number({{"process", "agent"}}, status.processes.agent_starts);
    out.number({{"process", "forwarder"}}, status.processes.forwarder_starts);
    out.family("porchlight_config_last_reload_successful", Type::gauge,
               "Whether the configuration in force is the one that was last asked for.");
    out.flag({}, !status.processes.reload_refused);
    out.family("porchlight_clock_trusted", Type::gauge,
               "Whether the dates of certificates are judged by this machine's clock.");
    out.flag({}, status.wall_trusted);
    out.family("porchlight_troubles", Type::gauge,
               "What could not be done so far; `porchlight status` names each.");
    out.number({}, status.processes.troubles.size());
    out.family("porchlight_firewall_loaded", Type::gauge,
               "Whether the rule stands that closes the encrypted ports toward the WAN.");
    out.flag({}, status.processes.firewall);
    out.family("porchlight_dnsmasq_up", Type::gauge, "Whether dnsmasq runs.");
    out.flag({}, status.processes.dnsmasq_found);
    out.family("porchlight_dnsmasq_fed", Type::gauge,
               "Whether dnsmasq knows everything that it should tell hosts.");
    out.flag({}, status.processes.dnsmasq_trouble.empty());
}

/// Those of the configuration by name; all that a WAN offers or designates as one.
std::map<std::string, std::vector<forwarder::UpstreamState>> by_label(
    const std::vector<forwarder::UpstreamState>& upstreams, UpstreamOrigin origin) {
    std::map<std::string, std::vector<forwarder::UpstreamState>> labelled;
    for (const forwarder::UpstreamState& one : upstreams)
        labelled[origin == UpstreamOrigin::configuration ? dns::to_host(one.adn) : "learned"]
            .push_back(one);
    return labelled;
}

void put_upstreams(Exposition& out, const Status& status) {
    if (!status.forwarder) return;
    const auto upstreams = by_label(status.forwarder->upstreams, status.upstreams_origin);
    out.family("porchlight_upstream_up", Type::gauge,
               "Whether an address of this upstream answered when it was last asked, or none was "
               "asked yet; all that a WAN offers are the one called learned.");
    for (const auto& [name, addresses] : upstreams)
        out.flag({{"upstream", name}}, std::any_of(addresses.begin(), addresses.end(),
                                                   [](const auto& one) { return one.reachable; }));
    out.family("porchlight_upstream_round_trip_seconds", Type::gauge,
               "How long answers of this upstream take, smoothed; of its fastest address.");
    for (const auto& [name, addresses] : upstreams) {
        std::uint32_t fastest_us = 0;
        for (const auto& one : addresses)
            if (one.round_trip_us != 0 && (fastest_us == 0 || one.round_trip_us < fastest_us))
                fastest_us = one.round_trip_us;
        if (fastest_us != 0)
            out.seconds({{"upstream", name}}, std::chrono::microseconds(fastest_us));
    }
}

void put_certificate(Exposition& out, const CertificateStatus& certificate) {
    out.family("porchlight_certificate_fit", Type::gauge,
               "Whether the certificate in use can be shown to hosts.");
    out.flag({}, certificate.fit);
    out.family("porchlight_certificate_not_after_timestamp_seconds", Type::gauge,
               "When the certificate in use ends.");
    if (certificate.not_after) out.moment({}, *certificate.not_after);
    out.family("porchlight_acme_next_attempt_timestamp_seconds", Type::gauge,
               "When the certificate authority is asked next.");
    if (certificate.next_attempt) out.moment({}, *certificate.next_attempt);
    out.family("porchlight_acme_attempts_total", Type::counter,
               "Orders at the certificate authority that ended.");
    out.number({{"result", "success"}}, certificate.orders_succeeded);
    out.number({{"result", "failure"}}, certificate.orders_failed);
    out.family("porchlight_staple_until_timestamp_seconds", Type::gauge,
               "Until when hosts are shown that the certificate is not revoked.");
    if (certificate.staple.until) out.moment({}, *certificate.staple.until);
    out.family("porchlight_staple_fetches_total", Type::counter,
               "Questions to the certificate's responder that ended.");
    out.number({{"result", "success"}}, certificate.staple.fetched);
    out.number({{"result", "failure"}}, certificate.staple.failed);
}

void put_announced(Exposition& out, const Status& status) {
    out.family("porchlight_dnr_announced", Type::gauge,
               "Whether hosts of some link are told of an encrypted resolver that way.");
    for (const std::string_view channel : {"dhcpv4", "dhcpv6", "ra", "ddr"})
        out.flag({{"channel", channel}}, std::any_of(status.carriers.begin(), status.carriers.end(),
                                                     [&](const CarrierStatus& carrier) {
                                                         return carrier.carrier == channel &&
                                                                carrier.announced &&
                                                                !carrier.is_group;
                                                     }));
    out.family("porchlight_gate_open", Type::gauge,
               "Whether what this router serves on a link at a port may be announced, by its "
               "certificate and its listeners' answers.");
    for (const Fitness& one : status.fitness)
        out.flag({{"interface", one.link}, {"port", std::to_string(one.port)}}, one.fit);
}

void put_guard(Exposition& out, const GuardStatus& guard) {
    out.family("porchlight_guard_detecting", Type::gauge,
               "Whether rogue routers and DHCP servers are listened for.");
    out.flag({}, guard.detects);
    out.family("porchlight_guard_blocking", Type::gauge,
               "Whether the rules stand that drop what rogues say.");
    out.flag({}, guard.blocks);
    out.family("porchlight_guard_validating_sources", Type::gauge,
               "Whether the rules stand that drop what comes from another's address.");
    out.flag({}, guard.validates_sources);
    out.family("porchlight_guard_leases", Type::gauge, "Leases of dnsmasq's that those go by.");
    out.number({}, guard.leases);
    out.family("porchlight_guard_ports", Type::gauge, "Ports of the home that are listened at.");
    out.number({}, guard.ports.size());
    out.family("porchlight_guard_rogues", Type::gauge,
               "Devices that acted as router or DHCP server of the home in the last hour and are "
               "none, by what they could do.");
    for (const Threat threat : {Threat::resolver, Threat::server, Threat::beside})
        out.number({{"threat", threat_name(threat)}},
                   static_cast<std::uint64_t>(
                       std::count_if(guard.rogues.begin(), guard.rogues.end(),
                                     [&](const Rogue& one) { return one.threat == threat; })));
    out.family("porchlight_guard_rogue_messages_total", Type::counter,
               "Messages of such devices that were heard.");
    for (const ServerKind kind : server_kinds) {
        const std::uint64_t naming = guard.counters.naming[kind];
        out.number({{"kind", word_of(kind)}, {"names_a_resolver", "false"}},
                   guard.counters.messages[kind] - naming);
        out.number({{"kind", word_of(kind)}, {"names_a_resolver", "true"}}, naming);
    }
    out.family("porchlight_guard_blocked_total", Type::counter,
               "Messages that the rules dropped, as counted a minute ago at most; goes on when the "
               "agent is started again.");
    for (const ServerKind kind : server_kinds)
        out.number({{"kind", word_of(kind)}}, guard.dropped.blocked[kind]);
    out.family("porchlight_guard_forged_total", Type::counter,
               "Packets from another's address that the rules dropped, as blocked messages are "
               "counted.");
    out.number({}, guard.dropped.forged);
    out.family("porchlight_guard_frames_total", Type::counter,
               "Frames that might have been such messages, and were read.");
    out.number({}, guard.counters.frames);
    out.family("porchlight_guard_malformed_frames_total", Type::counter,
               "Those of them that nobody can read.");
    out.number({}, guard.counters.malformed);
    out.family("porchlight_guard_lines_left_out_total", Type::counter,
               "News of rogues that were too many for the log.");
    out.number({}, guard.counters.untold);
}

void put_wan(Exposition& out, const Status& status) {
    constexpr std::pair<OfferSource, std::string_view> sources[] = {{OfferSource::user, "user"},
                                                                    {OfferSource::dhcpv4, "dhcpv4"},
                                                                    {OfferSource::dhcpv6, "dhcpv6"},
                                                                    {OfferSource::ra, "ra"}};
    const std::vector<Offer> all = offers_of(status.offers.learned);
    const std::vector<Offer> standing = still_offered(all, status.offers.now);
    out.family("porchlight_wan_offers", Type::gauge,
               "Encrypted resolvers that the WANs offer, by who told; usable: hosts could use it.");
    for (const auto& [source, word] : sources) {
        const auto usable = static_cast<std::uint64_t>(
            std::count_if(standing.begin(), standing.end(), [&](const Offer& offer) {
                return offer.source == source && !dns::why_not_usable(offer.resolver);
            }));
        const auto told = static_cast<std::uint64_t>(
            std::count_if(standing.begin(), standing.end(),
                          [&](const Offer& offer) { return offer.source == source; }));
        out.number({{"carrier", word}, {"usable", "true"}}, usable);
        out.number({{"carrier", word}, {"usable", "false"}}, told - usable);
    }
    out.family("porchlight_wan_listening", Type::gauge,
               "Whether a WAN's Router Advertisements are heard.");
    for (const WanStatus& wan : status.wan) out.flag({{"interface", wan.interface}}, wan.hears);
    out.family("porchlight_wan_router_events_total", Type::counter,
               "What happened in listening to a WAN's routers.");
    for (const WanStatus& wan : status.wan)
        for (const auto& [event, count] : wan.counters)
            out.number({{"interface", wan.interface}, {"event", event}}, count);
}

}  // namespace

std::string metrics_text(const Status& status) {
    Exposition out;
    put_processes(out, status);
    put_forwarder(out, status.forwarder, status.counters);
    put_upstreams(out, status);
    put_certificate(out, status.certificate);
    put_announced(out, status);
    put_guard(out, status.guard);
    put_wan(out, status);
    return out.text();
}

}  // namespace porchlight::agent
