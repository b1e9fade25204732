#include "dns/answer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/reader.h"
#include "dns/edns.h"
#include "hex.h"

namespace porchlight::dns {
namespace {

using namespace std::chrono_literals;
using Kind = Answer::Kind;

const Question asked{*parse_name("www.example.org"), type::a};
const TtlLimits limits;

// Offsets: the name at 0x0c, "example.org" at 0x10, the first record at 0x21.
const std::string_view question_part = "03 777777 07 6578616d706c65 03 6f7267 00 0001 0001";

Buffer message(std::string_view counts, std::string_view records, std::string_view flags = "81a0") {
    Buffer bytes = hex("1234");
    for (std::string_view part :
         {flags, std::string_view("0001"), counts, question_part, records}) {
        const Buffer more = hex(part);
        bytes.insert(bytes.end(), more.begin(), more.end());
    }
    return bytes;
}

const std::string_view address = "c00c 0001 0001 0000012c 0004 c0000201 ";  // TTL 300
const std::string soa =
    "c010 0006 0001 00000e10 0018 c010 c010 00000001 00000002 00000003 00000004 0000003c ";
const std::string_view opt = "00 0029 04d0 00000000 0000 ";

Buffer with_opt_middle() {
    return message("0001 0000 0002",
                   "c00c 0001 0001 0000012c 0004 c0000201"
                   "00 0029 04d0 00000000 0006 000b 0002 0064"
                   "c010 0001 0001 00000258 0004 c0000202");
}

TEST_SUITE("dns/answer") {
    TEST_CASE("a name compressed against a TTL is refused: TTLs change, names must not") {
        const std::string readable_as_a_name = "c00c 0001 0001 01610000 0004 c0000201 ";
        const std::string record = " 0001 0001 0000012c 0004 c0000202";
        CHECK(parse_answer(message("0002 0000 0000", readable_as_a_name + "c010" + record), asked,
                           limits));
        for (const char* inside : {"c027", "c026", "c028"}) {
            CAPTURE(inside);
            CHECK(!parse_answer(message("0002 0000 0000", readable_as_a_name + inside + record),
                                asked, limits));
        }
    }

    TEST_CASE("a positive answer is as old as its youngest record allows") {
        const Buffer bytes =
            message("0002 0000 0001",
                    "c00c 0005 0001 00000258 0006 03 667470 c010"  // CNAME ftp.example.org, TTL 600
                    "c02d 0001 0001 0000012c 0004 c0000201"        // its address, TTL 300
                    "00 0029 04d0 00000000 0006 000b 0002 0064");  // keepalive 10 s
        const auto answer = parse_answer(bytes, asked, limits);
        REQUIRE(answer);
        CHECK(answer->id == 0x1234);
        CHECK(answer->kind == Kind::positive);
        CHECK(answer->ttl == 300s);
        CHECK(answer->keepalive == 100);
        CHECK(!answer->extended_error);
        REQUIRE(answer->ttl_count == 2);
        CHECK(answer->ttl_at[0] == 0x27);
        CHECK(!answer->ttls_walk);
    }

    TEST_CASE("every truncation is refused") {
        const Buffer whole = with_opt_middle();
        REQUIRE(parse_answer(whole, asked, limits));
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(size);
            CHECK(!parse_answer(Bytes(whole).first(size), asked, limits));
        }
        Buffer longer = whole;
        longer.push_back(0);
        CHECK(!parse_answer(longer, asked, limits));
    }

    TEST_CASE("only the question that was asked is answered, in any letter case") {
        Buffer bytes = message("0001 0000 0000", address);
        bytes[14] = 'W';
        CHECK(parse_answer(bytes, asked, limits));
        CHECK(!parse_answer(bytes, {asked.name, type::aaaa}, limits));
        CHECK(!parse_answer(bytes, {*parse_name("wwx.example.org"), type::a}, limits));
        CHECK(!parse_answer(bytes, {*parse_name("www.example.org.uk"), type::a}, limits));
        CHECK(!parse_answer(bytes, {asked.name.parent(), type::a}, limits));
        Buffer other_class = bytes;
        other_class[0x20] = 3;
        CHECK(!parse_answer(other_class, asked, limits));
        bytes[5] = 0;  // no question
        CHECK(!parse_answer(bytes, asked, limits));
    }

    TEST_CASE("a query, another opcode or a record of another class is no answer") {
        CHECK(!parse_answer(message("0001 0000 0000", address, "0100"), asked, limits));
        CHECK(!parse_answer(message("0001 0000 0000", address, "a180"), asked, limits));
        CHECK(!parse_answer(message("0001 0000 0000", "c00c 0001 0003 0000012c 0004 c0000201"),
                            asked, limits));
    }

    TEST_CASE("negative answers live as the SOA says, and without one not at all") {
        const auto ttl_of = [](const Buffer& bytes) {
            const auto answer = parse_answer(bytes, asked, limits);
            REQUIRE(answer);
            return answer->ttl;
        };
        CHECK(ttl_of(message("0000 0001 0000", soa, "8183")) == 60s);  // MINIMUM below the TTL
        CHECK(ttl_of(message("0000 0001 0000", soa, "8180")) == 60s);
        CHECK(ttl_of(message("0000 0000 0000", "", "8183")) == 0s);
        CHECK(ttl_of(message("0000 0000 0000", "", "8180")) == 0s);
        CHECK(ttl_of(message("0000 0001 0000", soa, "8182")) == 0s);  // SERVFAIL
        // A long MINIMUM ends at the limit.
        std::string patient = soa;
        patient.replace(patient.find("0000003c"), 8, "00093a80");
        CHECK(ttl_of(message("0000 0001 0000", patient, "8183")) == limits.negative_max);
        // A chain that ends in nothing lives as its CNAME does, if that is shorter.
        CHECK(ttl_of(message("0001 0001 0000", "c00c 0005 0001 0000001e 0006 03 667470 c010" + soa,
                             "8183")) == 30s);
    }

    TEST_CASE("an SOA of another zone says nothing of how long a name does not exist") {
        const auto ttl_of = [](std::string_view counts, const std::string& records) {
            const auto answer = parse_answer(message(counts, records, "8183"), asked, limits);
            REQUIRE(answer);
            CHECK(answer->kind == Kind::no_name);
            return answer->ttl;
        };
        const auto soa_of = [](const std::string& owner) { return owner + soa.substr(4); };
        CHECK(ttl_of("0000 0001 0000", soa_of("c00c")) == 60s);  // the name itself
        CHECK(ttl_of("0000 0001 0000", soa_of("03 575757 c010")) == 60s);
        CHECK(ttl_of("0000 0001 0000", soa_of("c018")) == 60s);  // org
        CHECK(ttl_of("0000 0001 0000", soa_of("00")) == 60s);
        CHECK(ttl_of("0000 0001 0000", soa_of("03 667470 c010")) == 0s);  // beside it
        CHECK(ttl_of("0000 0001 0000", soa_of("01 61 c00c")) == 0s);      // below it
        CHECK(ttl_of("0000 0001 0000", soa_of("02 7777 c010")) == 0s);    // half a label
        CHECK(ttl_of("0000 0001 0000", soa_of("03 636f6d 00")) == 0s);    // com
        CHECK(ttl_of("0000 0001 0000", soa_of("04 776f7267 00")) == 0s);  // another "org"
        // Octets within a label that look like the end of a name: one of "ab\3org", no zone.
        const Buffer tricky = hex("06 6162036f7267 00");
        Reader in(tricky);
        const Question odd{read_name(in), type::a};
        const auto odd_ttl_of = [&](std::string_view owner) {
            const Buffer bytes = hex("1234 8183 0001 0000 0001 0000 06 6162036f7267 00 0001 0001" +
                                     std::string(owner) +
                                     "0006 0001 00000e10 0016 00 00 0000000100000002"
                                     "00000003000000040000003c");
            const auto answer = parse_answer(bytes, odd, limits);
            REQUIRE(answer);
            return answer->ttl;
        };
        CHECK(odd_ttl_of("00") == 60s);
        CHECK(odd_ttl_of("03 6f7267 00") == 0s);
        // Of two the one that belongs counts.
        std::string brief = soa_of("03 636f6d 00");
        brief.replace(brief.find("0000003c"), 8, "00000001");
        CHECK(ttl_of("0000 0002 0000", brief + soa_of("c010")) == 60s);
        // Behind CNAMEs it is the zone of the last name that counts: here ftp.example.com.
        const std::string alias =
            "c00c 0005 0001 0000012c 0011 03 667470 07 6578616d706c65 03 636f6d 00 ";
        const std::string example_com = "c031", com = "c039";
        CHECK(ttl_of("0001 0001 0000", alias + soa_of(example_com)) == 60s);
        CHECK(ttl_of("0001 0001 0000", alias + soa_of(com)) == 60s);
        CHECK(ttl_of("0001 0001 0000", alias + soa_of("c010")) == 0s);
        // A CNAME of another name leads nowhere.
        CHECK(ttl_of("0001 0001 0000", "c010" + alias.substr(4) + soa_of(com)) == 0s);
        CHECK(ttl_of("0001 0001 0000", "c010" + alias.substr(4) + soa_of("c010")) == 60s);
    }

    TEST_CASE("an answer for one subnet alone is not kept") {
        const auto ttl_of = [](std::string_view scope, std::string_view flags = "8180") {
            const std::string subnet =
                "00 0029 04d0 00000000 000b 0008 0007 0001 18 " + std::string(scope) + " c00002";
            const bool positive = flags == "8180";
            const Buffer bytes = message(positive ? "0001 0000 0001" : "0000 0001 0001",
                                         (positive ? std::string(address) : soa) + subnet, flags);
            const auto answer = parse_answer(bytes, asked, limits);
            REQUIRE(answer);
            return answer->ttl;
        };
        CHECK(ttl_of("00") == 300s);
        CHECK(ttl_of("18") == 0s);
        CHECK(ttl_of("01") == 0s);
        CHECK(ttl_of("00", "8183") == 60s);
        CHECK(ttl_of("18", "8183") == 0s);
        TtlLimits patient;
        patient.positive_min = 60s;
        CHECK(parse_answer(
                  message("0001 0000 0001",
                          std::string(address) + "00 0029 04d0 00000000 0008 0008 0004 0001 00 18"),
                  asked, patient)
                  ->ttl == 0s);
    }

    TEST_CASE("the kind follows from code, question and records") {
        const auto kind_of = [](const Buffer& bytes, std::uint16_t asked_type = type::a) {
            return parse_answer(bytes, {asked.name, asked_type}, limits)->kind;
        };
        CHECK(kind_of(message("0000 0001 0000", soa, "8183")) == Kind::no_name);
        CHECK(kind_of(message("0000 0001 0000", soa)) == Kind::no_data);
        CHECK(kind_of(message("0000 0001 0000", soa, "8185")) == Kind::failure);
        const std::string_view only_cname = "c00c 0005 0001 0000001e 0006 03 667470 c010";
        CHECK(kind_of(message("0001 0000 0000", only_cname)) == Kind::no_data);
    }

    TEST_CASE("large TTLs are capped, also those with the top bit set") {
        for (const char* ttl : {"00015181", "7fffffff", "80000000", "ffffffff"}) {
            CAPTURE(ttl);
            Buffer bytes =
                message("0001 0000 0000", std::string("c00c 0001 0001 ") + ttl + "0004 c0000201");
            auto answer = parse_answer(bytes, asked, limits);
            REQUIRE(answer);
            CHECK(answer->ttl == limits.positive_max);
            clean(bytes, *answer, limits);
            CHECK(Buffer(bytes.begin() + 0x27, bytes.begin() + 0x2b) == hex("00015180"));
        }
        const auto zero = parse_answer(
            message("0001 0000 0000", "c00c 0001 0001 00000000 0004 c0000201"), asked, limits);
        CHECK(zero->ttl == 0s);
    }

    TEST_CASE("cleaning leaves no ID, AD or OPT, and offsets that fit") {
        Buffer bytes = with_opt_middle();
        auto answer = parse_answer(bytes, asked, limits);
        REQUIRE(answer);
        clean(bytes, *answer, limits);
        Buffer expected = message("0001 0000 0001",
                                  "c00c 0001 0001 0000012c 0004 c0000201"
                                  "c010 0001 0001 00000258 0004 c0000202",
                                  "8180");
        expected[0] = expected[1] = 0;
        CHECK(bytes == expected);
        REQUIRE(answer->ttl_count == 2);
        CHECK(answer->ttl_at[1] == 0x37);
        const auto again = parse_answer(bytes, asked, limits);
        REQUIRE(again);
        CHECK(again->ttl_at == answer->ttl_at);
    }

    TEST_CASE("of a trusted validator's answer AD stays, of any other's it goes") {
        for (const char* flags : {"81a0", "8180"}) {
            for (const Origin origin : {Origin::anybody, Origin::trusted_validator}) {
                const bool said = std::string_view(flags) == "81a0";
                const bool stays = said && origin == Origin::trusted_validator;
                Buffer bytes = message("0001 0000 0000", address, flags);
                auto answer = parse_answer(bytes, asked, limits);
                REQUIRE(answer);
                CHECK(answer->authentic == said);
                clean(bytes, *answer, limits, origin);
                CHECK(answer->authentic == stays);
                CHECK((bytes[3] & flag::authentic_data) == (stays ? flag::authentic_data : 0));
                cut_additional(bytes, *answer);  // what was changed is nobody's word
                CHECK((bytes[3] & flag::authentic_data) == 0);
            }
        }
    }

    TEST_CASE("what is kept for longer than its own time is nobody's word") {
        for (const auto least : {limits.positive_min, limits.positive_max}) {
            Buffer bytes = message("0001 0000 0000", address, "81a0");
            TtlLimits raised = limits;
            raised.positive_min = least;
            auto answer = parse_answer(bytes, asked, raised);
            REQUIRE(answer);
            clean(bytes, *answer, raised, Origin::trusted_validator);
            CHECK(answer->authentic == (least == limits.positive_min));
        }
    }

    TEST_CASE("a negative answer's SOA tells the next cache what we believe") {
        Buffer bytes = message("0000 0001 0000", soa, "8183");
        auto answer = parse_answer(bytes, asked, limits);
        REQUIRE(answer);
        clean(bytes, *answer, limits);
        CHECK(Buffer(bytes.begin() + 0x27, bytes.begin() + 0x2b) == hex("0000003c"));
    }

    TEST_CASE("an OPT is one, the root's, additional, and nothing is compressed against it") {
        const std::string one(opt);
        CHECK(parse_answer(message("0000 0000 0001", one), asked, limits));
        CHECK(!parse_answer(message("0000 0000 0002", one + one), asked, limits));
        CHECK(!parse_answer(message("0000 0001 0000", one), asked, limits));
        CHECK(!parse_answer(message("0000 0000 0001", "c00c" + one.substr(2)), asked, limits));
        // The second record's owner points into what stands behind the OPT.
        CHECK(!parse_answer(
            message("0000 0000 0003", one + "01 61 00 0001 0001 0000012c 0004 c0000201"
                                            "c02c 0001 0001 0000012c 0004 c0000202"),
            asked, limits));
        // An option that is longer than its OPT.
        CHECK(!parse_answer(message("0000 0000 0001", "00 0029 04d0 00000000 0004 000c 0001"),
                            asked, limits));
    }

    TEST_CASE("the extended code and error are found in the OPT") {
        const auto answer = parse_answer(
            message("0000 0000 0001", "00 0029 04d0 01000000 0008 000f 0004 0016 6869", "8180"),
            asked, limits);
        REQUIRE(answer);
        CHECK(answer->rcode == rcode::bad_version);
        CHECK(answer->kind == Kind::failure);
        CHECK(answer->extended_error == extended_error::no_reachable_authority);
    }

    TEST_CASE("compression pointers go backwards to a name, and not for ever") {
        const auto owner = [](std::string_view name) {
            return message("0001 0000 0000",
                           std::string(name) + "0001 0001 0000012c 0004 c0000201");
        };
        CHECK(parse_answer(owner("c00c"), asked, limits));
        CHECK(!parse_answer(owner("c021"), asked, limits));       // itself
        CHECK(!parse_answer(owner("c022"), asked, limits));       // forward
        CHECK(!parse_answer(owner("c000"), asked, limits));       // into the header
        CHECK(!parse_answer(owner("0161 c021"), asked, limits));  // its own beginning
        CHECK(!parse_answer(owner("41 61 00"), asked, limits));
        CHECK(!parse_answer(owner("80 61 00"), asked, limits));
        // "org" asked, and an owner that begins in the question and ends in its own record.
        CHECK(!parse_answer(hex("0023 8103 0001 0000 0001 0001 03 6f7267 00 0001 0001"
                                "c012 002f 0001 002a0000 0004 0000003c 00 0029 2000 01000000 0000"),
                            {*parse_name("org"), type::a}, limits));
        // A chain of pointers, each to the one before, costs its reader nothing.
        std::string chain;
        for (int i = 0; i < 100; ++i) {
            const std::size_t at = 0x21 + 12 + static_cast<std::size_t>(2 * i);
            const std::size_t target = i == 0 ? 0x0c : at - 2;
            const std::uint8_t pointer[] = {static_cast<std::uint8_t>(0xc0 | target >> 8),
                                            static_cast<std::uint8_t>(target)};
            chain += to_hex(pointer);
        }
        const std::string holder = "c00c 0063 0001 0000012c 00c8 " + chain;  // opaque data
        CHECK(parse_answer(message("0001 0000 0000", holder), asked, limits));
        CHECK(!parse_answer(
            message("0002 0000 0000", holder + "c0f3 0001 0001 0000012c 0004 c0000201"), asked,
            limits));
    }

    TEST_CASE("data has the size of its type") {
        const auto record = [](std::string_view rest) {
            return message("0001 0000 0000", "c00c " + std::string(rest));
        };
        CHECK(!parse_answer(record("0001 0001 0000012c 0003 c00002"), asked, limits));
        CHECK(!parse_answer(record("001c 0001 0000012c 0004 c0000201"), asked, limits));
        CHECK(!parse_answer(record("0005 0001 0000012c 0003 c010 00"), asked, limits));
        CHECK(!parse_answer(record("000f 0001 0000012c 0002 c010"), asked, limits));
        CHECK(parse_answer(record("000f 0001 0000012c 0004 000a c010"), asked, limits));
        CHECK(parse_answer(record("ff00 0001 0000012c 0000"), asked, limits));
    }

    TEST_CASE("a truncated answer is known by its header and question") {
        const auto answer = parse_answer(message("0005 0000 0000", "c00c", "8380"), asked, limits);
        REQUIRE(answer);
        CHECK(answer->truncated);
        CHECK(answer->ttl == 0s);
        CHECK(!parse_answer(Bytes(message("0005 0000 0000", "", "8380")).first(20), asked, limits));
    }

    TEST_CASE("names may be compressed against records beyond the table, but not their TTLs") {
        std::string records;
        for (int i = 0; i < 70; ++i) records += "c00c 0001 0001 01610000 0004 01610000 ";
        const std::string one = " 0001 0001 0000012c 0004 c0000201";
        const auto pointing_to = [&](std::size_t target) {
            const std::string pointer = {"c"[0], "0123456789abcdef"[target >> 8 & 15],
                                         "0123456789abcdef"[target >> 4 & 15],
                                         "0123456789abcdef"[target & 15]};
            return bool(
                parse_answer(message("0047 0000 0000", records + pointer + one), asked, limits));
        };
        for (std::size_t record : {0u, 63u, 64u, 69u}) {
            CAPTURE(record);
            const std::size_t at = 0x21 + 16 * record;
            CHECK(pointing_to(at));       // the owner's pointer
            CHECK(!pointing_to(at + 6));  // "a" within the TTL
            CHECK(pointing_to(at + 12));  // "a" within the data
        }
    }

    TEST_CASE("more TTLs than the table holds are found by walking") {
        std::string records;
        for (int i = 0; i < 65; ++i) records += address;
        const Buffer bytes = message("0041 0000 0001", records + std::string(opt));
        const auto answer = parse_answer(bytes, asked, limits);
        REQUIRE(answer);
        CHECK(answer->ttls_walk);
        std::size_t count = 0;
        for_each_ttl(bytes, [&](std::size_t at) {
            CHECK(at == 0x27 + 16 * count);
            ++count;
        });
        CHECK(count == 65);
    }

    TEST_CASE("whatever octets are changed, the scan ends and stays in bounds") {
        const Buffer whole = with_opt_middle();
        for (std::size_t at = 0; at < whole.size(); ++at) {
            for (int value = 0; value < 256; ++value) {
                Buffer bytes = whole;
                bytes[at] = static_cast<std::uint8_t>(value);
                auto answer = parse_answer(bytes, asked, limits);
                if (!answer) continue;
                CAPTURE(at);
                CAPTURE(value);
                clean(bytes, *answer, limits);
                if (!answer->truncated) CHECK(parse_answer(bytes, asked, limits));
            }
        }
    }

    TEST_CASE("an empty response holds the question and the code") {
        Question question = asked;
        question.checking_disabled = true;
        const Buffer bytes = empty_response(question, rcode::server_failure);
        Buffer expected = message("0000 0000 0000", "", "8192");
        expected[0] = expected[1] = 0;
        CHECK(bytes == expected);
    }

    TEST_CASE("TTLs are raised and cut as configured, those of negative answers only cut") {
        const TtlLimits narrow{.positive_max = 500s, .negative_max = 900s, .positive_min = 400s};
        const auto ttls = [&](std::string_view counts, const std::string& records) {
            Buffer bytes = message(counts, records);
            auto answer = parse_answer(bytes, asked, narrow);
            REQUIRE(answer);
            clean(bytes, *answer, narrow);
            std::vector<std::chrono::seconds> found{answer->ttl};
            for_each_ttl(bytes, [&](std::size_t at) {
                found.emplace_back(bytes[at + 2] << 8 | bytes[at + 3]);
            });
            return found;
        };
        using Ttls = std::vector<std::chrono::seconds>;
        const std::string late = "c00c 0001 0001 00000e10 0004 c0000201 ";  // 3600
        CHECK(ttls("0001 0000 0000", std::string(address)) == Ttls{400s, 400s});
        CHECK(ttls("0001 0000 0000", late) == Ttls{500s, 500s});
        CHECK(ttls("0000 0001 0000", soa) == Ttls{60s, 60s});
        // No data, and no SOA to say for how long.
        CHECK(ttls("0001 0000 0000", "c00c 0005 0001 0000012c 0002 c010") == Ttls{0s, 300s});
        const TtlLimits crossed{.positive_max = 5s, .positive_min = 400s};
        CHECK(parse_answer(message("0001 0000 0000", address), asked, crossed)->ttl == 5s);
    }

    TEST_CASE("that there is nothing is kept as long as we say") {
        const Buffer bytes = no_data_response(asked, 60s);
        const auto answer = parse_answer(bytes, asked, limits);
        REQUIRE(answer);
        CHECK(answer->kind == Kind::no_data);
        CHECK(answer->ttl == 60s);
        CHECK(parse_answer(bytes, asked, {.negative_max = 7s})->ttl == 7s);
    }

    TEST_CASE("the additional section goes, its TTLs and AD with it; the rest stays as it was") {
        const std::string extra = "c010 0001 0001 00000001 0004 c0000201 ";
        Buffer bytes = message("0001 0001 0002", std::string(address) + soa + extra + extra);
        auto answer = parse_answer(bytes, asked, limits);
        REQUIRE(answer);
        CHECK(answer->ttl_count == 4);
        cut_additional(bytes, *answer);
        CHECK(bytes == message("0001 0001 0000", std::string(address) + soa, "8180"));
        CHECK(answer->ttl_count == 2);
        CHECK(answer->ttl == 1s);  // what was said of it may not be kept for longer than it
        cut_additional(bytes, *answer);
        CHECK(answer->ttl_count == 2);
    }
}

}  // namespace
}  // namespace porchlight::dns
