#include "dhcp/dnsmasq_feed.h"

#include <algorithm>

#include "dhcp/draft_v4.h"
#include "dhcp/draft_v6.h"
#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"
#include "dhcp/vendor_opts.h"

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

/// What stands before the option in a line. dnsmasq wants all of it to be true of a host.
struct Condition {
    std::string tag;
    std::string on = {};                // also this interface's, where that is not the tag itself
    std::vector<std::string> but = {};  // none of these groups'
};

std::string spelt(const Condition& condition) {
    std::string text = "tag:" + condition.tag + ",";
    if (!condition.on.empty()) text += "tag:" + condition.on + ",";
    for (const std::string& group : condition.but) text += "tag:!" + group + ",";
    return text;
}

constexpr std::string_view longest_v6_code = "option6:65535,";

/// The octets that a line holds behind its condition, each two digits and a colon.
std::size_t room_in_line(const Condition& condition) {
    const std::size_t used = spelt(condition).size() + longest_v6_code.size();
    return used < dnsmasq_line_max ? (dnsmasq_line_max - used) / 3 : 0;
}

/// dnsmasq puts all sub-options of one enterprise into one option, beside those of the user's own.
std::string vendor_prefix(std::uint32_t enterprise) {
    return enterprise == 0 ? "" : "vi-encap:" + std::to_string(enterprise) + ",";
}

void add(CarrierOptions& whole, std::uint16_t code, Buffer data, std::uint32_t enterprise = 0) {
    if (!data.empty()) whole.options.push_back({code, std::move(data), enterprise});
}

void add(CarrierOptions& whole, std::vector<dns::LeftOut> left_out, dns::Format format) {
    for (dns::LeftOut& one : left_out) {
        if (format == dns::Format::draft_btw_11) one.why = "in the draft's form: " + one.why;
        whole.left_out.push_back(std::move(one));
    }
}

constexpr std::size_t v4_header_octets = 2;

CarrierOptions v4_options(std::span<const dns::EncryptedResolver> resolvers,
                          const dns::Forms& forms, std::size_t line_room) {
    CarrierOptions whole;
    std::size_t room = std::min(dnsmasq_v4_room, line_room);
    for (const dns::Format format : forms.formats) {
        const bool draft = format == dns::Format::draft_btw_11;
        const auto encode = [&](std::size_t octets) {
            return draft ? encode_draft_v4(resolvers, octets) : encode_v4(resolvers, octets);
        };
        EncodedV4 encoded = encode(room);
        if (encoded.payload.empty() && forms.formats.size() == 1)
            encoded = encode(std::min(dnsmasq_v4_octets_max, line_room));
        room -= std::min(room, encoded.payload.size() + v4_header_octets);
        add(whole, draft ? forms.code_points.dhcpv4 : v4_dnr_code, std::move(encoded.payload));
        add(whole, std::move(encoded.left_out), format);
    }
    return whole;
}

CarrierOptions v6_options(std::span<const dns::EncryptedResolver> resolvers,
                          const dns::Forms& forms, std::size_t room) {
    CarrierOptions whole;
    for (const dns::Format format : forms.formats) {
        if (format == dns::Format::draft_btw_11) {
            const std::uint32_t enterprise = forms.code_points.enterprise;
            const std::size_t prefix = (vendor_prefix(enterprise).size() + 2) / 3;
            EncodedDraftV6 encoded =
                encode_draft_v6(resolvers, dnsmasq_v6_count_max, room - std::min(room, prefix),
                                within(forms.code_points));
            for (V6Option& option : encoded.options)
                add(whole, option.code, std::move(option.data), enterprise);
            add(whole, std::move(encoded.left_out), format);
        } else {
            EncodedV6 encoded = encode_v6(resolvers, dnsmasq_v6_count_max, room);
            for (Buffer& option : encoded.options) add(whole, v6_dnr_code, std::move(option));
            add(whole, std::move(encoded.left_out), format);
        }
    }
    return whole;
}

/// Nobody hears of anything by a tag that dnsmasq can't hold.
HostOptions untaggable(const TaggedResolvers& told, const DnsmasqUse& use) {
    HostOptions options{told.tag, {}, {}, {}};
    for (const auto& resolver : told.resolvers) {
        const dns::LeftOut nameless{resolver.priority, resolver.adn,
                                    "dnsmasq can't tag by this interface's name"};
        if (use.v4) options.v4.left_out.push_back(nameless);
        if (use.v6) options.v6.left_out.push_back(nameless);
    }
    return options;
}

HostOptions host_options(const TaggedResolvers& told, const DnsmasqUse& use, std::size_t room) {
    HostOptions options{told.tag, told.on, {}, {}};
    if (use.v4) options.v4 = v4_options(told.resolvers, use.forms, room);
    if (use.v6) options.v6 = v6_options(told.resolvers, use.forms, room);
    return options;
}

HostOptions link_options(const TaggedResolvers& link, const DnsmasqUse& use,
                         const std::vector<std::string>& groups) {
    if (!is_tag(link.tag)) return untaggable(link, use);
    return host_options(link, use, room_in_line({link.tag, {}, groups}));
}

/// Told the same on every link, so what has room in the longest of its lines.
HostOptions group_options(TaggedResolvers group, const DnsmasqUse& use) {
    std::erase_if(group.on, [](const std::string& link) { return !is_tag(link); });
    if (group.on.empty()) return untaggable(group, use);
    std::size_t room = dnsmasq_line_max;
    for (const std::string& link : group.on) room = std::min(room, room_in_line({group.tag, link}));
    return host_options(group, use, room);
}

/// The groups that a carrier tells nothing, who must not hear what their link does.
template <class Carrier>
std::vector<std::string> untold(const std::vector<HostOptions>& groups, Carrier carrier) {
    std::vector<std::string> tags;
    for (const HostOptions& group : groups)
        if ((group.*carrier).options.empty()) tags.push_back(group.tag);
    return tags;
}

/// `groups` are all of them: of sub-options for one code dnsmasq sends not the last alone but every
/// one.
template <class Carrier>
std::string lines(const HostOptions& host, Carrier carrier, const Condition& condition,
                  const std::vector<std::string>& groups = {}) {
    const std::string_view code = carrier == &HostOptions::v6 ? "option6:" : "";
    const Condition of_no_group{condition.tag, condition.on, groups};
    std::string text;
    for (const CarrierOptions::Option& option : (host.*carrier).options)
        text += spelt(option.enterprise == 0 ? condition : of_no_group) +
                vendor_prefix(option.enterprise).append(code) + std::to_string(option.code) + "," +
                to_hex(option.data, ':') + "\n";
    return text;
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

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        lines.push_back(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(lines.back().size() + 1, text.size()));
    }
    return lines;
}

bool is_for(std::string_view line, std::string_view tag) {
    return line.starts_with("tag:" + std::string(tag) + ",");
}

}  // namespace

DnsmasqOptions dnsmasq_options(std::span<const TaggedResolvers> links,
                               std::span<const TaggedResolvers> groups, const DnsmasqUse& use) {
    DnsmasqOptions whole;
    std::vector<std::string> tags;  // any of them may have to be named in the links' lines
    for (const TaggedResolvers& group : groups) {
        whole.groups.push_back(group_options(group, use));
        tags.push_back(group.tag);
    }
    for (const TaggedResolvers& link : links) whole.links.push_back(link_options(link, use, tags));
    return whole;
}

std::string options_text(const DnsmasqOptions& options) {
    std::string text(header);
    const auto no_v4 = untold(options.groups, &HostOptions::v4);
    const auto no_v6 = untold(options.groups, &HostOptions::v6);
    std::vector<std::string> groups;
    for (const HostOptions& group : options.groups) groups.push_back(group.tag);
    for (const HostOptions& link : options.links)
        text += lines(link, &HostOptions::v4, {link.tag, {}, no_v4}, groups) +
                lines(link, &HostOptions::v6, {link.tag, {}, no_v6}, groups);
    for (const HostOptions& group : options.groups)
        for (const std::string& link : group.on)
            text += lines(group, &HostOptions::v4, {group.tag, link}) +
                    lines(group, &HostOptions::v6, {group.tag, link});
    return text;
}

bool tells(std::string_view options_text, std::string_view tag, const dns::Name& adn) {
    const std::string name = to_hex(adn.wire(), ':');
    const auto lines = lines_of(options_text);
    return std::any_of(lines.begin(), lines.end(), [&](std::string_view line) {
        return is_for(line, tag) && line.find(name) != line.npos;
    });
}

bool tells(std::string_view options_text, std::string_view tag) {
    const auto lines = lines_of(options_text);
    return std::any_of(lines.begin(), lines.end(),
                       [&](std::string_view line) { return is_for(line, tag); });
}

std::string without(std::string_view options_text, std::span<const std::string> tags) {
    std::string text;
    bool told = false;
    for (const std::string_view line : lines_of(options_text)) {
        if (std::any_of(tags.begin(), tags.end(),
                        [&](const std::string& tag) { return is_for(line, tag); }))
            continue;
        told = told || line.starts_with("tag:");
        text.append(line) += "\n";
    }
    return told ? text : "";
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
    // Not dhcp-host, which would stand in for a reservation of the user's, and not dhcp-hostsfile,
    // which dnsmasq 2.90 does not survive being told to read again.
    for (const DnsmasqFragment::Group& group : fragment.groups)
        for (const std::string& host : group.hosts)
            text += "dhcp-mac=set:" + group.tag + "," + host + "\n";
    // A name that dnsmasq takes for none would keep it from starting.
    for (const dns::Name& domain : fragment.may_lead_home)
        if (dns::is_host_name(domain)) text += "rebind-domain-ok=/" + dns::to_host(domain) + "/\n";
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
