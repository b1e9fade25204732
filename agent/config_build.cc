#include "agent/config_build.h"

#include <cassert>
#include <utility>

#include "agent/config_type.h"

namespace porchlight::agent::config {
namespace {

constexpr std::pair<std::string_view, Mode> modes[] = {{"auto", Mode::automatic},
                                                       {"relay", Mode::relay},
                                                       {"forwarder", Mode::forwarder},
                                                       {"static", Mode::static_},
                                                       {"off", Mode::off}};
constexpr std::pair<std::string_view, dns::Format> formats[] = {
    {"rfc9463", dns::Format::rfc9463}, {"draft-btw-11", dns::Format::draft_btw_11}};
constexpr std::pair<std::string_view, DhcpCarrier> dhcp_carriers[] = {
    {"auto", DhcpCarrier::automatic},
    {"dnsmasq", DhcpCarrier::dnsmasq},
    {"odhcpd", DhcpCarrier::odhcpd},
    {"off", DhcpCarrier::off}};
constexpr std::pair<std::string_view, RaCarrier> ra_carriers[] = {
    {"auto", RaCarrier::automatic},
    {"supplement", RaCarrier::supplement},
    {"full", RaCarrier::full},
    {"odhcpd", RaCarrier::odhcpd},
    {"off", RaCarrier::off}};
constexpr std::pair<std::string_view, Transport> transports[] = {{"dot", Transport::dot},
                                                                 {"doh", Transport::doh}};
constexpr std::pair<std::string_view, ra::FullSettings::Preference> preferences[] = {
    {"low", ra::FullSettings::Preference::low},
    {"medium", ra::FullSettings::Preference::medium},
    {"high", ra::FullSettings::Preference::high}};
constexpr std::pair<std::string_view, OnExit> exits[] = {{"former", OnExit::former},
                                                         {"refuse", OnExit::refuse}};
constexpr std::pair<std::string_view, log::Level> levels[] = {{"error", log::Level::error},
                                                              {"warn", log::Level::warn},
                                                              {"info", log::Level::info},
                                                              {"debug", log::Level::debug}};
constexpr std::pair<std::string_view, log::Target> targets[] = {
    {"stderr", log::Target::standard_error}, {"syslog", log::Target::syslog}};

constexpr std::pair<std::string_view, forwarder::QueryLogSettings::Level> query_log_levels[] = {
    {"off", forwarder::QueryLogSettings::Level::off},
    {"counters", forwarder::QueryLogSettings::Level::counters},
    {"names", forwarder::QueryLogSettings::Level::names},
    {"full", forwarder::QueryLogSettings::Level::full}};

constexpr std::uint16_t metrics_port = 9853;

/// A place in a complete tree. The table has vouched for every type, so reading can't fail.
class Node {
  public:
    explicit Node(const Value& value) : value_(&value) {}

    bool has(std::string_view name) const { return value_->find(name) != nullptr; }
    Node operator[](std::string_view name) const {
        const Value* member = value_->find(name);
        assert(member != nullptr);
        return Node(*member);
    }
    template <class Read>
    auto list(Read read) const {
        std::vector<decltype(read(*this))> items;
        for (const Member& member : value_->members) items.push_back(read(Node(member.value)));
        return items;
    }

    const std::string& text() const { return value_->text; }
    bool boolean() const { return value_->text == "true"; }
    template <class Integer>
    Integer integer() const {
        return static_cast<Integer>(*value_->integer);
    }
    std::chrono::milliseconds duration() const { return *parse_duration(text()); }
    std::chrono::seconds seconds() const {
        return std::chrono::duration_cast<std::chrono::seconds>(duration());
    }
    std::uint64_t size() const { return *parse_size(text()); }
    dns::Name name() const { return *dns::parse_name(text()); }
    IpAddress address() const { return *parse_address(text()); }
    template <class Meaning, std::size_t count>
    Meaning choice(const std::pair<std::string_view, Meaning> (&words)[count]) const {
        for (const auto& [word, meaning] : words)
            if (word == text()) return meaning;
        assert(!"the table has a word that is not known here");
        return words[0].second;
    }

  private:
    const Value* value_;
};

std::string text_of(Node node) {
    return node.text();
}
std::string lower_case(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return text;
}
IpAddress address_of(Node node) {
    return node.address();
}

std::uint16_t port(Node served) {
    return served["port"].integer<std::uint16_t>();
}

DohConfig doh(Node node) {
    return {port(node), node["path"].text(), node["versions"].list(text_of)};
}

ResolverConfig resolver(Node node) {
    return {node["adn"].name(),
            {port(node["dot"])},
            node["doh"].list(doh),
            node["application_dns"].boolean()};
}

AnnouncedResolver announced_resolver(Node node) {
    AnnouncedResolver one;
    one.adn = node["adn"].name();
    one.addresses = node["addresses"].list(address_of);
    if (node.has("priority")) one.priority = node["priority"].integer<std::uint16_t>();
    if (node.has("dot")) one.dot = port(node["dot"]);
    if (node.has("doq")) one.doq = port(node["doq"]);
    one.doh = node["doh"].list(doh);
    return one;
}

/// OpenWrt names the bridge of its network "lan" br-lan, and the section of its hosts lan.
std::string usual_uci_section(std::string_view interface) {
    constexpr std::string_view bridge = "br-";
    if (interface.starts_with(bridge)) interface.remove_prefix(bridge.size());
    return std::string(interface);
}

LanConfig lan(Node node) {
    const std::string& interface = node["interface"].text();
    return {interface, node["mode"].choice(modes), node["resolvers"].list(announced_resolver),
            node.has("uci_section") ? node["uci_section"].text() : usual_uci_section(interface)};
}

WanConfig wan(Node node) {
    return {node["interface"].text()};
}

GroupConfig group(Node node) {
    return {node["tag"].text(),
            node["hosts"].list([](Node host) { return lower_case(host.text()); }),
            node["resolvers"].list(announced_resolver)};
}

dns::DraftCodePoints code_points(Node node) {
    dns::DraftCodePoints points;
    points.dhcpv4 = node["dhcpv4"].integer<std::uint8_t>();
    points.dhcpv6_adn = node["dhcpv6_adn"].integer<std::uint16_t>();
    points.dhcpv6_addresses = node["dhcpv6_addresses"].integer<std::uint16_t>();
    points.dhcpv6_templates = node["dhcpv6_templates"].integer<std::uint16_t>();
    points.enterprise = node["enterprise"].integer<std::uint32_t>();
    points.ra_adn = node["ra_adn"].integer<std::uint8_t>();
    points.ra_addresses = node["ra_addresses"].integer<std::uint8_t>();
    return points;
}

RouterConfig router(Node node) {
    RouterConfig config;
    config.lifetime = node["lifetime"].seconds();
    config.preference = node["preference"].choice(preferences);
    config.managed = node["managed"].boolean();
    config.other = node["other"].boolean();
    config.mtu_octets = node["mtu"].integer<std::uint32_t>();
    config.rdnss = node["rdnss"].list([](Node one) { return std::get<Ipv6>(one.address()); });
    config.dnssl = node["dnssl"].list([](Node domain) { return domain.name(); });
    return config;
}

AnnounceConfig announce(Node node) {
    AnnounceConfig config;
    config.forms.formats = node["formats"].list([](Node form) { return form.choice(formats); });
    config.dhcpv4 = node["dhcpv4"].choice(dhcp_carriers);
    config.dhcpv6 = node["dhcpv6"].choice(dhcp_carriers);
    config.ra = node["ra"].choice(ra_carriers);
    config.ddr = node["ddr"].boolean();
    config.ddr_prefers = node["ddr_prefers"].choice(transports);
    config.ra_interval = node["ra_interval"].seconds();
    config.forms.code_points = code_points(node["code_points"]);
    config.router = router(node["router"]);
    config.resolvers = node["resolvers"].list(announced_resolver);
    config.groups = node["groups"].list(group);
    return config;
}

forwarder::UpstreamSettings upstream(Node node) {
    const auto port = node["port"].integer<std::uint16_t>();
    forwarder::UpstreamSettings settings{node["adn"].name(),
                                         node["addresses"].list([&](Node address) {
                                             return Endpoint{address.address(), port};
                                         })};
    settings.validates = node["validates"].boolean();
    return settings;
}

LocalConfig local(Node node) {
    LocalConfig config;
    config.server = parse_endpoint(node["server"].text(), 53);  // "off" is none
    config.domains = node["domains"].list([](Node domain) { return domain.name(); });
    return config;
}

DnsmasqConfig dnsmasq(Node node) {
    return {node["fragment"].text(),    node["pid_file"].text(),
            node["lease_file"].text(),  node["restart"].list(text_of),
            node["resolv_file"].text(), node["on_exit"].choice(exits)};
}

GuardConfig guard(Node node) {
    return {node["detect"].boolean(), node["block"].boolean(), node["validate_sources"].boolean(),
            node["trusted_ports"].list(text_of), node["trusted_macs"].list([](Node mac) {
                return *net::parse_mac_address(mac.text());
            })};
}

DnsUpdateConfig update(Node dns01) {
    const Node server = dns01["rfc2136"];
    const Node tsig = server["tsig"];
    DnsUpdateConfig config;
    config.server = {server["server"].address(), server["port"].integer<std::uint16_t>()};
    config.zone = server["zone"].name();
    config.tsig = {tsig["name"].name(), tsig["algorithm"].text(), {tsig["secret"]["file"].text()}};
    config.propagation_wait = dns01["propagation_wait"].duration();
    return config;
}

AcmeConfig acme(Node node) {
    return {node["directory"].list(text_of), node["contact"].list(text_of),
            node["agree_to_terms"].boolean(), node["roots"].text(),
            update(node["challenge"]["dns-01"])};
}

CertificateConfig certificate(Node node) {
    CertificateConfig config;
    if (node.has("files"))
        config.files = {node["files"]["chain"].text(), node["files"]["key"].text()};
    if (node.has("acme")) config.acme = acme(node["acme"]);
    return config;
}

forwarder::RebindingRules::Device excepted_device(Node node) {
    forwarder::RebindingRules::Device device;
    if (node.has("mac")) device.mac = net::parse_mac_address(node["mac"].text());
    if (node.has("id")) device.id = lower_case(node["id"].text());
    if (node.has("domains"))
        device.domains = node["domains"].list([](Node domain) { return domain.name(); });
    return device;
}

forwarder::RebindingRules rebinding(Node node) {
    return {
        node["block"].boolean(),
        node["allow_domains"].list([](Node domain) { return domain.name(); }),
        node["nat64_prefixes"].list([](Node one) { return *net::parse_nat64_prefix(one.text()); }),
        node["allow_devices"].list(excepted_device)};
}

forwarder::Limits limits(Node node) {
    const auto count = [&](std::string_view name) { return node[name].integer<std::uint32_t>(); };
    const auto duration = [&](std::string_view name) { return node[name].duration(); };
    forwarder::Limits config;
    config.memory_bytes_max = node.has("memory") ? node["memory"].size() : 0;
    config.connections_max = count("connections_max");
    config.connections_per_client_max = count("connections_per_client_max");
    config.in_flight_per_connection_max = count("in_flight_per_connection_max");
    config.streams_per_connection_max = count("streams_per_connection_max");
    config.hpack_table_bytes = static_cast<std::uint32_t>(node["hpack_table"].size());
    config.in_flight_max = count("in_flight_max");
    config.waiters_per_question_max = count("waiters_per_question_max");
    config.queries_per_client_second = count("queries_per_client_second");
    config.queries_per_client_burst = count("queries_per_client_burst");
    config.connections_per_prefix_max = count("connections_per_prefix_max");
    config.full_handshakes_per_client_second = count("full_handshakes_per_client_second");
    config.full_handshakes_per_client_burst = count("full_handshakes_per_client_burst");
    config.full_handshakes_per_prefix_second = count("full_handshakes_per_prefix_second");
    config.resumed_handshakes_per_client_second = count("resumed_handshakes_per_client_second");
    config.resumed_handshakes_per_client_burst = count("resumed_handshakes_per_client_burst");
    config.resumed_handshakes_per_prefix_second = count("resumed_handshakes_per_prefix_second");
    config.unfinished_per_client_max = count("unfinished_per_client_max");
    config.unfinished_per_prefix_max = count("unfinished_per_prefix_max");
    config.unfinished_max = count("unfinished_max");
    config.handshake_cpu_share_percent = count("handshake_cpu_share");
    config.handshake_cpu_burst = duration("handshake_cpu_burst");
    config.queries_per_prefix_second = count("queries_per_prefix_second");
    config.do53_queries_per_second = count("do53_queries_per_second");
    config.do53_queries_burst = count("do53_queries_burst");
    config.in_flight_per_client_max = count("in_flight_per_client_max");
    config.in_flight_per_prefix_max = count("in_flight_per_prefix_max");
    config.output_bytes_max = static_cast<std::uint32_t>(node["output_max"].size());
    config.doh_bodies_bytes_max = static_cast<std::uint32_t>(node["doh_bodies_max"].size());
    config.handshake_max = duration("handshake_max");
    config.frame_max = duration("frame_max");
    config.idle_max = duration("idle_max");
    config.doh_idle_max = duration("doh_idle_max");
    config.stalled_max = duration("stalled_max");
    config.query_max = duration("query_max");
    config.leaving_max = duration("leaving_max");
    config.ticket_lifetime = duration("ticket_lifetime");
    config.ticket_rotation = duration("ticket_rotation");
    return config;
}

forwarder::QueryLogSettings query_log(Node node) {
    return {node["level"].choice(query_log_levels), node.has("size") ? node["size"].size() : 0,
            node["kept_for"].seconds()};
}

}  // namespace

Config build(const Value& whole) {
    const Node root(whole);
    Config config;
    config.mode = root["mode"].choice(modes);
    config.lan = root["lan"].list(lan);
    config.wan = root["wan"].list(wan);
    if (root.has("resolver")) config.resolver = resolver(root["resolver"]);
    config.announce = announce(root["announce"]);
    config.upstream = root["upstream"].list(upstream);
    config.do53 = {root["do53"]["addresses"].list(address_of),
                   root["do53"]["port"].integer<std::uint16_t>()};
    config.local = local(root["local"]);
    config.dnsmasq = dnsmasq(root["dnsmasq"]);
    config.odhcpd = {root["odhcpd"]["uci"].text()};
    config.guard = guard(root["guard"]);
    config.metrics.listen = root["metrics"]["listen"].list(
        [](Node at) { return *parse_endpoint(at.text(), metrics_port); });
    config.certificate = certificate(root["certificate"]);
    config.tls = {root["tls"]["roots"].text()};
    config.rebinding = rebinding(root["rebinding"]);
    config.cache = {root["cache"].has("size") ? root["cache"]["size"].size() : 0,
                    root["cache"]["negative_ttl_max"].seconds(),
                    root["cache"]["stale_max"].seconds(),
                    root["cache"]["ttl_min"].seconds(),
                    root["cache"]["ttl_max"].seconds(),
                    root["cache"]["failure_ttl"].seconds(),
                    root["cache"]["failure_ttl_max"].seconds(),
                    root["cache"]["stale_client_timer"].duration(),
                    root["cache"]["stale_recheck"].seconds(),
                    root["cache"]["stale_ttl"].seconds(),
                    root["cache"]["nxdomain_cut"].boolean()};
    config.query_log = query_log(root["query_log"]);
    config.workers = root["workers"].integer<unsigned>();
    config.limits = limits(root["limits"]);
    config.log = {root["log"]["level"].choice(levels), root["log"]["target"].choice(targets)};
    config.users = {root["users"]["agent"].text(), root["users"]["forwarder"].text()};
    config.state_directory = root["state_directory"].text();
    config.runtime_directory = root["runtime_directory"].text();
    return config;
}

}  // namespace porchlight::agent::config
