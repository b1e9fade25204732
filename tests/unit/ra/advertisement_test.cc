#include "ra/advertisement.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Envelope from_router{*parse_ipv6("fe80::1"), 255};

// As dnsmasq 2.90 sent it.
const Buffer captured =
    hex("86 00 0523 40 c0 0708 00000000 00000000"  // header
        "03 04 40 c0 00000e10 00000e10 00000000"   // prefix
        "fd770000000000000000000000000000"         // fd77::
        "05 01 0000 000005dc"                      // MTU 1500
        "01 01 221cdc1545ed");                     // source link-layer address

Buffer written(const auto& message) {
    Writer out;
    write(out, message);
    return *out.take();
}

TEST_SUITE("ra/advertisement") {
    TEST_CASE("an advertisement of dnsmasq is read") {
        auto advertisement = parse_advertisement(captured, from_router);
        REQUIRE(advertisement);
        const RouterHeader& header = advertisement->header;
        CHECK(header.cur_hop_limit == 64);
        CHECK(header.flags == (RouterHeader::managed_flag | RouterHeader::other_flag));
        CHECK(header.router_lifetime == 1800s);
        CHECK(header.reachable_time == 0ms);
        CHECK(header.retrans_timer == 0ms);
        REQUIRE(advertisement->options.size() == 3);
        CHECK(advertisement->options[1] == hex("05 01 0000 000005dc"));
    }

    TEST_CASE("what is written is what was read, but for the checksum") {
        Buffer expected = captured;
        expected[2] = expected[3] = 0;
        CHECK(written(*parse_advertisement(captured, from_router)) == expected);
        const Advertisement full{{64, 0xe8, 65535s, 3600000ms, 1000ms}, {hex("0501000000000500")}};
        auto again = parse_advertisement(written(full), from_router);
        REQUIRE(again);
        CHECK(*again == full);
    }

    TEST_CASE("every truncation is refused, unless it ends behind an option") {
        for (std::size_t size = 0; size < captured.size(); ++size) {
            const bool legal = size == 16 || size == 48 || size == 56;
            CAPTURE(size);
            CHECK(bool(parse_advertisement(Bytes(captured).first(size), from_router)) == legal);
        }
    }

    TEST_CASE("advertisements that a host must discard are refused") {
        CHECK(!parse_advertisement(captured, {*parse_ipv6("2001:db8::1"), 255}));
        CHECK(!parse_advertisement(captured, {Ipv6{}, 255}));
        CHECK(!parse_advertisement(captured, {*parse_ipv6("fec0::1"), 255}));
        CHECK(!parse_advertisement(captured, {*parse_ipv6("fe7f::1"), 255}));
        CHECK(parse_advertisement(captured, {*parse_ipv6("febf::1"), 255}));
        CHECK(!parse_advertisement(captured, {from_router.source, 254}));
        Buffer other_type = captured;
        other_type[0] = 133;
        CHECK(!parse_advertisement(other_type, from_router));
        Buffer with_code = captured;
        with_code[1] = 1;
        CHECK(!parse_advertisement(with_code, from_router));
        Buffer empty_option = captured;
        empty_option[17] = 0;
        CHECK(parse_advertisement(empty_option, from_router).error().message ==
              "Router Advertisement: has an option of length 0 at octet 18");
    }

    TEST_CASE("solicitations are read with and without options") {
        const Envelope host{*parse_ipv6("fe80::2"), 255};
        const Buffer bare = hex("85 00 0000 00000000");
        const Buffer named = hex("85 00 1234 00000000 01 01 020000000001");
        REQUIRE(parse_solicitation(bare, host));
        auto solicitation = parse_solicitation(named, host);
        REQUIRE(solicitation);
        CHECK(solicitation->options.size() == 1);
        CHECK(written(Solicitation{}) == bare);
        for (std::size_t size = 0; size < named.size(); ++size) {
            CAPTURE(size);
            CHECK(bool(parse_solicitation(Bytes(named).first(size), host)) == (size == 8));
        }
    }

    TEST_CASE("solicitations that a router must discard are refused") {
        const Envelope nobody{Ipv6{}, 255};
        const Buffer bare = hex("85 00 0000 00000000");
        CHECK(parse_solicitation(bare, nobody));
        CHECK(!parse_solicitation(hex("85 00 0000 00000000 01 01 020000000001"), nobody));
        CHECK(!parse_solicitation(hex("85 00 0000 00000000 0e 01 020000000001 01 01 020000000001"),
                                  nobody));
        CHECK(parse_solicitation(hex("85 00 0000 00000000 0e 01 020000000001"), nobody));  // nonce
        CHECK(!parse_solicitation(bare, {nobody.source, 64}));
        CHECK(!parse_solicitation(hex("85 01 0000 00000000"), nobody));
        CHECK(!parse_solicitation(hex("86 00 0000 00000000"), nobody));
        CHECK(!parse_solicitation(hex("85 00 0000 00000000 0e 00 000000000000"), nobody));
    }
}

}  // namespace
}  // namespace porchlight::ra
