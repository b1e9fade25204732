#include "net/framed_message.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::net {
namespace {

TEST_SUITE("net/framed_message") {
    TEST_CASE("a message stands behind its length, and what follows stays") {
        CHECK(framed(hex("010203")) == hex("0003 010203"));
        CHECK(framed({}) == hex("0000"));
        Buffer pending = hex("0002 0102 0001 03 00");
        Buffer message;
        CHECK(take_message(pending, message));
        CHECK(message == hex("0102"));
        CHECK(take_message(pending, message));
        CHECK(message == hex("03"));
        CHECK(!take_message(pending, message));
        CHECK(pending == hex("00"));
    }

    TEST_CASE("what is not whole is not taken") {
        for (const char* part : {"", "00", "0002", "0002 01"}) {
            Buffer pending = hex(part);
            Buffer message;
            CAPTURE(part);
            CHECK(!take_message(pending, message));
            CHECK(pending == hex(part));
        }
    }
}

}  // namespace
}  // namespace porchlight::net
