#include "forwarder/answer_writer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dns/answer.h"
#include "dns/edns.h"

namespace porchlight::forwarder {
namespace {

constexpr std::uint16_t udp_size_ours = 1232;        // what we take over UDP
constexpr std::size_t udp_answer_octets_max = 4096;  // loopback has no path to fragment on
constexpr std::size_t padding_block = 468;
constexpr std::uint32_t any_ttl = 3600;
constexpr std::uint16_t copied_flags =
    dns::flag::opcode | dns::flag::recursion_desired | dns::flag::checking_disabled;

std::uint16_t flags_of(Bytes message) {
    return static_cast<std::uint16_t>(message[2] << 8 | message[3]);
}

void write_option(Writer& out, std::uint16_t code, std::uint16_t value) {
    out.u16(code);
    out.u16(2);
    out.u16(value);
}

/// As many zeros as bring the message to a whole number of blocks, if the carrier takes them.
void write_padding(Writer& out, std::size_t start, std::size_t octets_max) {
    const std::size_t bare = out.size() - start + 4;
    if (bare > octets_max) return;
    const std::size_t blocks = (bare + padding_block - 1) / padding_block;
    const std::size_t padded = std::min(blocks * padding_block, octets_max);
    out.u16(dns::option::padding);
    out.u16(static_cast<std::uint16_t>(padded - bare));
    out.zeros(padded - bare);
}

/// RFC 6891 section 6.1.2.
void write_opt(Writer& out, std::size_t start, const dns::Query& query, const Carrier& carrier,
               std::uint16_t rcode, std::optional<std::uint16_t> extended_error) {
    const std::array<std::uint8_t, 11> fixed = {
        0,
        0,
        dns::type::opt,
        udp_size_ours >> 8,
        udp_size_ours & 0xff,
        static_cast<std::uint8_t>(rcode >> 4),
        0,  // version
        query.edns.dnssec_ok ? std::uint8_t{0x80} : std::uint8_t{0},
        0,
        0,
        0};
    out.bytes(fixed);
    const std::size_t options = out.size();
    if (extended_error) write_option(out, dns::option::extended_error, *extended_error);
    if (query.edns.keepalive && carrier.keepalive)
        write_option(out, dns::option::tcp_keepalive, *carrier.keepalive);
    if (query.edns.padding && carrier.encrypted) write_padding(out, start, carrier.octets_max);
    if (out.size() != options) out.patch_u16(options - 2, out.size() - options);
    std::uint8_t* additional_count = out.tail(start).data() + 10;
    if (++additional_count[1] == 0) ++additional_count[0];
}

/// What write_opt() wrote from `opt` on.
void remove_opt(Writer& out, std::size_t start, std::size_t opt) {
    out.truncate(opt);
    std::uint8_t* additional_count = out.tail(start).data() + 10;
    if (additional_count[1]-- == 0) --additional_count[0];
}

/// Leaves the header, with TC, and the question.
void cut(Writer& out, std::size_t start, const dns::Query& query) {
    out.truncate(start + dns::header_octets + query.question.size());
    const auto message = out.tail(start);
    message[2] |= dns::flag::truncated >> 8;
    std::fill(message.begin() + 6, message.begin() + dns::header_octets, std::uint8_t{0});
}

void write_head(Writer& out, const dns::Query& query, std::uint16_t rcode) {
    out.u16(query.id);
    out.u16(dns::flag::response | dns::flag::recursion_available | (query.flags & copied_flags) |
            (rcode & dns::flag::rcode));
    out.u16(query.question.empty() ? 0 : 1);
    out.zeros(6);
    out.bytes(query.question);
}

}  // namespace

Carrier udp_carrier(const dns::Query& query) {
    return {.octets_max = std::min<std::size_t>(query.edns.udp_size, udp_answer_octets_max)};
}

void adopt(Writer& out, std::size_t start, const dns::Query& query) {
    std::uint16_t flags = flags_of(out.tail(start));
    if (!query.wants_authentic_data())
        flags = static_cast<std::uint16_t>(flags & ~dns::flag::authentic_data);
    out.patch_u16(start, query.id);
    out.patch_u16(start + 2, (flags & ~copied_flags) | (query.flags & copied_flags));
    std::memcpy(out.tail(start).data() + dns::header_octets, query.question.data(),
                query.name_size);
}

void finish(Writer& out, std::size_t start, const dns::Query& query, const Carrier& carrier,
            std::optional<std::uint16_t> extended_error) {
    // The header's four bits of the response code are all of it: nothing above 15 is passed on.
    const auto end = [&] {
        if (query.edns.present)
            write_opt(out, start, query, carrier, dns::rcode::no_error, extended_error);
    };
    const std::size_t opt = out.size();
    end();
    if (out.size() - start <= carrier.octets_max) return;
    if (!carrier.truncates) {
        if (out.size() != opt) remove_opt(out, start, opt);
        return;
    }
    cut(out, start, query);
    end();
}

void write_empty_answer(Writer& out, const dns::Query& query, std::uint16_t rcode,
                        const Carrier& carrier, std::optional<std::uint16_t> extended_error) {
    const std::size_t start = out.size();
    write_head(out, query, rcode);
    if (query.edns.present) write_opt(out, start, query, carrier, rcode, extended_error);
}

void write_truncated_answer(Writer& out, const dns::Query& query, const Carrier& carrier) {
    const std::size_t start = out.size();
    write_empty_answer(out, query, dns::rcode::no_error, carrier);
    out.tail(start)[2] |= dns::flag::truncated >> 8;
}

void write_any_answer(Writer& out, const dns::Query& query, const Carrier& carrier) {
    const std::size_t start = out.size();
    write_head(out, query, dns::rcode::no_error);
    out.patch_u16(start + 6, 1);
    out.u16(0xc000 | dns::header_octets);  // the question's name
    out.u16(dns::type::hinfo);
    out.u16(dns::class_in);
    out.u32(any_ttl);
    out.counted_u16([&] {
        out.counted_u8([&] { out.text("RFC8482"); });
        out.u8(0);
    });
    finish(out, start, query, carrier);
}

void write_verdict(Writer& out, const dns::Query& query, dns::Verdict verdict,
                   const Carrier& carrier) {
    switch (verdict) {
        case dns::Verdict::answer:
        case dns::Verdict::drop:
            return;
        case dns::Verdict::format_error:
            return write_empty_answer(out, query, dns::rcode::form_error, carrier);
        case dns::Verdict::not_implemented:
            return write_empty_answer(out, query, dns::rcode::not_implemented, carrier);
        case dns::Verdict::refused:
            return write_empty_answer(out, query, dns::rcode::refused, carrier);
        case dns::Verdict::bad_version:
            return write_empty_answer(out, query, dns::rcode::bad_version, carrier);
        case dns::Verdict::cookie_only:
            return write_empty_answer(out, query, dns::rcode::no_error, carrier);
    }
}

}  // namespace porchlight::forwarder
