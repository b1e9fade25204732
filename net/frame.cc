#include "net/frame.h"

#include <algorithm>

#include "core/reader.h"

namespace porchlight::net {
namespace {

// IEEE 802.
constexpr std::uint16_t ipv4_type = 0x0800;
constexpr std::uint16_t ipv6_type = 0x86dd;
constexpr std::uint16_t length_max = 1500;  // a "type" up to here is a length, LLC follows
constexpr std::array<std::uint8_t, 3> snap_header{0xaa, 0xaa, 0x03};  // DSAP, SSAP, control
constexpr std::size_t oui_octets = 3;

// RFC 791, RFC 8200 section 4, RFC 4302; what else IANA lists as an extension header.
constexpr std::uint8_t hop_by_hop = 0;
constexpr std::uint8_t udp = 17;
constexpr std::uint8_t routing = 43;
constexpr std::uint8_t fragment_header = 44;
constexpr std::uint8_t authentication = 51;
constexpr std::uint8_t icmpv6 = 58;
constexpr std::uint8_t destination_options = 60;
constexpr std::uint8_t mobility = 135;
constexpr std::uint8_t hip = 139;
constexpr std::uint8_t shim6 = 140;

constexpr std::uint16_t v4_more_fragments = 0x2000;
constexpr std::uint16_t v4_offset_bits = 0x1fff;
constexpr std::uint16_t v6_more_fragments = 0x0001;
constexpr std::uint16_t v6_offset_bits = 0xfff8;

bool is_tag(std::uint16_t type) {
    return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

template <class Address>
Address read_address(Reader& in) {
    Address address;
    const Bytes octets = in.bytes(address.octets.size());
    std::copy(octets.begin(), octets.end(), address.octets.begin());
    return address;
}

/// The EtherType behind whatever stands before it; 0: none.
std::uint16_t read_type(Reader& in) {
    for (;;) {
        const std::uint16_t type = in.u16();
        if (is_tag(type)) {
            (void)in.u16();  // VLAN, priority
        } else if (type > length_max || in.failed()) {
            return type;
        } else {
            if (!equal(in.bytes(snap_header.size()), snap_header)) return 0;
            (void)in.bytes(oui_octets);
        }
    }
}

/// What is there of `size` octets.
Bytes available(Reader& in, std::size_t size) {
    return in.bytes(std::min(size, in.size()));
}

void read_udp(Reader& in, Frame& frame) {
    frame.source_port = in.u16();
    frame.destination_port = in.u16();
    const std::size_t length = in.u16();
    (void)in.u16();  // checksum
    constexpr std::size_t header_octets = 8;
    frame.octets = available(in, length < header_octets ? 0 : length - header_octets);
    frame.payload = Frame::Payload::udp;
}

void read_upper(Reader& in, std::uint8_t protocol, Frame& frame) {
    if (protocol == udp) {
        read_udp(in, frame);
    } else if (protocol == icmpv6) {
        frame.octets = in.rest();
        if (frame.octets.empty()) in.fail("has an empty ICMPv6 message");
        frame.payload = Frame::Payload::icmpv6;
    } else {
        (void)in.rest();
    }
}

void read_ipv4(Reader& whole, Frame& frame) {
    const std::uint8_t first = whole.u8();
    (void)whole.u8();  // services
    const std::size_t total = whole.u16();
    (void)whole.u16();  // identification
    const std::uint16_t fragment = whole.u16();
    frame.hop_limit = whole.u8();
    const std::uint8_t protocol = whole.u8();
    (void)whole.u16();  // checksum
    frame.source_address = read_address<Ipv4>(whole);
    frame.destination_address = read_address<Ipv4>(whole);
    constexpr std::size_t header_octets_min = 20;
    const std::size_t header = (first & 0x0f) * 4u;
    if (first >> 4 != 4 || header < header_octets_min || total < header)
        return whole.fail("is no IPv4");
    (void)whole.bytes(header - header_octets_min);
    Reader in(available(whole, total - header));
    frame.fragment = (fragment & v4_more_fragments) != 0;
    if ((fragment & v4_offset_bits) != 0 || protocol != udp) return;
    read_udp(in, frame);
    if (in.failed()) whole.fail("ends within its headers");
}

/// Skips one extension header. The next one's number; nothing: it is not the first fragment.
std::optional<std::uint8_t> skip_extension(Reader& in, std::uint8_t header, Frame& frame) {
    const std::uint8_t next = in.u8();
    const std::size_t length = in.u8();
    if (header == fragment_header) {
        const std::uint16_t offset = in.u16();
        (void)in.u32();  // identification
        // One that is the only one of its packet is none (RFC 6946).
        frame.fragment |= (offset & v6_more_fragments) != 0;
        if ((offset & v6_offset_bits) != 0 && !in.failed()) return std::nullopt;
    } else {
        const std::size_t octets = header == authentication ? (length + 2) * 4 : (length + 1) * 8;
        (void)in.bytes(octets - 2);
    }
    return next;
}

bool is_extension(std::uint8_t header) {
    for (std::uint8_t one : {hop_by_hop, routing, fragment_header, authentication,
                             destination_options, mobility, hip, shim6})
        if (header == one) return true;
    return false;
}

void read_ipv6(Reader& whole, Frame& frame) {
    if (whole.u32() >> 28 != 6) return whole.fail("is no IPv6");
    const std::size_t length = whole.u16();
    std::uint8_t next = whole.u8();
    frame.hop_limit = whole.u8();
    frame.source_address = read_address<Ipv6>(whole);
    frame.destination_address = read_address<Ipv6>(whole);
    Reader in(available(whole, length));
    while (is_extension(next) && !in.failed()) {
        const auto behind = skip_extension(in, next, frame);
        if (!behind) return;
        next = *behind;
    }
    read_upper(in, next, frame);
    if (!in.failed()) return;
    if (!frame.fragment) return whole.fail("ends within its headers");
    frame.payload = Frame::Payload::hidden;
    frame.octets = {};
}

}  // namespace

std::optional<MacAddress> parse_mac_address(std::string_view text) {
    MacAddress address;
    constexpr std::size_t digits = 3;  // of an octet, with its colon
    if (text.size() != digits * address.octets.size() - 1) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (i % digits == 2) {
            if (c != ':') return std::nullopt;
            continue;
        }
        const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool letter = lower >= 'a' && lower <= 'f';
        if (!letter && (lower < '0' || lower > '9')) return std::nullopt;
        std::uint8_t& octet = address.octets[i / digits];
        octet = static_cast<std::uint8_t>(octet << 4 | (letter ? lower - 'a' + 10 : lower - '0'));
    }
    return address;
}

std::string to_text(const MacAddress& address) {
    return to_hex(address.octets, ':');
}

Result<Frame> parse_frame(Bytes octets) {
    Reader in(octets);
    Frame frame;
    frame.destination = read_address<MacAddress>(in);
    frame.source = read_address<MacAddress>(in);
    const std::uint16_t type = read_type(in);
    if (type == ipv4_type) read_ipv4(in, frame);
    if (type == ipv6_type) read_ipv6(in, frame);
    if (in.failed()) return in.error("Ethernet frame");
    return frame;
}

}  // namespace porchlight::net
