#include "forwarder/answer_writer.h"

#include <doctest/doctest.h>

#include "dns/answer.h"
#include "forwarder/messages.h"
#include "hex.h"

namespace porchlight::forwarder {
namespace {

const Carrier stream{.encrypted = true, .keepalive = 300};

/// `response`, finished as the answer to `query`, behind two octets that stand for a length.
Buffer finished(const ParsedQuery& query, const ResponseMessage& response, const Carrier& carrier,
                std::optional<std::uint16_t> extended_error = {}) {
    Writer out;
    out.u16(0);
    out.bytes(response.octets());
    adopt(out, 2, query.query);
    finish(out, 2, query.query, carrier, extended_error);
    const Buffer whole = *out.take();
    return {whole.begin() + 2, whole.end()};
}

Buffer verdict_answer(const QueryMessage& message, dns::Verdict verdict) {
    const ParsedQuery query(message);
    Writer out;
    write_verdict(out, query.query, verdict, stream);
    return *out.take();
}

}  // namespace

TEST_SUITE("forwarder/answer_writer") {
    TEST_CASE("an answer has the query's ID and letter case, and no OPT if the query had none") {
        const ParsedQuery query({.id = 0xbeef, .name = "wWw.eXample"});
        const Buffer answer = finished(query, {}, stream);
        CHECK(answer.size() == ResponseMessage{}.octets().size());
        CHECK(equal(Bytes(answer).first(12), hex("beef 8180 0001 0001 0000 0000")));
        CHECK(equal(Bytes(answer).subspan(12, 13), name_of("wWw.eXample").wire()));
    }

    TEST_CASE("of a truncated answer there is the question, TC, and an OPT if the query had one") {
        for (const bool edns : {false, true}) {
            const ParsedQuery query({.id = 0xbeef, .name = "wWw.eXample", .edns = edns});
            Writer out;
            out.u16(0);  // an answer before it
            write_truncated_answer(out, query.query, Carrier{});
            const Buffer answer = *out.take();
            CHECK(equal(Bytes(answer).subspan(2, 12), edns ? hex("beef 8380 0001 0000 0000 0001")
                                                           : hex("beef 8380 0001 0000 0000 0000")));
            CHECK(equal(Bytes(answer).subspan(14, 13), name_of("wWw.eXample").wire()));
            CHECK(answer.size() == 2u + 12 + 13 + 4 + (edns ? 11 : 0));
        }
    }

    TEST_CASE("AD is for who set it, or DO") {
        const auto says_ad = [](const QueryMessage& message, bool authentic) {
            const Buffer answer = finished(ParsedQuery(message), {.authentic = authentic}, stream);
            return (answer[3] & dns::flag::authentic_data) != 0;
        };
        CHECK(!says_ad({}, true));
        CHECK(!says_ad({.edns = true}, true));
        CHECK(says_ad({.authentic_data = true}, true));
        CHECK(says_ad({.edns = true, .dnssec_ok = true}, true));
        CHECK(!says_ad({.authentic_data = true}, false));
        CHECK(!says_ad({.edns = true, .dnssec_ok = true}, false));
    }

    TEST_CASE("OPT with DO in, OPT with DO out") {
        const ParsedQuery query({.edns = true, .dnssec_ok = true});
        const Buffer answer = finished(query, {}, stream);
        CHECK(answer[11] == 1);
        CHECK(equal(Bytes(answer).last(11), hex("00 0029 04d0 00 00 8000 0000")));
    }

    TEST_CASE("padding fills blocks of 468, last, only where asked and encrypted") {
        const ParsedQuery query({.edns = true, .edns_options = hex("000c 0000")});
        CHECK(finished(query, {}, stream).size() == 468);
        CHECK(finished(query, {.filling = 450}, stream).size() == 936);
        const std::size_t plain = ResponseMessage{}.octets().size() + 11;
        CHECK(finished(query, {}, Carrier{.keepalive = 300}).size() == plain);
        CHECK(finished(ParsedQuery({.edns = true}), {}, stream).size() == plain);
        for (std::size_t filling = 380; filling < 420; ++filling) {
            const Buffer answer = finished(query, {.filling = filling}, stream, 22);
            CHECK(answer.size() % 468 == 0);
        }
    }

    TEST_CASE("keepalive only in reply to one, only over a stream") {
        const ParsedQuery query({.edns = true, .edns_options = hex("000b 0000")});
        CHECK(equal(Bytes(finished(query, {}, stream)).last(8), hex("0006 000b 0002 012c")));
        const std::size_t plain = ResponseMessage{}.octets().size() + 11;
        CHECK(finished(ParsedQuery({.edns = true}), {}, stream).size() == plain);
        CHECK(finished(query, {}, udp_carrier(query.query)).size() == plain);
    }

    TEST_CASE("an extended error travels in OPT") {
        const ParsedQuery query({.edns = true});
        CHECK(equal(Bytes(finished(query, {}, stream, 3)).last(8), hex("0006 000f 0002 0003")));
        const ParsedQuery bare(QueryMessage{});
        CHECK(finished(bare, {}, stream, 3).size() == ResponseMessage{}.octets().size());
    }

    TEST_CASE("what UDP cannot carry becomes question, OPT and TC") {
        const ParsedQuery bare(QueryMessage{});
        const ResponseMessage large{.filling = 600};
        const Buffer cut = finished(bare, large, udp_carrier(bare.query));
        CHECK(cut.size() == bare.octets.size());
        CHECK(equal(Bytes(cut).first(12), hex("1234 8380 0001 0000 0000 0000")));
        const ParsedQuery edns({.edns = true, .udp_size = 700});
        const Buffer small = finished(edns, {.filling = 700}, udp_carrier(edns.query));
        CHECK(equal(Bytes(small).first(12), hex("1234 8380 0001 0000 0000 0001")));
        CHECK(small.size() == edns.octets.size());
        const std::size_t fits = 700 - ResponseMessage{}.octets().size() - 11;
        CHECK(finished(edns, {.filling = fits}, udp_carrier(edns.query)).size() == 700);
        CHECK(finished(edns, {.filling = fits + 1}, udp_carrier(edns.query)).size() < 100);
    }

    TEST_CASE("what nobody would ask again another way is never cut") {
        const Carrier whole{.encrypted = true, .truncates = false};
        const ParsedQuery edns({.edns = true, .edns_options = hex("000c 0000")});
        const std::size_t most = 65535 - ResponseMessage{}.octets().size();
        const Buffer largest = finished(edns, {.filling = most - 11}, whole);
        CHECK(largest.size() == 65535);
        CHECK(equal(Bytes(largest).first(12), hex("1234 8180 0001 0001 0000 0001")));
        const Buffer without = finished(edns, {.filling = most - 10}, whole);
        CHECK(without.size() == 65535 - 10);
        CHECK(equal(Bytes(without).first(12), hex("1234 8180 0001 0001 0000 0000")));
    }

    TEST_CASE("verdicts have their response codes, beyond four bits in OPT") {
        const auto rcode_octet = [](dns::Verdict verdict) {
            return verdict_answer({}, verdict)[3];
        };
        CHECK(rcode_octet(dns::Verdict::format_error) == 0x81);
        CHECK(rcode_octet(dns::Verdict::not_implemented) == 0x84);
        CHECK(rcode_octet(dns::Verdict::refused) == 0x85);
        CHECK(rcode_octet(dns::Verdict::cookie_only) == 0x80);
        CHECK(verdict_answer({}, dns::Verdict::drop).empty());
        const Buffer bad = verdict_answer({.edns = true}, dns::Verdict::bad_version);
        CHECK(bad[3] == 0x80);
        CHECK(equal(Bytes(bad).last(11), hex("00 0029 04d0 01 00 0000 0000")));
    }

    TEST_CASE("an error without a readable question has none") {
        dns::Query query;
        const auto octets = hex("abcd 0100 0001 0000 0000 0000 05");
        REQUIRE(dns::parse_query(octets, query) == dns::Verdict::format_error);
        Writer out;
        write_verdict(out, query, dns::Verdict::format_error, stream);
        CHECK(equal(out.view(), hex("abcd 8181 0000 0000 0000 0000")));
    }

    TEST_CASE("ANY is answered with one small record") {
        const ParsedQuery query({.type = dns::type::any, .edns = true});
        Writer out;
        write_any_answer(out, query.query, stream);
        CHECK(out.view()[7] == 1);
        CHECK(out.view()[11] == 1);
        const auto record = hex("c00c 000d 0001 00000e10 0009 07 52464338343832 00");
        CHECK(equal(out.view().subspan(12 + 17, record.size()), record));
    }
}

}  // namespace porchlight::forwarder
