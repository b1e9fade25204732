#include "dns/query.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dns {
namespace {

const auto plain =
    hex("1234 0100 0001 0000 0000 0000"  // id, RD, one question
        "03 777777 04 4578416D 00"       // www.ExAm.
        "001c 0001");                    // AAAA, IN
const auto with_edns =
    hex("1234 0110 0001 0000 0000 0001"  // RD, CD
        "03 777777 04 4578416D 00 001c 0001"
        "00 0029 04d0 0000 8000 0010"  // OPT, 1232 octets, DO
        "000c 0004 00000000"           // padding
        "000b 0000"                    // keepalive
        "fde9 0000");                  // unknown

Verdict verdict(const Buffer& message) {
    Query query;
    return parse_query(message, query);
}

/// `message` with the octet at `at` set to `value`.
Buffer with(Buffer message, std::size_t at, std::uint8_t value) {
    message[at] = value;
    return message;
}

Buffer operator+(Buffer a, const Buffer& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

TEST_SUITE("dns/query") {
    TEST_CASE("a plain query is laid out, its name lower-cased, its question as sent") {
        Query query;
        REQUIRE(parse_query(plain, query) == Verdict::answer);
        CHECK(query.id == 0x1234);
        CHECK(query.recursion_desired());
        CHECK(!query.checking_disabled());
        CHECK(query.type == type::aaaa);
        CHECK(equal(query.name(), hex("03 777777 04 6578616d 00")));
        CHECK(equal(query.question, hex("03 777777 04 4578416D 00 001c 0001")));
        CHECK(!query.edns.present);
        CHECK(query.edns.udp_size == 512);
    }

    TEST_CASE("what OPT says is understood, unknown options are ignored") {
        Query query;
        REQUIRE(parse_query(with_edns, query) == Verdict::answer);
        CHECK(query.edns.present);
        CHECK(query.edns.udp_size == 1232);
        CHECK(query.edns.dnssec_ok);
        CHECK(query.edns.padding);
        CHECK(query.edns.keepalive);
        CHECK(!query.edns.keepalive_filled);
        CHECK(query.checking_disabled());
    }

    TEST_CASE("of a client subnet only that it is withheld counts") {
        const auto withheld = [](std::string_view option) {
            const Buffer octets = hex(option);
            Buffer message = plain;
            message[11] = 1;
            message = message + hex("00 0029 04d0 0000 0000 00") +
                      Buffer{static_cast<std::uint8_t>(octets.size())} + octets;
            Query query;
            REQUIRE(parse_query(message, query) == Verdict::answer);
            CHECK(question_of(query).subnet_withheld == query.edns.subnet_withheld);
            return query.edns.subnet_withheld;
        };
        CHECK(withheld("0008 0004 0001 00 00"));
        CHECK(withheld("0008 0004 0002 00 00"));
        CHECK(!withheld("0008 0007 0001 18 00 c00002"));
        CHECK(!withheld("0008 0003 0001 00"));
        CHECK(!withheld("000c 0004 0001 00 00"));
    }

    TEST_CASE("members of an earlier query do not survive") {
        Query query;
        REQUIRE(parse_query(with_edns, query) == Verdict::answer);
        REQUIRE(parse_query(plain, query) == Verdict::answer);
        CHECK(!query.edns.present);
        CHECK(!query.edns.padding);
    }

    TEST_CASE("every truncation is refused with FORMERR, or dropped without an ID") {
        for (const Buffer& whole : {plain, with_edns}) {
            for (std::size_t size = 0; size < whole.size(); ++size) {
                CAPTURE(size);
                Query query;
                const Verdict expected = size < 12 ? Verdict::drop : Verdict::format_error;
                CHECK(parse_query(Bytes(whole).first(size), query) == expected);
            }
        }
    }

    TEST_CASE("octets after the last record are refused") {
        CHECK(verdict(plain + hex("00")) == Verdict::format_error);
        CHECK(verdict(with_edns + hex("00")) == Verdict::format_error);
    }

    TEST_CASE("a response is dropped, another opcode is not implemented") {
        CHECK(verdict(with(plain, 2, 0x81)) == Verdict::drop);
        CHECK(verdict(with(plain, 2, 0x21)) == Verdict::not_implemented);  // NOTIFY
        CHECK(verdict(with(plain, 2, 0x29)) == Verdict::not_implemented);  // UPDATE
    }

    TEST_CASE(
        "a message that is only refused is read as far as its OPT, for the answer to have one") {
        const auto has_opt = [](const Buffer& message, Verdict expected) {
            Query query;
            CHECK(parse_query(message, query) == expected);
            CHECK(query.question.empty());
            return query.edns.present && query.edns.padding;
        };
        const Buffer notify = with(with_edns, 2, 0x21), update = with(with_edns, 2, 0x29);
        CHECK(has_opt(notify, Verdict::not_implemented));
        CHECK(has_opt(update, Verdict::not_implemented));
        CHECK(!has_opt(with(plain, 2, 0x21), Verdict::not_implemented));

        const auto question = hex("03 777777 04 4578416D 00 001c 0001");
        const auto record = hex("c00c 0006 0001 00000001 0003 010203");
        const auto opt = hex("00 0029 04d0 00000000 0004 000c 0000");
        const auto two = hex("1234 0100 0002 0000 0000 0001") + question + question;
        CHECK(has_opt(two + opt, Verdict::format_error));
        const auto with_records = hex("1234 0100 0001 0001 0002 0002") + question + record +
                                  record + record + record + opt;
        CHECK(has_opt(with_records, Verdict::format_error));
        CHECK(has_opt(with(with_records, 2, 0x21), Verdict::not_implemented));
        // What can't be walked has none, however large the numbers of its header.
        for (std::size_t size = 12; size < two.size(); ++size)
            CHECK(!has_opt(Buffer(two.begin(), two.begin() + static_cast<std::ptrdiff_t>(size)),
                           Verdict::format_error));
        CHECK(!has_opt(hex("1234 0100 ffff ffff ffff ffff"), Verdict::format_error));
    }

    TEST_CASE("a value in the keepalive option is noticed") {
        Query query;
        REQUIRE(parse_query(with(plain, 11, 1) + hex("00 0029 04d0 00000000 0006 000b 0002 0064"),
                            query) == Verdict::answer);
        CHECK(query.edns.keepalive);
        CHECK(query.edns.keepalive_filled);
    }

    TEST_CASE("exactly one question, and no records where a query has none") {
        CHECK(verdict(with(plain, 5, 2)) == Verdict::format_error);
        CHECK(verdict(with(plain, 5, 0)) == Verdict::format_error);
        CHECK(verdict(with(plain, 7, 1)) == Verdict::format_error);
        CHECK(verdict(with(plain, 9, 1)) == Verdict::format_error);
    }

    TEST_CASE("no question is legal beside a cookie only") {
        const auto head = hex("1234 0000 0000 0000 0000 0001 00 0029 04d0 00000000");
        CHECK(verdict(head + hex("000c 000a 0008 0102030405060708")) == Verdict::cookie_only);
        CHECK(verdict(head + hex("0000")) == Verdict::format_error);
        CHECK(verdict(head + hex("000b 000a 0007 01020304050607")) == Verdict::format_error);
    }

    TEST_CASE("a second OPT, an OPT with a name, an option that overruns") {
        const auto opt = hex("00 0029 04d0 00000000 0000");
        CHECK(verdict(with(plain, 11, 2) + opt + opt) == Verdict::format_error);
        CHECK(verdict(with(plain, 11, 1) + hex("c00c 0029 04d0 00000000 0000")) ==
              Verdict::format_error);
        CHECK(verdict(with(plain, 11, 1) + hex("00 0029 04d0 00000000 0004 000c 0001")) ==
              Verdict::format_error);
    }

    TEST_CASE("EDNS above version 0 has its own answer") {
        Query query;
        const auto message = with(plain, 11, 1) + hex("00 0029 04d0 00010000 0000");
        CHECK(parse_query(message, query) == Verdict::bad_version);
        CHECK(query.edns.present);
        CHECK(!query.question.empty());
    }

    TEST_CASE("an EDNS size below 512 counts as 512") {
        Query query;
        REQUIRE(parse_query(with(plain, 11, 1) + hex("00 0029 0010 00000000 0000"), query) ==
                Verdict::answer);
        CHECK(query.edns.udp_size == 512);
    }

    TEST_CASE("other classes, transfers and meta types are refused; ANY is not") {
        const std::size_t type_at = plain.size() - 3, class_at = plain.size() - 1;
        CHECK(verdict(with(plain, class_at, 3)) == Verdict::refused);
        CHECK(verdict(with(plain, type_at, 252)) == Verdict::refused);
        CHECK(verdict(with(plain, type_at, 251)) == Verdict::refused);
        CHECK(verdict(with(plain, type_at, 41)) == Verdict::refused);
        CHECK(verdict(with(plain, type_at, 0)) == Verdict::refused);
        CHECK(verdict(with(plain, type_at, 255)) == Verdict::answer);
    }

    TEST_CASE("names: compressed, too long a label, 255 and 256 octets") {
        const auto head = hex("1234 0000 0001 0000 0000 0000");
        const auto tail = hex("0001 0001");
        CHECK(verdict(head + hex("c00c") + tail) == Verdict::format_error);
        CHECK(verdict(head + hex("40 61") + tail) == Verdict::format_error);
        CHECK(verdict(head + hex("00") + tail) == Verdict::answer);
        Buffer label = with(Buffer(64, 'a'), 0, 63);
        Buffer name = label + label + label;
        const Buffer last = with(Buffer(62, 'b'), 0, 61) + hex("00");  // 192 + 62 + 1 = 255
        CHECK(verdict(head + name + last + tail) == Verdict::answer);
        const Buffer longer = with(Buffer(63, 'b'), 0, 62) + hex("00");
        CHECK(verdict(head + name + longer + tail) == Verdict::format_error);
    }

    TEST_CASE("additional records are skipped after a check of their bounds") {
        const auto two = with(plain, 11, 2);
        const auto opt = hex("00 0029 04d0 00000000 0000");
        CHECK(verdict(two + hex("c00c 0001 0001 00000001 0004 01020304") + opt) == Verdict::answer);
        CHECK(verdict(two + opt + hex("c00c 0001 0001 00000001 0005 01020304")) ==
              Verdict::format_error);
        const auto one = with(plain, 11, 1);
        CHECK(verdict(one + hex("c01b 0001 0001 00000001 0000")) == Verdict::format_error);
        CHECK(verdict(one + hex("c000 0001 0001 00000001 0000")) == Verdict::format_error);
        CHECK(verdict(one + hex("80 0001 0001 00000001 0000")) == Verdict::format_error);
    }

    TEST_CASE("a question is a value with a lower-cased name") {
        Query query;
        REQUIRE(parse_query(with_edns, query) == Verdict::answer);
        const Question question = question_of(query);
        CHECK(to_text(question.name) == "www.exam.");
        CHECK(question.type == type::aaaa);
        CHECK(question.dnssec_ok);
        CHECK(question.checking_disabled);
    }
}

}  // namespace porchlight::dns
