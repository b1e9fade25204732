#include "forwarder/nxdomain_cut.h"

#include <doctest/doctest.h>

#include "dns/answer.h"
#include "dns/records.h"
#include "forwarder/messages.h"
#include "hex.h"

namespace porchlight::forwarder {
namespace {

dns::Question asked(std::string_view name, std::uint16_t type = dns::type::a) {
    return {name_of(name), type};
}

/// NXDOMAIN for gone.example with the SOA of example, its names compressed.
const Buffer nxdomain =
    hex("0000 8183 0001 0000 0001 0000"
        "04 676f6e65 07 6578616d706c65 00 0001 0001"     // gone.example A
        "c011 0006 0001 00000384"                        // example SOA, 900 s
        "0026 026e73 c011 0a 686f73746d6173746572 c011"  // ns.example hostmaster.example
        "00000001 00000e10 000004b0 00093a80 00000e10");

/// Of the response's SOA: its owner and TTL, as a strict parser finds them.
std::pair<std::string, std::uint32_t> soa_of(Bytes response) {
    for (const dns::Record& record : dns::records_of(response))
        if (record.type == dns::type::soa) return {dns::to_text(record.owner), record.ttl};
    return {};
}

}  // namespace

TEST_SUITE("forwarder/nxdomain_cut") {
    TEST_CASE("what is kept of NXDOMAIN answers for any name and type beneath") {
        REQUIRE(dns::parse_answer(nxdomain, asked("gone.example"), {}));
        const auto cut = cut_of(nxdomain, asked("gone.example"));
        REQUIRE(cut);
        CHECK(dns::parse_answer(cut->response, cut_question(name_of("gone.example"), {}), {}));
        CHECK(Reader(Bytes(cut->response).subspan(cut->ttl_at)).u32() == 900);
        for (const auto& question :
             {asked("gone.example", dns::type::aaaa), asked("A.gone.Example"),
              asked("a-label.that-is.rather-long.gone.example", dns::type::https)}) {
            const Buffer response = response_from_cut(cut->response, question);
            const auto answer = dns::parse_answer(response, question, {});
            REQUIRE(answer);
            CHECK(answer->kind == dns::Answer::Kind::no_name);
            CHECK(answer->ttl.count() == 900);
            CHECK(soa_of(response) == std::pair<std::string, std::uint32_t>{"example.", 900});
        }
    }

    TEST_CASE("NXDOMAIN behind an alias, or without an SOA around the name, says less") {
        Buffer aliased = nxdomain;
        aliased[7] = 1;
        const Buffer cname = hex("c00c 0005 0001 00000384 0002 c011");
        aliased.insert(aliased.begin() + 30, cname.begin(), cname.end());
        REQUIRE(dns::parse_answer(aliased, asked("gone.example"), {}));
        CHECK(!cut_of(aliased, asked("gone.example")));
        const Buffer bare = dns::empty_response(asked("gone.example"), dns::rcode::no_name);
        CHECK(!cut_of(bare, asked("gone.example")));
        // An SOA of elsewhere: its owner is gone.example itself, which is not around this name.
        Buffer elsewhere = nxdomain;
        elsewhere[31] = 12;
        CHECK(cut_of(elsewhere, asked("gone.example")));
        CHECK(!cut_of(elsewhere, asked("other.example")));
        Buffer beside = nxdomain;  // in the additional section
        beside[9] = 0;
        beside[11] = 1;
        CHECK(!cut_of(beside, asked("gone.example")));
    }

    TEST_CASE("what else stands beside the SOA does not count") {
        Buffer more = nxdomain;
        more[9] = 2;
        const Buffer ns = hex("c011 0002 0001 00000384 0005 026e73c011");
        more.insert(more.begin() + 30, ns.begin(), ns.end());
        const auto cut = cut_of(more, asked("gone.example"));
        REQUIRE(cut);
        CHECK(cut->response == cut_of(nxdomain, asked("gone.example"))->response);
    }

    TEST_CASE("an SOA that is cut short or too long is none") {
        for (const unsigned octets : {0x25u, 0x27u}) {
            Buffer damaged = nxdomain;
            damaged[41] = static_cast<std::uint8_t>(octets);
            damaged.resize(nxdomain.size() - 0x26 + octets);
            CHECK(!cut_of(damaged, asked("gone.example")));
        }
    }

    TEST_CASE("of the names above, those nearest the root are looked at, and not the root") {
        const auto questions = cut_questions(asked("a.b.example"));
        REQUIRE(questions.size() == 3);
        CHECK(questions.front().name == name_of("a.b.example"));
        CHECK(questions.back().name == name_of("example"));
        std::string deep = "example";
        for (int i = 0; i < 40; ++i) deep = "x." + deep;
        CHECK(cut_questions(asked(deep)).size() == cut_labels_max);
        CHECK(cut_questions(asked(deep)).back().name == name_of("example"));
        CHECK(cut_questions(asked(".")).empty());
    }

    TEST_CASE("who wants proofs gets none by this, and views stay apart") {
        dns::Question question = asked("a.example");
        CHECK(may_be_cut(question));
        question.dnssec_ok = true;
        CHECK(!may_be_cut(question));
        question = asked("a.example");
        question.checking_disabled = true;
        CHECK(!may_be_cut(question));
        question.view = 3;
        for (const dns::Question& above : cut_questions(question)) CHECK(above.view == 3);
    }
}

}  // namespace porchlight::forwarder
