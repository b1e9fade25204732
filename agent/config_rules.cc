#include <algorithm>

#include "agent/carriers.h"
#include "agent/config_build.h"
#include "agent/odhcpd.h"
#include "agent/plan.h"
#include "dhcp/odhcpd_feed.h"
#include "dns/blocked_ports.h"
#include "dns/doh_path.h"

// What no single setting can say: what a mode needs, and which settings contradict each other.

namespace porchlight::agent::config {
namespace {

constexpr std::uint32_t ipv6_mtu_min = 1280;
constexpr std::uint16_t dot_port = 853;
constexpr std::uint16_t unprivileged_port_min = 1024;

class Rules {
  public:
    Rules(std::string_view file, const Config& config) : file_(file), config_(config) {}

    std::vector<Complaint> judge() {
        judge_interfaces();
        judge_mode();
        if (config_.resolver) judge_adn(config_.resolver->adn, "/resolver/adn");
        judge_announced(config_.announce.resolvers, "/announce/resolvers");
        judge_formats();
        judge_router();
        judge_groups();
        judge_devices();
        judge_odhcpd();
        for (std::size_t i = 0; i < config_.upstream.size(); ++i)
            judge_upstream(config_.upstream[i], below("/upstream", i));
        judge_ports();
        judge_metrics();
        judge_certificate();
        judge_directories();
        return std::move(complaints_);
    }

  private:
    void judge_interfaces() {
        std::vector<std::string> homes;
        for (std::size_t i = 0; i < config_.lan.size(); ++i) {
            const std::string& name = config_.lan[i].interface;
            if (std::find(homes.begin(), homes.end(), name) != homes.end())
                complain(below("/lan", i) + "/interface", '"' + name + "\" stands here twice");
            homes.push_back(name);
            judge_announced(config_.lan[i].resolvers, below("/lan", i) + "/resolvers");
        }
        for (std::size_t i = 0; i < config_.wan.size(); ++i) {
            const std::string& name = config_.wan[i].interface;
            if (std::find(homes.begin(), homes.end(), name) != homes.end())
                complain(below("/wan", i) + "/interface",
                         '"' + name +
                             "\" stands in lan too; what the home may use, the Internet "
                             "may not");
        }
    }

    void judge_mode() {
        const Mode mode = resolve_mode(config_);
        for (std::size_t i = 0; i < config_.lan.size(); ++i) {
            const LanConfig& lan = config_.lan[i];
            if (lan.mode == Mode::static_)
                need(!lan.resolvers.empty() || !config_.announce.resolvers.empty(),
                     below("/lan", i) + "/resolvers", "mode \"static\" announces these");
            else if (!lan.resolvers.empty() && resolve_mode(config_, lan) != Mode::static_)
                complain(below("/lan", i) + "/resolvers",
                         "have no effect in mode \"" + mode_name(lan.mode) + '"');
        }
        if (announces_router(config_)) {
            need(config_.resolver.has_value(), "/resolver/adn",
                 "the name by which hosts authenticate this router");
            need(asks_upstream(config_), "/upstream",
                 "whom this router asks; or wan, the interface whose offers it takes instead");
            if (learns_upstream(config_))
                need(!config_.do53.addresses.empty(), "/do53/addresses",
                     "where upstreams that a wan offers are tried before anybody hears of them");
            need(config_.certificate.files || config_.certificate.acme, "/certificate",
                 "files or acme, because hosts authenticate this router by its certificate");
        }
        if (mode == Mode::static_ && config_.mode == Mode::static_ && !every_lan_has_its_own())
            need(!config_.announce.resolvers.empty(), "/announce/resolvers",
                 "mode \"static\" announces these");
        if (mode == Mode::forwarder || mode == Mode::static_ || config_.mode == Mode::relay)
            need(!config_.lan.empty(), "/lan", "the interfaces whose hosts are told");
        if (relays(config_))
            need(!config_.wan.empty(), "/wan", "mode \"relay\" tells hosts what these offer");
    }

    static std::string mode_name(Mode mode) {
        if (mode == Mode::relay) return "relay";
        return mode == Mode::forwarder ? "forwarder" : "off";
    }

    bool every_lan_has_its_own() const {
        return !config_.lan.empty() &&
               std::all_of(config_.lan.begin(), config_.lan.end(), [](const LanConfig& lan) {
                   return lan.mode == Mode::off || !lan.resolvers.empty();
               });
    }

    void judge_announced(const std::vector<AnnouncedResolver>& resolvers, const std::string& list) {
        for (std::size_t i = 0; i < resolvers.size(); ++i)
            judge_announced(resolvers[i], below(list, i));
    }

    void judge_adn(const dns::Name& adn, const std::string& at) {
        if (const auto why = dns::why_not_announceable(adn))
            complain(at, '"' + dns::to_host(adn) + "\" " + *why);
    }

    void judge_announced(const AnnouncedResolver& resolver, const std::string& at) {
        judge_adn(resolver.adn, at + "/adn");
        for (std::size_t i = 0; i < resolver.addresses.size(); ++i)
            if (!is_announceable(resolver.addresses[i]))
                complain(below(at + "/addresses", i),
                         to_text(resolver.addresses[i]) + " is no address that hosts could reach");
        if (resolver.dot) judge_port(*resolver.dot, at + "/dot/port");
        if (resolver.doq) judge_port(*resolver.doq, at + "/doq/port");
        const bool serves = resolver.dot || resolver.doq || !resolver.doh.empty();
        if (serves)
            need(!resolver.addresses.empty(), at + "/addresses",
                 "only an adn all alone lets hosts look up the rest");
        else if (!resolver.addresses.empty())
            complain(at, "missing; which protocols it speaks: dot, doq or doh");
        for (std::size_t i = 0; i < resolver.doh.size(); ++i)
            judge_doh(resolver.doh[i], below(at + "/doh", i));
    }

    void judge_doh(const DohConfig& doh, const std::string& at) {
        judge_port(doh.port, at + "/port");
        if (!dns::is_usable_dohpath(doh.path))
            complain(at + "/path",
                     "expected a path with the variable dns, such as \"/dns-query{?dns}\"");
        else if (!dns::is_plain_dohpath(doh.path))
            complain(at + "/path", "expected letters, digits and " +
                                       std::string(dns::plain_dohpath_marks) +
                                       " alone; for others systemd discards the option");
        judge_repeated(doh.versions, at + "/versions");
    }

    void judge_port(std::uint16_t port, const std::string& at) {
        if (dns::is_blocked_port(port))
            complain(at, std::to_string(port) +
                             " is a port that clients refuse to connect to (RFC 9461 section 4.2)");
    }

    void judge_formats() {
        const std::vector<dns::Format>& formats = config_.announce.forms.formats;
        if (formats.size() == 2 && formats[0] == formats[1])
            complain("/announce/formats/1", "stands here twice");
        const dns::DraftCodePoints& points = config_.announce.forms.code_points;
        const std::string at = "/announce/code_points";
        if (points.ra_adn == points.ra_addresses)
            complain(at + "/ra_addresses", "is ra_adn too; hosts tell options apart by it");
        if (points.dhcpv6_addresses == points.dhcpv6_adn)
            complain(at + "/dhcpv6_addresses", "is dhcpv6_adn too; hosts tell options apart by it");
        if (points.dhcpv6_templates == points.dhcpv6_adn ||
            points.dhcpv6_templates == points.dhcpv6_addresses)
            complain(at + "/dhcpv6_templates",
                     "is the number of another option; hosts tell options apart by it");
    }

    void judge_router() {
        const RouterConfig& router = config_.announce.router;
        const auto interval = config_.announce.ra_interval;
        if (router.lifetime.count() != 0 && router.lifetime < interval)
            complain("/announce/router/lifetime",
                     "must be \"0s\" or not shorter than ra_interval, which is \"" +
                         std::to_string(interval.count()) + "s\" (RFC 4861 section 6.2.1)");
        if (router.mtu_octets != 0 && router.mtu_octets < ipv6_mtu_min)
            complain("/announce/router/mtu", "must be 0 or 1280 at least (RFC 8200 section 5)");
        for (std::size_t i = 0; i < router.rdnss.size(); ++i)
            if (!is_announceable(router.rdnss[i]))
                complain(below("/announce/router/rdnss", i),
                         to_text(router.rdnss[i]) + " is no address that hosts could reach");
    }

    void judge_groups() {
        const std::vector<GroupConfig>& groups = config_.announce.groups;
        std::vector<std::string> tags, hosts;
        for (std::size_t i = 0; i < groups.size(); ++i) {
            const std::string at = below("/announce/groups", i);
            judge_announced(groups[i].resolvers, at + "/resolvers");
            if (is_among(groups[i].tag, tags))
                complain(at + "/tag", '"' + groups[i].tag + "\" stands here twice");
            tags.push_back(groups[i].tag);
            for (const LanConfig& lan : config_.lan)
                if (lan.interface == groups[i].tag)
                    complain(at + "/tag", '"' + groups[i].tag +
                                              "\" is an interface of lan; dnsmasq tags its hosts "
                                              "so");
            for (std::size_t j = 0; j < groups[i].hosts.size(); ++j) {
                if (is_among(groups[i].hosts[j], hosts))
                    complain(below(at + "/hosts", j),
                             '"' + groups[i].hosts[j] + "\" stands here twice");
                hosts.push_back(groups[i].hosts[j]);
            }
        }
    }

    void judge_devices() {
        const auto& devices = config_.rebinding.allow_devices;
        std::vector<std::string> known;
        for (std::size_t i = 0; i < devices.size(); ++i) {
            const std::string at = below("/rebinding/allow_devices", i);
            const auto& [mac, domains, id] = devices[i];
            need(mac || !id.empty(), at, "mac or id: which device it is");
            if (mac && !id.empty()) complain(at, "has mac and id; one of them must go");
            const std::string name = mac ? net::to_text(*mac) : id;
            if (!name.empty() && is_among(name, known))
                complain(at + (mac ? "/mac" : "/id"), '"' + name + "\" stands here twice");
            known.push_back(name);
        }
    }

    /// odhcpd has one list for everything that it sends on a link.
    void judge_odhcpd() {
        // Without having looked at the machine `automatic` never means odhcpd of its own accord.
        const Config config = resolve_carriers(config_, {});
        const AnnounceConfig& announce = config.announce;
        if (!feeds_odhcpd(config)) return;
        if (announce.dhcpv6 == DhcpCarrier::odhcpd && announce.ra != RaCarrier::odhcpd &&
            announce.ra != RaCarrier::full)
            complain(
                "/announce/ra",
                "must be \"auto\", \"odhcpd\" or \"full\": odhcpd, which announce.dhcpv6 names, "
                "puts the same into its Router Advertisements");
        if (announce.dhcpv6 == DhcpCarrier::off)
            complain(
                "/announce/dhcpv6",
                "must be \"auto\", \"odhcpd\" or \"dnsmasq\": odhcpd, which announce.ra names, "
                "puts the same into DHCPv6");
        std::vector<std::string> sections;
        for (std::size_t i = 0; i < config_.lan.size(); ++i) {
            const std::string& section = config_.lan[i].uci_section;
            const std::string at = below("/lan", i) + "/uci_section";
            if (!dhcp::is_uci_name(section))
                complain(at, '"' + section +
                                 "\" is no name of a section; expected letters, digits "
                                 "and '_', such as \"lan\"");
            else if (is_among(section, sections))
                complain(at, '"' + section + "\" stands for another interface already");
            sections.push_back(section);
        }
    }

    static bool is_among(const std::string& word, const std::vector<std::string>& words) {
        return std::find(words.begin(), words.end(), word) != words.end();
    }

    void judge_repeated(const std::vector<std::string>& words, const std::string& at) {
        for (std::size_t i = 0; i < words.size(); ++i)
            if (is_among(words[i], {words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i)}))
                complain(below(at, i), '"' + words[i] + "\" stands here twice");
    }

    void judge_upstream(const forwarder::UpstreamSettings& upstream, const std::string& at) {
        if (config_.resolver && upstream.adn == config_.resolver->adn)
            complain(at + "/adn", "is this router's own name; a question would come back to it");
        for (std::size_t i = 0; i < upstream.addresses.size(); ++i) {
            const IpAddress& address = upstream.addresses[i].address;
            const auto* v6 = std::get_if<Ipv6>(&address);
            const bool scoped = v6 != nullptr && is_link_local(*v6);
            if (scoped || (!is_announceable(address) && !is_loopback(address)))
                complain(below(at + "/addresses", i),
                         to_text(address) + " is no address that can be connected to" +
                             (scoped ? "; a link-local one means nothing without its link" : ""));
        }
    }

    /// A listener on the wildcard address and one on a loopback address exclude each other, also
    /// where the former is bound to an interface.
    void judge_ports() {
        const std::optional<Endpoint>& companion = config_.local.server;
        const bool own_companion = companion && is_loopback(companion->address);
        const bool do53 = !config_.do53.addresses.empty();
        if (do53 && own_companion && companion->port == config_.do53.port)
            complain("/do53/port", std::to_string(companion->port) +
                                       " is the port of local.server; the two would ask each other "
                                       "or not start");
        if (do53) judge_do53_port();
        if (!config_.resolver) return;
        const auto judge_own = [&](std::uint16_t port, const std::string& at) {
            // Where do53.port is what can't be, that was said already.
            if (do53 && port == config_.do53.port && port != dot_port)
                complain(at, std::to_string(port) + " is do53.port too");
            if (own_companion && port == companion->port)
                complain(at, std::to_string(port) + " is the port of local.server too");
        };
        judge_port(config_.resolver->dot.port, "/resolver/dot/port");
        judge_own(config_.resolver->dot.port, "/resolver/dot/port");
        const std::vector<DohConfig>& doh = config_.resolver->doh;
        for (std::size_t i = 0; i < doh.size(); ++i) {
            const std::string at = below("/resolver/doh", i);
            judge_doh(doh[i], at);
            judge_own_doh(doh[i], at);
            judge_own(doh[i].port, at + "/port");
            const auto before = doh.begin() + static_cast<std::ptrdiff_t>(i);
            if (std::any_of(doh.begin(), before, [&](const DohConfig& one) {
                    return one.port == doh[i].port && one.path == doh[i].path;
                }))
                complain(at, "port and path stand here twice");
        }
    }

    /// Whether or not DNS over TLS is served at its port here.
    void judge_do53_port() {
        if (config_.do53.port == dot_port)
            complain("/do53/port",
                     "853 is the port of DNS over TLS, where nothing goes in clear text (RFC 7858 "
                     "section 3.1)");
    }

    /// What this router can serve is less than what another may.
    void judge_own_doh(const DohConfig& doh, const std::string& at) {
        if (doh.port == config_.resolver->dot.port)
            complain(at + "/port", std::to_string(doh.port) + " is resolver.dot.port too");
        if (dns::is_usable_dohpath(doh.path) && !dns::path_of(doh.path))
            complain(at + "/path",
                     "expected a path with {?dns} at its end, such as \"/dns-query{?dns}\"");
        if (!is_among("h2", doh.versions)) complain(at + "/versions", "expected \"h2\" among them");
    }

    /// The process that serves them holds no privilege. Which addresses are this router's toward
    /// the home is for the machine to say.
    void judge_metrics() {
        const std::vector<Endpoint>& places = config_.metrics.listen;
        for (std::size_t i = 0; i < places.size(); ++i) {
            const Endpoint& at = places[i];
            const std::string here = below("/metrics/listen", i);
            const auto* v6 = std::get_if<Ipv6>(&at.address);
            if (at.port < unprivileged_port_min)
                complain(here, "expected a port from 1024, found " + std::to_string(at.port));
            if (!is_loopback(at.address) &&
                (!is_announceable(at.address) || (v6 != nullptr && is_link_local(*v6))))
                complain(here, to_text(at.address) +
                                   " is neither loopback nor an address that a host of the home "
                                   "could name");
            if (std::find(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(i), at) !=
                places.begin() + static_cast<std::ptrdiff_t>(i))
                complain(here, to_text(at) + " stands here twice");
            if (config_.resolver && at.port == config_.resolver->dot.port)
                complain(here, std::to_string(at.port) + " is resolver.dot.port too");
            if (config_.resolver &&
                std::ranges::count(config_.resolver->doh, at.port, &DohConfig::port) != 0)
                complain(here, std::to_string(at.port) + " is a port of resolver.doh too");
            if (is_loopback(at.address) && !config_.do53.addresses.empty() &&
                at.port == config_.do53.port)
                complain(here, std::to_string(at.port) + " is do53.port too");
            if (config_.local.server == at) complain(here, to_text(at) + " is local.server");
        }
    }

    void judge_certificate() {
        const CertificateConfig& certificate = config_.certificate;
        if (certificate.files && certificate.acme)
            complain("/certificate", "has files and acme; one of them must go");
        if (!certificate.acme) return;
        const DnsUpdateConfig& update = certificate.acme->update;
        const std::string at = "/certificate/acme/challenge/dns-01/rfc2136";
        if (!config_.resolver)
            need(announces_router(config_), "/resolver/adn",
                 "the name that the certificate shall be for");
        else if (!config_.resolver->adn.is_within(update.zone))
            complain(at + "/zone", dns::to_host(config_.resolver->adn) + " does not lie in zone " +
                                       dns::to_host(update.zone));
        const auto* v6 = std::get_if<Ipv6>(&update.server.address);
        if (v6 != nullptr && is_link_local(*v6))
            complain(at + "/server", "a link-local address means nothing without its link");
    }

    void judge_directories() {
        if (config_.state_directory == config_.runtime_directory)
            complain("/runtime_directory",
                     "is state_directory too; one is kept over a restart, the other is not");
    }

    void need(bool there, std::string pointer, std::string_view why) {
        if (!there) complain(std::move(pointer), "missing; " + std::string(why));
    }

    void complain(std::string pointer, std::string text) {
        complaints_.push_back({file_, std::move(pointer), std::move(text)});
    }

    std::string file_;
    const Config& config_;
    std::vector<Complaint> complaints_;
};

}  // namespace

std::vector<Complaint> rules(std::string_view file_name, const Config& config) {
    return Rules(file_name, config).judge();
}

}  // namespace porchlight::agent::config
