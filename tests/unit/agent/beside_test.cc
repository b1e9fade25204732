#include "agent/beside.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::agent {
namespace {

const Buffer ours = hex("9002 0001 00000708 0005 03646e7300 00");
const Buffer ours_with_another_lifetime = hex("9002 0001 00001000 0005 03646e7300 00");
const Buffer other = hex("9002 0001 00000708 0005 03646f7400 00");
const Buffer rdnss = hex("1903 0000 00000708 fd770000000000000000000000000001");

CarrierStatus row() {
    CarrierStatus row;
    row.link = "br-lan";
    row.carrier = "ra";
    row.announced = true;
    row.options = {"144 " + to_hex(ours)};
    return row;
}

TEST_SUITE("agent/beside") {
    TEST_CASE("alone on the link there is nothing to tell") {
        CarrierStatus status = row();
        tell_beside(status, {});
        CHECK(status.announced);
        CHECK(status.notes.empty());
    }

    TEST_CASE("who has the link in our place is named, the option is still announced") {
        CarrierStatus status = row();
        tell_beside(status, {parse_ipv6("fe80::1"), {}, {rdnss}});
        CHECK(status.announced);
        REQUIRE(status.notes.size() == 1);
        CHECK(status.notes[0].find("fe80::1") != std::string::npos);
    }

    TEST_CASE("what is left to the daemon is not announced by us; is it what was planned?") {
        CarrierStatus status = row();
        tell_beside(status, {{}, {ours}, {rdnss, ours_with_another_lifetime}});
        CHECK(!status.announced);
        CHECK(status.why == "the RA daemon of this link announces encrypted DNS itself");
        CHECK(status.notes == std::vector<std::string>{"what it announces is what was planned"});

        status = row();
        tell_beside(status, {{}, {ours}, {rdnss, other}});
        CHECK(status.notes ==
              std::vector<std::string>{"it announces something else than planned: dot"});
    }

    TEST_CASE("a form that the daemon does not use is still ours") {
        CarrierStatus status = row();
        const Buffer draft = hex("fd02 01 00 00000708 03646e7300 000000");
        status.options.push_back("253 " + to_hex(draft));
        tell_beside(status, {{}, {ours}, {other}});
        CHECK(status.announced);
        CHECK(status.options == std::vector<std::string>{"253 " + to_hex(draft)});
        CHECK(status.notes.size() == 2);
    }

    TEST_CASE("where nothing is planned, nothing is missed") {
        CarrierStatus status = row();
        status.announced = false;
        status.why = "off";
        tell_beside(status, {{}, {}, {other}});
        CHECK(status.why == "off");
        CHECK(status.notes.empty());
    }
}

}  // namespace
}  // namespace porchlight::agent
