#include "ra/solicitations.h"

#include <doctest/doctest.h>

namespace porchlight::ra {
namespace {

using namespace std::chrono_literals;

const Clock::time_point begin = Clock::time_point(1000s);

TEST_SUITE("ra/solicitations") {
    TEST_CASE("three leave, the first within a second, then four seconds apart") {
        SeededRandom random(1);
        Solicitations solicitations;
        CHECK(solicitations.at() == Solicitations::never);
        solicitations.begin(begin, random);
        CHECK(solicitations.at() >= begin);
        CHECK(solicitations.at() <= begin + 1s);
        Clock::time_point now = solicitations.at();
        for (int i = 0; i < 2; ++i) {
            solicitations.on_sent(now);
            CHECK(solicitations.at() == now + 4s);
            now = solicitations.at();
        }
        solicitations.on_sent(now);
        CHECK(solicitations.at() == Solicitations::never);
    }

    TEST_CASE("none follows a router's answer, until the link comes up again") {
        SeededRandom random(1);
        Solicitations solicitations;
        solicitations.begin(begin, random);
        solicitations.on_sent(begin);
        solicitations.end();
        CHECK(solicitations.at() == Solicitations::never);
        solicitations.on_sent(begin);
        CHECK(solicitations.at() == Solicitations::never);
        solicitations.begin(begin + 60s, random);
        for (int i = 0; i < 2; ++i) solicitations.on_sent(begin + 60s);
        CHECK(solicitations.at() == begin + 64s);
    }

    TEST_CASE("the first does not leave at one moment everywhere") {
        SeededRandom random(1);
        Solicitations a, b;
        a.begin(begin, random);
        b.begin(begin, random);
        CHECK(a.at() != b.at());
    }
}

}  // namespace
}  // namespace porchlight::ra
