#include "agent/config_type.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "core/address.h"
#include "core/clock.h"
#include "dns/name.h"
#include "net/nat64_prefix.h"

namespace porchlight::agent::config {
namespace {

struct SizeUnit {
    std::string_view name;
    std::uint64_t octets;
};

constexpr std::array size_units{
    SizeUnit{"GiB", 1ull << 30},
    SizeUnit{"MiB", 1ull << 20},
    SizeUnit{"KiB", 1ull << 10},
    SizeUnit{"B", 1},
};

bool is_printable(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return octet < ' ' || octet == 0x7f;
    });
}

bool is_within(const Setting& setting, std::int64_t value) {
    if (setting.min == 0 && setting.max == 0) return true;
    return value >= setting.min && value <= setting.max;
}

bool is_choice(const Setting& setting, std::string_view text) {
    const auto words = words_of(setting);
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_duration(const Setting& setting, std::string_view text) {
    const auto duration = parse_duration(text);
    if (!duration || !is_within(setting, duration->count())) return false;
    return setting.type == Type::duration || duration->count() % 1000 == 0;
}

bool is_size(const Setting& setting, std::string_view text) {
    const auto octets = parse_size(text);
    return octets && std::in_range<std::int64_t>(*octets) &&
           is_within(setting, static_cast<std::int64_t>(*octets));
}

bool is_host(std::string_view text) {
    const auto name = dns::parse_name(text);
    return name && dns::is_host_name(*name) && !dns::reads_as_address(*name);
}

bool is_domain(std::string_view text) {
    const auto name = dns::parse_name(text);
    return name && !name->is_root();
}

bool is_loopback_address(std::string_view text) {
    const auto address = parse_address(text);
    return address && is_loopback(*address);
}

bool is_endpoint(std::string_view text) {
    const auto endpoint = parse_endpoint(text, 53);
    return endpoint && endpoint->port != 0;
}

/// Absolute, and naming a file: what the program does with it depends on no directory that it
/// happened to be started from.
bool is_path(std::string_view text) {
    return text.starts_with('/') && text.size() > 1 && text.size() < 4096 && !text.ends_with('/') &&
           is_printable(text);
}

bool is_url(std::string_view text) {
    constexpr std::string_view scheme = "https://";
    if (!text.starts_with(scheme) || text.size() > 2048) return false;
    if (!is_printable(text) || text.find_first_of(" \"<>\\^`{|}#") != text.npos) return false;
    const std::string_view authority = text.substr(scheme.size());
    const std::string_view host = authority.substr(0, authority.find_first_of(":/?"));
    return is_host(host) && authority.find('@') == authority.npos;
}

bool is_contact(std::string_view text) {
    constexpr std::string_view scheme = "mailto:";
    if (!text.starts_with(scheme) || !is_printable(text)) return false;
    const std::string_view mail = text.substr(scheme.size());
    const std::size_t at = mail.find('@');
    // RFC 8555 section 7.3: one address and no header fields.
    return at != mail.npos && at > 0 && at + 1 < mail.size() &&
           mail.find_first_of(" ,?") == mail.npos;
}

/// What dnsmasq takes for a tag wherever one may stand.
bool is_tag(std::string_view text) {
    return !text.empty() && text.size() <= 16 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
}

/// "02:00:5e:10:00:01".
bool is_hardware_address(std::string_view text) {
    if (text.size() != 17) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool digit =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (i % 3 == 2 ? c != ':' : !digit) return false;
    }
    return true;
}

/// One label of a host's name (RFC 1123 section 2.1).
bool is_label(std::string_view text) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
    };
    return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
           std::all_of(text.begin(), text.end(), good);
}

/// A number, or a name as POSIX has it.
bool is_user(std::string_view text) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= 32 && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), good);
}

bool accepts_text(const Setting& setting, std::string_view text) {
    if (is_choice(setting, text)) return true;
    switch (setting.type) {
        case Type::text:
            return !text.empty() && text.size() < 4096 && is_printable(text);
        case Type::duration:
        case Type::seconds:
            return is_duration(setting, text);
        case Type::size:
            return is_size(setting, text);
        case Type::host:
            return is_host(text);
        case Type::domain:
            return is_domain(text);
        case Type::address:
            return parse_address(text).has_value();
        case Type::ipv6:
            return parse_ipv6(text).has_value();
        case Type::nat64_prefix:
            return net::parse_nat64_prefix(text).has_value();
        case Type::loopback:
            return is_loopback_address(text);
        case Type::tag:
            return is_tag(text);
        case Type::hardware_address:
            return is_hardware_address(text);
        case Type::label:
            return is_label(text);
        case Type::endpoint:
            return is_endpoint(text);
        case Type::interface:
            return is_interface(text);
        case Type::path:
            return is_path(text);
        case Type::url:
            return is_url(text);
        case Type::contact:
            return is_contact(text);
        case Type::user:
            return is_user(text);
        case Type::choice:
        case Type::object:
        case Type::list:
        case Type::boolean:
        case Type::integer:
        case Type::secret:
            break;
    }
    return false;
}

std::string choices_text(const Setting& setting) {
    const auto words = words_of(setting);
    std::string text = words.size() > 1 && setting.type == Type::choice ? "one of " : "";
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i > 0 ? ", \"" : "\"") + std::string(words[i]) + '"';
    return text;
}

std::string bounds(const Setting& setting, std::string (*text)(std::int64_t)) {
    if (setting.min == 0 && setting.max == 0) return {};
    return " from " + text(setting.min) + " to " + text(setting.max);
}

std::string duration_bounds(const Setting& setting) {
    return bounds(setting,
                  [](std::int64_t count) { return to_text(std::chrono::milliseconds(count)); });
}

std::string type_text(const Setting& setting) {
    switch (setting.type) {
        case Type::object:
            return "an object";
        case Type::list:
            if (setting.max == 0) return "a list";
            return "a list of " +
                   (setting.min == setting.max ? "" : std::to_string(setting.min) + " to ") +
                   std::to_string(setting.max) + (setting.max == 1 ? " element" : " elements");
        case Type::boolean:
            return "true or false";
        case Type::integer:
            return "an integer" +
                   bounds(setting, [](std::int64_t count) { return std::to_string(count); });
        case Type::secret:
            return "{\"file\": path}";
        case Type::text:
            return "text";
        case Type::choice:
            return choices_text(setting);
        case Type::duration:
            return "a duration" + duration_bounds(setting) + ", such as \"90s\"";
        case Type::seconds:
            return "a duration" + duration_bounds(setting) + " in whole seconds, such as \"90s\"";
        case Type::size:
            return "a size" +
                   bounds(setting,
                          [](std::int64_t count) {
                              return size_text(static_cast<std::uint64_t>(count));
                          }) +
                   ", such as \"8MiB\"";
        case Type::host:
            return "a host name, such as \"dns.example.net\"";
        case Type::domain:
            return "a domain name, such as \"example.net\"";
        case Type::address:
            return "an IPv4 or IPv6 address";
        case Type::ipv6:
            return "an IPv6 address";
        case Type::nat64_prefix:
            return "a NAT64 prefix, such as \"2001:db8:64::/96\": of 32, 40, 48, 56, 64 or 96 "
                   "bits, "
                   "with none set behind them nor from the 64th to the 71st";
        case Type::loopback:
            return "a loopback address, such as \"127.0.0.1\" or \"::1\"";
        case Type::tag:
            return "a tag of at most 16 letters, digits, '-' and '_'";
        case Type::hardware_address:
            return "a hardware address, such as \"02:00:5e:10:00:01\"";
        case Type::label:
            return "a label of at most 63 letters, digits and '-', such as \"tablet\"";
        case Type::endpoint:
            return "an address and a port, such as \"127.0.0.1:53\"";
        case Type::interface:
            return "an interface's name, 1 to 15 characters, such as \"br-lan\"";
        case Type::path:
            return "an absolute path";
        case Type::url:
            return "a URL that begins with \"https://\" and a host name";
        case Type::contact:
            return "a mail address, such as \"mailto:admin@example.net\"";
        case Type::user:
            return "a user's name, or number as text";
    }
    return {};
}

}  // namespace

bool is_interface(std::string_view text) {
    if (text.empty() || text.size() >= IF_NAMESIZE || text == "." || text == "..") return false;
    return is_printable(text) && text.find_first_of("/: ") == text.npos;
}

bool accepts(const Setting& setting, const Value& value) {
    switch (setting.type) {
        case Type::object:
        case Type::secret:
            return value.kind == Kind::object;
        case Type::list:
            return value.kind == Kind::list &&
                   is_within(setting, static_cast<std::int64_t>(value.members.size()));
        case Type::boolean:
            return value.kind == Kind::boolean;
        case Type::integer:
            return value.integer && is_within(setting, *value.integer);
        default:
            return value.kind == Kind::text && accepts_text(setting, value.text);
    }
}

std::string expectation(const Setting& setting) {
    std::string text = type_text(setting);
    if (setting.shorthand) text += ", or its only element";
    if (setting.type != Type::choice && !setting.choices.empty())
        text += ", or " + choices_text(setting);
    return text;
}

bool is_textual(Type type) {
    switch (type) {
        case Type::object:
        case Type::list:
        case Type::boolean:
        case Type::integer:
        case Type::secret:
            return false;
        default:
            return true;
    }
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t count = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (ec != std::errc()) return std::nullopt;
    const std::string_view name(end, text.data() + text.size());
    for (const SizeUnit& unit : size_units) {
        if (name != unit.name) continue;
        if (count > std::numeric_limits<std::uint64_t>::max() / unit.octets) return std::nullopt;
        return count * unit.octets;
    }
    return std::nullopt;
}

std::string size_text(std::uint64_t octets) {
    for (const SizeUnit& unit : size_units)
        if (octets != 0 && octets % unit.octets == 0)
            return std::to_string(octets / unit.octets) + std::string(unit.name);
    return "0B";
}

}  // namespace porchlight::agent::config
