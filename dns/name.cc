#include "dns/name.h"

#include <algorithm>

namespace porchlight::dns {
namespace {

constexpr std::size_t name_octets_max = 255;
constexpr std::size_t label_octets_max = 63;

std::uint8_t lower(std::uint8_t octet) {
    return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + ('a' - 'A')) : octet;
}

bool is_digit(std::uint8_t octet) {
    return octet >= '0' && octet <= '9';
}

bool is_plain(std::uint8_t octet) {
    const std::uint8_t c = lower(octet);
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

bool equal_ignoring_case(Bytes a, Bytes b) {
    // Length octets are below 64, where lower() changes nothing.
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](std::uint8_t x, std::uint8_t y) { return lower(x) == lower(y); });
}

/// One character of a label in text form, escapes undone; advances `at`. Below zero if malformed.
int unescape(std::string_view text, std::size_t& at) {
    if (text[at] != '\\') return static_cast<std::uint8_t>(text[at++]);
    if (++at >= text.size()) return -1;
    if (text[at] < '0' || text[at] > '9') return static_cast<std::uint8_t>(text[at++]);
    int value = 0;
    for (int digit = 0; digit < 3; ++digit, ++at) {
        if (at >= text.size() || text[at] < '0' || text[at] > '9') return -1;
        value = value * 10 + (text[at] - '0');
    }
    return value <= 255 ? value : -1;
}

}  // namespace

std::size_t Name::label_count() const {
    std::size_t count = 0;
    for (std::size_t at = 0; wire_[at] != 0; at += wire_[at] + 1u) ++count;
    return count;
}

bool Name::is_within(const Name& ancestor) const {
    const std::size_t tail = ancestor.wire_.size();
    for (std::size_t at = 0; wire_.size() - at >= tail; at += wire_[at] + 1u) {
        if (wire_.size() - at == tail)
            return equal_ignoring_case(Bytes(wire_).subspan(at), ancestor.wire_);
    }
    return false;
}

Name Name::parent() const {
    if (is_root()) return *this;
    return Name(Buffer(wire_.begin() + wire_[0] + 1, wire_.end()));
}

bool Name::operator==(const Name& other) const {
    return equal_ignoring_case(wire_, other.wire_);
}

std::weak_ordering Name::operator<=>(const Name& other) const {
    const auto less = [](std::uint8_t a, std::uint8_t b) { return lower(a) < lower(b); };
    if (std::lexicographical_compare(wire_.begin(), wire_.end(), other.wire_.begin(),
                                     other.wire_.end(), less))
        return std::weak_ordering::less;
    return *this == other ? std::weak_ordering::equivalent : std::weak_ordering::greater;
}

Name read_name(Reader& in) {
    Buffer wire;
    for (;;) {
        const std::uint8_t length = in.u8();
        if (length > label_octets_max) in.fail("has a compressed name or a label above 63 octets");
        const Bytes label = in.bytes(length);
        if (in.failed()) return Name();
        wire.push_back(length);
        wire.insert(wire.end(), label.begin(), label.end());
        if (wire.size() > name_octets_max) in.fail("has a name above 255 octets");
        if (in.failed()) return Name();
        if (length == 0) return Name(std::move(wire));
    }
}

void write(Writer& out, const Name& name) {
    out.bytes(name.wire());
}

Result<Name> parse_name(std::string_view text) {
    const auto refuse = [](const char* why) { return Error{Errc::malformed, why}; };
    if (text == ".") return Name();
    if (text.empty()) return refuse("an empty name");
    Buffer wire;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length_at = wire.size();
        wire.push_back(0);
        while (at < text.size() && text[at] != '.') {
            const int octet = unescape(text, at);
            if (octet < 0) return refuse("a broken escape in a name");
            wire.push_back(static_cast<std::uint8_t>(octet));
        }
        const std::size_t length = wire.size() - length_at - 1;
        if (length == 0) return refuse("an empty label in a name");
        if (length > label_octets_max) return refuse("a label above 63 octets");
        wire[length_at] = static_cast<std::uint8_t>(length);
        ++at;  // the dot, or past the end
    }
    wire.push_back(0);
    if (wire.size() > name_octets_max) return refuse("a name above 255 octets");
    return Name(std::move(wire));
}

std::string to_text(const Name& name) {
    return name.is_root() ? "." : to_host(name) + ".";
}

std::string to_host(const Name& name) {
    if (name.is_root()) return ".";
    std::string text;
    Reader in(name.wire());
    while (const std::uint8_t length = in.u8()) {
        if (!text.empty()) text += '.';
        for (std::uint8_t octet : in.bytes(length)) {
            if (is_plain(octet)) {
                text += static_cast<char>(octet);
            } else {
                text += '\\';
                text += static_cast<char>('0' + octet / 100);
                text += static_cast<char>('0' + octet / 10 % 10);
                text += static_cast<char>('0' + octet % 10);
            }
        }
    }
    return text;
}

bool is_host_name(const Name& name) {
    if (name.is_root()) return false;
    Reader in(name.wire());
    while (const std::uint8_t length = in.u8()) {
        const Bytes label = in.bytes(length);
        if (label.front() == '-' || label.back() == '-') return false;
        if (!std::all_of(label.begin(), label.end(), is_plain)) return false;
    }
    return true;
}

bool reads_as_address(const Name& name) {
    Bytes last;
    Reader in(name.wire());
    while (const std::uint8_t length = in.u8()) last = in.bytes(length);
    return !last.empty() && std::all_of(last.begin(), last.end(), is_digit);
}

std::optional<std::string> why_not_announceable(const Name& name) {
    if (!is_host_name(name)) return "is no host's name";
    if (to_host(name).find('_') != std::string::npos)
        return "has an underscore, for which systemd discards the option";
    if (reads_as_address(name)) return "reads as an address";
    return std::nullopt;
}

}  // namespace porchlight::dns
