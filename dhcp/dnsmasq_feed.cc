#include "dhcp/dnsmasq_feed.h"

#include <algorithm>

namespace porchlight::dhcp {
namespace {

constexpr std::string_view header =
    "# Written by porchlight, which overwrites what is changed here.\n";
constexpr std::string_view blanks = " \t\r";

/// Whether dnsmasq's option syntax can hold an interface's name as a tag.
bool is_tag(std::string_view interface) {
    return !interface.empty() && std::all_of(interface.begin(), interface.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.' || c == '@';
    });
}

std::string option_line(const std::string& interface, std::string_view code, Bytes data) {
    std::string line = "tag:" + interface + ",";
    line += code;
    return line + "," + to_hex(data, ':') + "\n";
}

/// The word at the front of `text`, cut off it; empty at its end.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    return word;
}

std::optional<DnsServer> parse_server(std::string_view text) {
    const std::size_t percent = std::min(text.find('%'), text.size());
    const auto address = parse_address(text.substr(0, percent));
    if (!address || *address == IpAddress(Ipv4{{127, 0, 0, 1}}) ||
        *address == IpAddress(Ipv6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}))
        return std::nullopt;
    if (percent == text.size()) return DnsServer{*address, 53, {}};
    const std::string_view zone = text.substr(percent + 1);
    if (!is_tag(zone)) return std::nullopt;
    return DnsServer{*address, 53, std::string(zone)};
}

}  // namespace

LinkOptions link_options(std::string interface, std::span<const dns::EncryptedResolver> resolvers) {
    LinkOptions link{std::move(interface), {}, {}};
    if (!is_tag(link.interface)) {
        for (const auto& resolver : resolvers) {
            const dns::LeftOut nameless{resolver.priority, resolver.adn,
                                        "dnsmasq can't tag by this interface's name"};
            link.v4.left_out.push_back(nameless);
            link.v6.left_out.push_back(nameless);
        }
        return link;
    }
    link.v4 = encode_v4(resolvers, dnsmasq_v4_room);
    if (link.v4.payload.empty()) link.v4 = encode_v4(resolvers, dnsmasq_v4_octets_max);
    link.v6 = encode_v6(resolvers, dnsmasq_v6_count_max, dnsmasq_v6_octets_max);
    return link;
}

std::string options_text(std::span<const LinkOptions> links) {
    std::string text(header);
    for (const LinkOptions& link : links) {
        if (!link.v4.payload.empty()) text += option_line(link.interface, "162", link.v4.payload);
        for (const Buffer& option : link.v6.options)
            text += option_line(link.interface, "option6:144", option);
    }
    return text;
}

std::string servers_text(std::span<const DnsServer> servers) {
    std::string text(header);
    for (const DnsServer& server : servers) {
        text += "server=" + to_text(server.address);
        if (!server.zone.empty()) text += "%" + server.zone;
        text += "#" + std::to_string(server.port) + "\n";
    }
    return text;
}

std::vector<DnsServer> former_servers(std::string_view resolv_conf) {
    std::vector<DnsServer> servers;
    while (!resolv_conf.empty() && servers.size() < former_servers_max) {
        std::string_view line = resolv_conf.substr(0, resolv_conf.find('\n'));
        resolv_conf.remove_prefix(std::min(line.size() + 1, resolv_conf.size()));
        if (take_word(line) != "nameserver") continue;
        if (auto server = parse_server(take_word(line))) servers.push_back(*std::move(server));
    }
    return servers;
}

std::string fragment_text(const DnsmasqFragment& fragment) {
    std::string text(header);
    text += "no-resolv\n";
    text += "servers-file=" + fragment.servers_file + "\n";
    text += "dhcp-optsfile=" + fragment.options_file + "\n";
    if (!fragment.adn) return text;
    const std::string adn = dns::to_host(*fragment.adn);
    for (const IpAddress& address : fragment.addresses)
        text += "host-record=" + adn + "," + to_text(address) + "\n";
    // The name's addresses outside are private too where the zone holds them; stop-dns-rebind
    // would take them for an attack.
    text += "rebind-domain-ok=/" + adn + "/\n";
    return text;
}

}  // namespace porchlight::dhcp
