#include "dns/query.h"

#include <algorithm>

#include "core/reader.h"
#include "dns/edns.h"

namespace porchlight::dns {
namespace {

constexpr std::uint8_t label_octets_max = 63;
constexpr std::uint8_t pointer_bits = 0xc0;
constexpr std::uint32_t dnssec_ok_bit = 0x8000;

std::uint8_t lower(std::uint8_t octet) {
    return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + ('a' - 'A')) : octet;
}

/// The question's name can't be compressed: nothing but the header stands before it.
void read_question(Reader& in, Bytes message, Query& query) {
    const std::size_t start = in.offset();
    while (const std::uint8_t length = in.u8()) {
        if (length > label_octets_max) in.fail("has a compressed question");
        in.bytes(length);
    }
    const std::size_t size = in.offset() - start;
    if (size > name_octets_max) in.fail("has a name above 255 octets");
    query.type = in.u16();
    query.klass = in.u16();
    if (in.failed()) return;
    query.question = message.subspan(start, size + 4);
    query.name_size = static_cast<std::uint8_t>(size);
    // Length octets are below 64, where lower() changes nothing.
    std::transform(message.begin() + static_cast<std::ptrdiff_t>(start),
                   message.begin() + static_cast<std::ptrdiff_t>(start + size),
                   query.octets.begin(), lower);
}

/// Skips a record's owner; true if it is the root. A pointer must aim before the name it ends.
bool skip_owner(Reader& in) {
    const std::size_t start = in.offset();
    std::uint8_t length = in.u8();
    const bool is_root = length == 0;
    for (; length != 0; length = in.u8()) {
        if ((length & pointer_bits) == pointer_bits) {
            const std::size_t target = (length & ~pointer_bits & 0xff) << 8 | in.u8();
            if (target < header_octets || target >= start) in.fail("has a pointer that loops");
            break;
        }
        if (length > label_octets_max) in.fail("has a label of an unknown kind");
        in.bytes(length);
        if (in.offset() - start > name_octets_max) in.fail("has a name above 255 octets");
    }
    return is_root;
}

void read_option(std::uint16_t code, Bytes value, Reader& in, ClientEdns& edns) {
    switch (code) {
        case option::padding:
            edns.padding = true;
            break;
        case option::tcp_keepalive:
            edns.keepalive = true;
            edns.keepalive_filled = !value.empty();
            break;
        case option::cookie:  // RFC 7873 section 4: client alone, or client and server
            edns.cookie = true;
            if (value.size() != 8 && (value.size() < 16 || value.size() > 40))
                in.fail("has a cookie of no legal length");
            break;
        case option::client_subnet:  // family, prefix lengths of source and scope, address
            edns.subnet_withheld = value.size() >= 4 && value[2] == 0;
            break;
        default:
            break;
    }
}

/// Everything of an OPT record behind its type (RFC 6891 section 6.1.2).
void read_opt(Reader& in, bool owner_is_root, ClientEdns& edns) {
    if (edns.present) in.fail("has two OPT records");
    if (!owner_is_root) in.fail("has an OPT record with a name");
    edns.present = true;
    edns.udp_size = std::max<std::uint16_t>(512, in.u16());
    const std::uint32_t ttl = in.u32();
    edns.version = static_cast<std::uint8_t>(ttl >> 16);
    edns.dnssec_ok = (ttl & dnssec_ok_bit) != 0;
    in.counted_u16([&](Reader& options) {
        while (!options.empty()) {
            const std::uint16_t code = options.u16();
            read_option(code, options.bytes(options.u16()), options, edns);
        }
    });
}

void read_additional(Reader& in, ClientEdns& edns) {
    const bool owner_is_root = skip_owner(in);
    if (in.u16() == type::opt) return read_opt(in, owner_is_root, edns);
    in.u16();  // class
    in.u32();  // TTL
    in.bytes(in.u16());
}

/// Looks for the OPT record of a message whose answer holds nothing else of it: that carries one
/// exactly when this does (RFC 6891 section 6.1.1). What can't be walked has none.
void find_opt(Reader& in, unsigned questions, unsigned records, unsigned additionals,
              ClientEdns& edns) {
    for (; questions > 0 && !in.failed(); --questions) {
        skip_owner(in);
        in.u32();  // type, class
    }
    for (; records > 0 && !in.failed(); --records) {
        skip_owner(in);
        in.bytes(8);  // type, class, TTL
        in.bytes(in.u16());
    }
    for (; additionals > 0 && !in.failed(); --additionals) read_additional(in, edns);
}

bool is_served(std::uint16_t type) {
    const bool is_meta = type >= type::tkey && type <= type::maila;  // AXFR and IXFR among them
    return type != 0 && type != type::opt && !is_meta;
}

}  // namespace

Verdict parse_query(Bytes message, Query& query) {
    query.id = query.flags = query.type = query.klass = 0;
    query.name_size = 0;
    query.question = {};
    query.edns = {};

    Reader in(message);
    query.id = in.u16();
    query.flags = in.u16();
    const std::uint16_t questions = in.u16();
    const std::uint16_t answers = in.u16();
    const std::uint16_t authorities = in.u16();
    const std::uint16_t additionals = in.u16();
    if (in.failed() || (query.flags & flag::response) != 0) return Verdict::drop;
    const bool is_query = (query.flags & flag::opcode) == 0;
    if (!is_query || questions > 1 || answers != 0 || authorities != 0) {
        const unsigned records = unsigned{answers} + authorities;
        find_opt(in, questions, records, additionals, query.edns);
        return is_query ? Verdict::format_error : Verdict::not_implemented;
    }

    if (questions == 1) read_question(in, message, query);
    for (unsigned left = additionals; left > 0 && !in.failed(); --left)
        read_additional(in, query.edns);
    if (!in.finished()) return Verdict::format_error;
    if (query.edns.version > 0) return Verdict::bad_version;
    if (questions == 0) return query.edns.cookie ? Verdict::cookie_only : Verdict::format_error;
    if (query.klass != class_in || !is_served(query.type)) return Verdict::refused;
    return Verdict::answer;
}

Question question_of(const Query& query) {
    Reader in(query.name());
    return {read_name(in), query.type, query.edns.dnssec_ok, query.checking_disabled(),
            query.edns.subnet_withheld};
}

}  // namespace porchlight::dns
