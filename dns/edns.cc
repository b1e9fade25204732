#include "dns/edns.h"

#include "dns/query.h"

namespace porchlight::dns {
namespace {

constexpr std::uint32_t dnssec_ok = 0x8000;  // in OPT's TTL field (RFC 6891 section 6.1.4)
constexpr std::size_t option_header_bytes = 4;

}  // namespace

void write_query(Writer& out, std::uint16_t id, const Question& question,
                 const QueryOptions& options) {
    const std::size_t start = out.size();
    out.u16(id);
    out.u16(static_cast<std::uint16_t>(flag::recursion_desired |
                                       (question.checking_disabled ? flag::checking_disabled : 0) |
                                       (options.authentic_data ? flag::authentic_data : 0)));
    out.u16(1);  // questions
    out.u16(0);
    out.u16(0);
    out.u16(1);  // OPT
    write(out, question.name);
    out.u16(question.type);
    out.u16(class_in);

    out.u8(0);  // the root
    out.u16(type::opt);
    out.u16(options.udp_size_bytes);
    out.u32(question.dnssec_ok ? dnssec_ok : 0);
    out.counted_u16([&] {
        if (question.subnet_withheld) {
            out.u16(option::client_subnet);
            out.u16(4);
            out.u16(1);  // IPv4, of which no bit is told
            out.u16(0);
        }
        if (options.keepalive) {
            out.u16(option::tcp_keepalive);
            out.u16(0);
        }
        if (options.padding_bytes_block == 0) return;
        // Last, so that it rounds up the length of everything else (RFC 8467 section 4.1).
        const std::size_t bare = out.size() - start + option_header_bytes;
        const std::size_t over = bare % options.padding_bytes_block;
        out.u16(option::padding);
        out.counted_u16([&] { out.zeros(over == 0 ? 0 : options.padding_bytes_block - over); });
    });
}

}  // namespace porchlight::dns
