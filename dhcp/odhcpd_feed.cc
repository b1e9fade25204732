#include "dhcp/odhcpd_feed.h"

#include <algorithm>
#include <optional>

#include "dhcp/v6_dnr.h"

namespace porchlight::dhcp {
namespace {

constexpr std::size_t name_octets_max = 64;
constexpr std::uint16_t tls_port = 853;  // DNS over TLS and over QUIC (RFC 7858, RFC 9250)
constexpr std::uint16_t https_port = 443;

/// odhcpd takes several blanks for one. A value that somebody wrote by hand has one here, so that
/// none of theirs is ever spelt like one of ours, and taken away with it.
constexpr std::string_view behind_priority = "  ";

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
    return text;
}

/// The port that hosts take where none is named; none where the protocols differ in it.
std::optional<std::uint16_t> default_port(const std::vector<std::string>& alpn) {
    std::optional<std::uint16_t> port;
    for (const std::string& protocol : alpn) {
        const bool tls = protocol == "dot" || protocol == "doq";
        const std::uint16_t its_own = tls ? tls_port : https_port;
        if (port && *port != its_own) return std::nullopt;
        port = its_own;
    }
    return port;
}

/// The parameters' text goes through UCI and through odhcpd, which cuts it at blanks and at '='.
bool survives(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) {
        return c > ' ' && c <= '~' && c != '=' && c != '\'' && c != '"' && c != '\\';
    });
}

/// Why odhcpd can't tell of a resolver whatever is done about it, or nothing if it can.
std::optional<std::string> why_not_tellable(const dns::EncryptedResolver& resolver,
                                            const OdhcpdUse& use) {
    if (dns::is_adn_only(resolver) && use.may_serve_dhcpv4)
        return "odhcpd would tell DHCPv4 clients too, with an octet too many";
    if (!resolver.params.other.empty())
        return "odhcpd does not know its " + dns::key_text(resolver.params.other.begin()->first);
    if (resolver.params.dohpath && !survives(*resolver.params.dohpath))
        return "odhcpd would cut its dohpath, which has '=' or a quotation mark";
    if (!survives(join(resolver.params.alpn))) return "odhcpd would cut its alpn";
    return std::nullopt;
}

Result<Buffer> dhcpv6_option(const dns::EncryptedResolver& resolver) {
    return dns::encode_checked(resolver, v6_dnr(resolver), parse_v6_dnr);
}

/// The octets of ND option 144 before its padding (RFC 9463 section 6.1), which has more than the
/// one of DHCPv6: type, length and lifetime, and behind addresses the length of the parameters.
std::size_t advertised_octets(const dns::EncryptedResolver& resolver, const Buffer& dhcpv6) {
    return dhcpv6.size() + (dns::is_adn_only(resolver) ? 6 : 8);
}

/// odhcpd pads with 8 octets what needs none, and with 9 what needs one.
bool is_padded_wrong(std::size_t octets) {
    return octets % 8 == 0 || octets % 8 == 7;
}

/// The resolver as odhcpd sends it.
Result<dns::EncryptedResolver> tellable(dns::EncryptedResolver resolver, const OdhcpdUse& use,
                                        std::size_t& ra_room) {
    if (auto why = why_not_tellable(resolver, use)) return Error{Errc::refused, *std::move(why)};
    // Not before this: without its addresses it could pass for one that has an ADN alone.
    const std::vector<Ipv6> addresses = dns::announceable<Ipv6>(resolver);
    if (addresses.empty() && !resolver.addresses.empty())
        return Error{Errc::refused, "it has no IPv6 address, and odhcpd sends others wrong"};
    resolver.addresses.assign(addresses.begin(), addresses.end());
    Result<Buffer> option = dhcpv6_option(resolver);
    if (!option) return option.error();
    if (!use.advertises) return resolver;

    const auto is_wrong = [&] { return is_padded_wrong(advertised_octets(resolver, *option)); };
    if (is_wrong() && !dns::is_adn_only(resolver) && !resolver.params.port) {
        resolver.params.port = default_port(resolver.params.alpn);
        option = dhcpv6_option(resolver);
        if (!option) return option.error();
    }
    if (is_wrong())
        return Error{Errc::refused,
                     "odhcpd would pad its Router Advertisement option with 8 octets too many"};
    const std::size_t padded = (advertised_octets(resolver, *option) + 7) / 8 * 8;
    if (padded > ra_room) return dns::does_not_fit(padded, ra_room);
    ra_room -= padded;
    return resolver;
}

std::string value_of(const dns::EncryptedResolver& resolver, std::chrono::seconds lifetime) {
    std::string text = std::to_string(resolver.priority);
    text.append(behind_priority) += dns::to_host(resolver.adn);
    if (dns::is_adn_only(resolver)) return text;  // odhcpd takes the next word for addresses
    std::vector<std::string> addresses;
    for (const IpAddress& address : resolver.addresses) addresses.push_back(to_text(address));
    text += " " + join(addresses);
    const dns::SvcParams& params = resolver.params;
    if (!params.alpn.empty()) text += " alpn=" + join(params.alpn);
    if (params.no_default_alpn) text += " no-default-alpn";
    if (params.port) text += " port=" + std::to_string(*params.port);
    if (params.dohpath) text += " dohpath=" + *params.dohpath;
    return text + " _lifetime=" + std::to_string(lifetime.count());
}

/// Whether a value can stand between apostrophes in a line of `uci batch`, and ends there.
bool is_quotable(std::string_view value) {
    return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        return c >= ' ' && c <= '~' && c != '\'' && c != '"' && c != '\\';
    });
}

bool has_our_mark(std::string_view value) {
    const std::size_t behind_digits = std::min(value.find_first_not_of("0123456789"), value.size());
    return behind_digits > 0 && value.substr(behind_digits).starts_with(behind_priority) &&
           is_quotable(value);
}

/// The options by which odhcpd is switched on for a section, and their words for that. "relay" has
/// another router speak.
bool switches_on(std::string_view option, std::string_view value) {
    return (option == ".ra" || option == ".dhcpv6") && (value == "server" || value == "hybrid");
}

/// Up to a blank or the line's end, quoted as a shell does it: blanks and ends of lines may stand
/// between apostrophes, an apostrophe behind a backslash.
std::string take_word(std::string_view& text) {
    std::string word;
    bool quoted = false;
    std::size_t at = 0;
    for (; at < text.size() && (quoted || (text[at] != ' ' && text[at] != '\n')); ++at) {
        if (text[at] == '\'')
            quoted = !quoted;
        else if (quoted || text[at] != '\\')
            word += text[at];
        else if (++at < text.size())
            word += text[at];
    }
    text.remove_prefix(std::min(at, text.size()));
    return word;
}

}  // namespace

OdhcpdList odhcpd_list(std::span<const dns::EncryptedResolver> resolvers, const OdhcpdUse& use) {
    OdhcpdList list;
    std::size_t ra_room = odhcpd_ra_room;
    for (const auto& resolver : dns::by_priority({resolvers.begin(), resolvers.end()})) {
        Result<dns::EncryptedResolver> told = tellable(resolver, use, ra_room);
        if (!told) {
            list.left_out.push_back({resolver.priority, resolver.adn, told.error().message});
            continue;
        }
        list.values.push_back(value_of(*told, use.lifetime));
        list.told.push_back(std::move(*told));
    }
    return list;
}

bool is_uci_name(std::string_view text) {
    return !text.empty() && text.size() <= name_octets_max &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_';
           });
}

std::string odhcpd_text(std::span<const OdhcpdEntry> entries) {
    std::string text;
    for (const OdhcpdEntry& entry : entries) text += entry.section + " " + entry.value + "\n";
    return text;
}

Result<std::vector<OdhcpdEntry>> parse_odhcpd_text(std::string_view text) {
    std::vector<OdhcpdEntry> entries;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const std::size_t blank = std::min(line.find(' '), line.size());
        const std::string_view section = line.substr(0, blank);
        const std::string_view value = line.substr(std::min(blank + 1, line.size()));
        if (line.size() == text.size() || !is_uci_name(section) || !is_quotable(value))
            return Error{Errc::malformed, "a line of odhcpd's list is no section and its value"};
        entries.push_back({std::string(section), std::string(value)});
        text.remove_prefix(line.size() + 1);
    }
    return entries;
}

UciDhcp parse_uci_show(std::string_view text) {
    constexpr std::string_view package = "dhcp.";
    UciDhcp shown;
    for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 1))) {
        std::string value = take_word(text);
        const std::string place = value.substr(0, value.find('='));
        value.erase(0, place.size() + 1);
        const std::size_t dot = std::min(place.find('.', package.size()), place.size());
        const std::string section =
            place.starts_with(package) ? place.substr(package.size(), dot - package.size()) : "";
        const std::string_view option = std::string_view(place).substr(dot);
        if (is_uci_name(section) && option.empty()) shown.sections.push_back(section);
        if (is_uci_name(section) && switches_on(option, value) &&
            std::find(shown.served.begin(), shown.served.end(), section) == shown.served.end())
            shown.served.push_back(section);
        for (bool more = true; more; value = more ? take_word(text) : "") {
            if (is_uci_name(section) && option == ".dnr" && has_our_mark(value))
                shown.ours.push_back({section, value});
            more = text.starts_with(' ');
            if (more) text.remove_prefix(1);
        }
    }
    return shown;
}

std::string uci_batch(std::span<const OdhcpdEntry> before, std::span<const OdhcpdEntry> after) {
    std::string text;
    const auto add = [&](std::string_view command, const OdhcpdEntry& entry) {
        text.append(command) += " dhcp." + entry.section + ".dnr='" + entry.value + "'\n";
    };
    // Also those that stay: UCI adds a value that is there already a second time.
    for (const OdhcpdEntry& entry : before) add("del_list", entry);
    for (const OdhcpdEntry& entry : after) add("add_list", entry);
    return text;
}

}  // namespace porchlight::dhcp
