#include "check.h"
#include "core/random.h"
#include "core/reader.h"
#include "dns/answer.h"
#include "forwarder/answer_writer.h"
#include "forwarder/cache.h"

using namespace porchlight;
using namespace porchlight::forwarder;

namespace {

const Clock::time_point start{std::chrono::hours(1000)};

/// The query that gets the answer to `asked`: ID, flags, letter case and what follows the question
/// as somebody pleases.
Buffer query_for(const dns::Question& asked, Reader& in) {
    Writer out;
    out.u16(in.u16());
    out.u16((in.u16() & ~(dns::flag::response | dns::flag::opcode | dns::flag::checking_disabled)) |
            (asked.checking_disabled ? dns::flag::checking_disabled : 0));
    out.u16(1);
    out.zeros(4);
    out.u16(in.u16() & 3);
    const std::uint16_t cases = in.u16();
    std::size_t at = 0;
    for (std::uint8_t octet : asked.name.wire()) {
        const bool is_letter = (octet | 32) >= 'a' && (octet | 32) <= 'z' && octet >= 64;
        out.u8(is_letter && (cases >> at++ % 16 & 1) != 0 ? octet ^ 32 : octet);
    }
    out.u16(asked.type);
    out.u16(dns::class_in);
    out.bytes(in.rest());
    return *out.take();
}

/// As the look-up keeps it; the answer's facts.
dns::Answer keep(Cache& cache, const dns::Question& asked, Buffer& message, dns::Answer facts) {
    dns::clean(message, facts, {});
    Storable storable{message, std::span(facts.ttl_at).first(facts.ttl_count), facts.ttl};
    std::vector<std::uint16_t> walked;
    if (facts.ttls_walk) {
        dns::for_each_ttl(
            message, [&](std::size_t at) { walked.push_back(static_cast<std::uint16_t>(at)); });
        storable.ttl_offsets = walked;
    }
    storable.extended_error = facts.extended_error;
    cache.store(asked, storable, start);
    return facts;
}

void check_answer(Bytes answer, const dns::Query& query, const dns::Question& asked,
                  const Carrier& carrier, std::uint32_t age_s, const dns::Answer& stored) {
    check(answer.size() <= carrier.octets_max || !carrier.truncates);
    check((answer[0] << 8 | answer[1]) == query.id);
    const Bytes question = answer.subspan(dns::header_octets, query.question.size());
    check(equal(question, query.question));
    Buffer plain(answer.begin(), answer.end());
    const auto parsed = dns::parse_answer(plain, asked, {});
    check(bool(parsed));
    if (parsed->truncated) return;  // nothing behind the question was looked at
    check((parsed->opt_at != 0) == query.edns.present || !carrier.truncates);
    check(parsed->kind == stored.kind);
    check(parsed->ttl.count() + age_s <= std::max<std::int64_t>(stored.ttl.count(), age_s));
}

}  // namespace

// A whole response, with the octets of what asks for it behind a count in front.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static SeededRandom random{1};
    static Cache cache{{.bytes_max = 1 << 20}, random};
    Reader in({data, size});
    Reader wish(in.bytes(std::min<std::size_t>(in.u8(), in.size())));
    const std::uint8_t how = wish.u8();
    const Bytes response = in.rest();
    Reader reader(response);
    reader.bytes(dns::header_octets);
    dns::Question asked;
    asked.name = dns::read_name(reader);
    asked.type = reader.u16();
    asked.view = how & 1;
    asked.checking_disabled = (how & 2) != 0;
    Buffer message(response.begin(), response.end());
    const auto facts = dns::parse_answer(message, asked, {});
    if (!facts || facts->truncated) return 0;
    const std::uint32_t age_s = wish.u16();
    const Buffer octets = query_for(asked, wish);
    dns::Query query;
    if (dns::parse_query(octets, query) != dns::Verdict::answer) return 0;
    asked.dnssec_ok = query.edns.dnssec_ok;
    cache.flush();
    const dns::Answer stored = keep(cache, asked, message, *facts);

    Writer out;
    out.u16(0xffff);  // another answer stands in front
    const Clock::time_point now = start + std::chrono::seconds(age_s);
    const auto hit = cache.answer(query, asked.view, now, out);
    check(bool(hit) == (age_s < stored.ttl.count()));
    if (!hit) return 0;
    check(!cache.answer(query, asked.view ^ 1, now, out));
    Carrier carrier = (how & 4) != 0 ? udp_carrier(query) : Carrier{.encrypted = true};
    if ((how & 8) != 0) carrier.truncates = false;
    finish(out, 2, query, carrier, hit->extended_error);
    check_answer(out.view().subspan(2), query, asked, carrier, age_s, stored);
    return 0;
}
