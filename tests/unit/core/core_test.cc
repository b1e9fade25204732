#include <doctest/doctest.h>

#include "core/clock.h"
#include "core/escape.h"
#include "core/reader.h"
#include "core/text.h"
#include "core/writer.h"
#include "hex.h"

namespace porchlight {
namespace {

TEST_SUITE("core/reader") {
    TEST_CASE("fields are read in order and the end is known") {
        const Buffer input = hex("01 0203 04050607 aa");
        Reader in(input);
        CHECK(in.u8() == 1);
        CHECK(in.u16() == 0x0203);
        CHECK(in.u32() == 0x04050607);
        CHECK(!in.finished());
        CHECK(in.bytes(1)[0] == 0xaa);
        CHECK(in.finished());
    }

    TEST_CASE("a short read fails for good and names the octet") {
        const Buffer input = hex("01 02");
        Reader in(input);
        (void)in.u8();
        CHECK(in.u32() == 0);
        CHECK(in.u8() == 0);
        CHECK(!in.finished());
        CHECK(in.error("thing").message == "thing: ends too early at octet 1");
    }

    TEST_CASE("a counted part must be used whole, and its failure is its parent's") {
        const Buffer input = hex("0003 010203");
        Reader in(input);
        in.counted_u16([](Reader& part) { (void)part.u8(); });
        CHECK(in.error("thing").message == "thing: has octets left over at octet 3");
        Reader again(input);
        again.counted_u16([](Reader& part) { (void)part.u32(); });
        CHECK(again.error("thing").message == "thing: ends too early at octet 2");
    }
}

TEST_SUITE("core/writer") {
    TEST_CASE("a count fills itself in, nested too") {
        Writer out;
        out.counted_u16([&] {
            out.u8(7);
            out.counted_u8([&] { out.text("ab"); });
        });
        auto octets = out.take();
        REQUIRE(octets);
        CHECK(*octets == hex("0004 07 02 6162"));
    }

    TEST_CASE("a part longer than its count can say is refused") {
        Writer out;
        out.counted_u8([&] { out.zeros(256); });
        CHECK(!out.take());
    }
}

TEST_SUITE("core/text") {
    TEST_CASE("what stands before a separator is taken, and the last without one") {
        std::string_view text = "a  b";
        CHECK(take_until(text, ' ') == "a");
        CHECK(take_until(text, ' ').empty());
        CHECK(take_until(text, ' ') == "b");
        CHECK(text.empty());
        CHECK(take_until(text, ' ').empty());
    }
}

TEST_SUITE("core/clock") {
    TEST_CASE("durations are written with a unit and printed exactly") {
        CHECK(to_text(*parse_duration("90s")) == "90s");
        CHECK(to_text(*parse_duration("600s")) == "10min");
        CHECK(to_text(*parse_duration("10m")) == "10min");
        CHECK(to_text(*parse_duration("1d")) == "1d");
        CHECK(to_text(*parse_duration("1500ms")) == "1500ms");
        CHECK(to_text(*parse_duration("0s")) == "0s");
        for (const char* bad : {"", "90", "s", "-1s", "1.5s", "1 s", "9999999999d", "1w"}) {
            CAPTURE(bad);
            CHECK(!parse_duration(bad));
        }
    }

    TEST_CASE("times of day survive a round trip") {
        CHECK(to_text(*parse_wall_time("2026-11-21T09:52:00Z")) == "2026-11-21T09:52:00Z");
        CHECK(to_text(*parse_wall_time("1969-12-31T23:59:59Z")) == "1969-12-31T23:59:59Z");
        CHECK(!parse_wall_time("2026-11-21"));
        CHECK(build_time() > *parse_wall_time("2026-01-01T00:00:00Z"));
    }
}

TEST_SUITE("core/escape") {
    TEST_CASE("a date after 2038 is one where time_t has 32 bits too") {
        const auto leap_day = parse_wall_time("2048-02-29T12:34:56Z");
        REQUIRE(leap_day);
        CHECK(leap_day->time_since_epoch().count() == 2466592496);
        CHECK(to_text(*leap_day) == "2048-02-29T12:34:56Z");
        CHECK(to_time_t(*leap_day) > to_time_t(build_time()));
    }

    TEST_CASE("a stranger's octets can't forge a line or a field") {
        CHECK(escape_value("plain") == "plain");
        CHECK(escape_value("two words") == "\"two words\"");
        CHECK(escape_value("a=b") == "\"a=b\"");
        CHECK(escape_value("a\nb\"\x1b") == "\"a\\x0ab\\\"\\x1b\"");
        CHECK(escape_value("") == "\"\"");
    }
}

}  // namespace
}  // namespace porchlight
