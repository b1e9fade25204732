#include "dns/svc_params.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "dns/blocked_ports.h"

namespace porchlight::dns {
namespace {

constexpr std::array<std::string_view, 9> key_names = {"mandatory", "alpn",     "no-default-alpn",
                                                       "port",      "ipv4hint", "ech",
                                                       "ipv6hint",  "dohpath",  "ohttp"};

bool contains(std::string_view set, char c) {
    return set.find(c) != set.npos;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Shortest forms only, no surrogates, nothing above U+10FFFF (RFC 3629 section 4).
bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto octet = [&](std::size_t i) {
            return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
        };
        const std::uint8_t first = octet(at), second = octet(at + 1);
        const std::size_t length = first < 0x80   ? 1u
                                   : first < 0xc2 ? 0u
                                   : first < 0xe0 ? 2u
                                   : first < 0xf0 ? 3u
                                   : first < 0xf5 ? 4u
                                                  : 0u;
        if (length == 0) return false;
        if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
            (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
            return false;
        for (std::size_t i = 1; i < length; ++i)
            if ((octet(at + i) & 0xc0) != 0x80) return false;
        at += length;
    }
    return true;
}

std::vector<std::uint16_t> read_mandatory(Reader& in) {
    std::vector<std::uint16_t> keys;
    do {
        const std::uint16_t key = in.u16();
        if (key == key_mandatory) in.fail("lists key 0 as mandatory");
        if (!keys.empty() && key <= keys.back()) in.fail("has mandatory keys out of order");
        keys.push_back(key);
    } while (!in.empty());
    return keys;
}

std::vector<std::string> read_alpn(Reader& in) {
    std::vector<std::string> ids;
    do {
        in.counted_u8([&](Reader& part) {
            if (part.empty()) part.fail("has an empty ALPN id");
            ids.emplace_back(text_of(part.rest()));
        });
    } while (!in.empty());
    return ids;
}

std::string read_dohpath(Reader& in) {
    const std::string_view text = text_of(in.rest());
    if (!is_template_text(text)) in.fail("has a dohpath that is empty or no UTF-8 text");
    return std::string(text);
}

/// An ECHConfigList (RFC 9849 section 4): at least one configuration, each of the length it gives.
/// What is inside depends on the version, which only a client that connects need know.
bool is_ech_config_list(Reader in) {
    in.counted_u16([](Reader& list) {
        do {
            (void)list.u16();  // version
            list.counted_u16([](Reader& configuration) { (void)configuration.rest(); });
        } while (!list.empty());
    });
    return in.finished();
}

/// Keys that only travel through: their syntax is checked, their value kept as it is.
Buffer read_other(Reader& in, std::uint16_t key) {
    const bool broken_ech = key == key_ech && !is_ech_config_list(in);
    const Bytes value = in.rest();
    if (broken_ech) in.fail("has an ech that is no list of configurations");
    const std::size_t unit = key == key_ipv4hint ? 4u : key == key_ipv6hint ? 16u : 1u;
    if (unit > 1 && (value.empty() || value.size() % unit != 0))
        in.fail("has an address hint of a wrong length");
    if (key == key_ohttp && !value.empty()) in.fail("has a value where ohttp takes none");
    if (key == key_invalid) in.fail("has the key that is never valid");
    return Buffer(value.begin(), value.end());
}

bool has(const SvcParams& params, std::uint16_t key) {
    switch (key) {
        case key_mandatory:
            return !params.mandatory.empty();
        case key_alpn:
            return !params.alpn.empty();
        case key_no_default_alpn:
            return params.no_default_alpn;
        case key_port:
            return params.port.has_value();
        case key_dohpath:
            return params.dohpath.has_value();
        default:
            return params.other.contains(key);
    }
}

/// Keys whose meaning this program acts on. no-default-alpn is one of them: DNS has no default
/// protocol (RFC 9461 section 4.1), so there is nothing to do.
bool is_understood(std::uint16_t key) {
    return has_member(key) || key == key_ipv4hint || key == key_ipv6hint;
}

bool is_http(std::string_view alpn) {
    return alpn == "h2" || alpn == "h3" || alpn == "http/1.1";
}

bool is_known_protocol(std::string_view alpn) {
    return alpn == "dot" || alpn == "doq" || is_http(alpn);
}

bool is_percent_encoded(std::string_view text, std::size_t at) {
    return at + 2 < text.size() && is_hex_digit(text[at + 1]) && is_hex_digit(text[at + 2]);
}

/// RFC 6570 section 2.3: names of letters, digits, '_', '.' between and %XX.
bool is_variable_name(std::string_view name) {
    if (name.empty() || name.front() == '.' || name.back() == '.') return false;
    for (std::size_t at = 0; at < name.size(); ++at) {
        const char c = name[at];
        if (c == '.' && name[at - 1] == '.') return false;
        if (c == '%' && !is_percent_encoded(name, at)) return false;
        if (!is_letter(c) && !is_digit(c) && c != '_' && c != '.' && c != '%') return false;
    }
    return true;
}

/// A variable, with '*' or a prefix length of 1 to 9999 (RFC 6570 section 2.4).
bool is_variable(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon != text.npos) {
        const std::string_view length = text.substr(colon + 1);
        if (length.empty() || length.size() > 4 || length.front() == '0') return false;
        if (!std::all_of(length.begin(), length.end(), is_digit)) return false;
        return is_variable_name(text.substr(0, colon));
    }
    if (text.ends_with('*')) text.remove_suffix(1);
    return is_variable_name(text);
}

/// What stands between braces. `has_dns` is set where it names `dns`, not cut to a prefix.
bool is_usable_expression(std::string_view text, bool& has_dns) {
    // Operator '#' makes a fragment, which no server ever sees; "=,!@|" are reserved.
    if (!text.empty() && contains("+./;?&", text.front())) text.remove_prefix(1);
    for (;;) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view variable = text.substr(0, comma);
        if (!is_variable(variable)) return false;
        has_dns = has_dns || variable == "dns" || variable == "dns*";
        if (comma == text.size()) return true;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace

bool has_member(std::uint16_t key) {
    return key <= key_port || key == key_dohpath;
}

SvcParams read_svc_params(Reader& in) {
    SvcParams params;
    for (int previous = -1; !in.empty();) {
        const std::uint16_t key = in.u16();
        if (key <= previous) in.fail("has SvcParamKeys out of order");
        previous = key;
        in.counted_u16([&](Reader& value) {
            switch (key) {
                case key_mandatory:
                    params.mandatory = read_mandatory(value);
                    break;
                case key_alpn:
                    params.alpn = read_alpn(value);
                    break;
                case key_no_default_alpn:
                    params.no_default_alpn = true;
                    break;
                case key_port:
                    params.port = value.u16();
                    break;
                case key_dohpath:
                    params.dohpath = read_dohpath(value);
                    break;
                default:
                    params.other[key] = read_other(value, key);
            }
        });
    }
    for (std::uint16_t key : params.mandatory)
        if (!has(params, key)) in.fail("lacks a key that it lists as mandatory");
    if (params.no_default_alpn && params.alpn.empty()) in.fail("has no-default-alpn without alpn");
    return params;
}

void write(Writer& out, const SvcParams& params) {
    const auto write_param = [&](std::uint16_t key, auto body) {
        out.u16(key);
        out.counted_u16(body);
    };
    auto other = params.other.begin();
    const auto write_others_below = [&](int key) {
        for (; other != params.other.end() && other->first < key; ++other)
            write_param(other->first, [&] { out.bytes(other->second); });
    };
    if (!params.mandatory.empty()) {
        write_param(key_mandatory, [&] {
            for (std::uint16_t key : params.mandatory) out.u16(key);
        });
    }
    if (!params.alpn.empty()) {
        write_param(key_alpn, [&] {
            for (const std::string& id : params.alpn) out.counted_u8([&] { out.text(id); });
        });
    }
    if (params.no_default_alpn) write_param(key_no_default_alpn, [] {});
    if (params.port) write_param(key_port, [&] { out.u16(*params.port); });
    write_others_below(key_dohpath);
    if (params.dohpath) write_param(key_dohpath, [&] { out.text(*params.dohpath); });
    write_others_below(key_invalid);
}

std::optional<std::string> why_not_usable(const SvcParams& params) {
    for (std::uint16_t key : params.mandatory)
        if (!is_understood(key)) return "mandatory key " + key_text(key) + " is not understood";
    if (params.alpn.empty()) return "no alpn names a protocol";
    if (std::none_of(params.alpn.begin(), params.alpn.end(), is_known_protocol))
        return "no protocol in alpn is known";
    if (params.port == 0) return "port 0 can't be connected to";
    if (params.port && is_blocked_port(*params.port))
        return "port " + std::to_string(*params.port) + " is one that clients refuse to connect to";
    if (std::any_of(params.alpn.begin(), params.alpn.end(), is_http)) {
        if (!params.dohpath) return "HTTP in alpn without a dohpath";
        if (!is_usable_dohpath(*params.dohpath)) return "HTTP in alpn without a usable dohpath";
    }
    return std::nullopt;
}

bool is_template_text(std::string_view text) {
    return !text.empty() && is_utf8(text) && !contains(text, '\0');
}

bool is_usable_dohpath(std::string_view text) {
    // "//" would begin an authority of its own, and the authority is the ADN's alone.
    if (!text.starts_with('/') || text.starts_with("//") || !is_utf8(text)) return false;
    bool has_dns = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '{') {
            const std::size_t end = text.find('}', at);
            if (end == text.npos) return false;
            if (!is_usable_expression(text.substr(at + 1, end - at - 1), has_dns)) return false;
            at = end;
        } else if (c == '%') {
            if (!is_percent_encoded(text, at)) return false;
        } else if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || contains("\"#<>\\^`}", c)) {
            return false;
        }
    }
    return has_dns;
}

bool is_plain_dohpath(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter(c) || is_digit(c) || contains(plain_dohpath_marks, c);
    });
}

std::string key_text(std::uint16_t key) {
    if (key < key_names.size()) return std::string(key_names[key]);
    return "key" + std::to_string(key);
}

std::optional<std::uint16_t> parse_key(std::string_view text) {
    const auto* name = std::find(key_names.begin(), key_names.end(), text);
    if (name != key_names.end()) return static_cast<std::uint16_t>(name - key_names.begin());
    if (!text.starts_with("key")) return std::nullopt;
    const std::string_view digits = text.substr(3);
    std::uint16_t key = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), key);
    const bool whole = ec == std::errc() && end == digits.data() + digits.size();
    if (!whole || digits.empty() || (digits.size() > 1 && digits.front() == '0') ||
        key == key_invalid)
        return std::nullopt;
    return key;
}

}  // namespace porchlight::dns
