#include "agent/leases.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

net::MacAddress mac(std::uint8_t last) {
    return {{2, 0, 0x5e, 0x10, 0, last}};
}

Lease lease(std::uint8_t last, const char* address) {
    return {mac(last), *parse_ipv4(address)};
}

TEST_SUITE("agent/leases") {
    TEST_CASE("a file of dnsmasq's: who holds which IPv4 address") {
        CHECK(parse_lease_file(
                  "1763782400 02:00:5e:10:00:02 192.168.1.24 phone 01:02:00:5e:10:00:02\n"
                  "0 02:00:5e:10:00:01 192.168.1.23 * *\n"
                  "duid 00:01:00:01:30:aa:bb:cc:02:00:5e:10:00:99\n"
                  "1763782400 1048577 fd00::123 phone 00:03:00:01:02:00:5e:10:00:02\n",
                  {}) == std::vector{lease(1, "192.168.1.23"), lease(2, "192.168.1.24")});
        CHECK(parse_lease_file("", {}).empty());
    }

    TEST_CASE("what is no such lease is passed over, whatever else stands there") {
        const auto others = {
            "1763782400 06-02:00:5e:10:00:02 192.168.1.24 firewire *\n",
            "1763782400 02:00:5e:10:00:02 192.168.1 short *\n",
            "1763782400 02:00:5e:10:00 192.168.1.24 short *\n",
            "1763782400 02:00:5e:10:00:02\n",
            "1763782400\n",
            "\n",
            "1763782400  02:00:5e:10:00:02 192.168.1.24 two spaces *\n",
        };
        for (const char* const other : others) {
            const std::string file = std::string(other) + "1 02:00:5e:10:00:01 192.168.1.23 a b\n";
            CHECK_MESSAGE(parse_lease_file(file, {}) == std::vector{lease(1, "192.168.1.23")},
                          other);
        }
    }

    TEST_CASE("of two that stand there for one address the last has it; a cut line is none") {
        CHECK(parse_lease_file("1 02:00:5e:10:00:01 192.168.1.23 a *\n"
                               "2 02:00:5e:10:00:02 192.168.1.23 b *\n"
                               "3 02:00:5e:10:00:03 192.168.1.2",
                               {}) == std::vector{lease(2, "192.168.1.23")});
    }

    TEST_CASE("one that ended is none, where the clock is trusted and the number is a date") {
        const std::string file =
            "1763782400 02:00:5e:10:00:01 192.168.1.23 * *\n"
            "1763782402 02:00:5e:10:00:02 192.168.1.24 * *\n"
            "0 02:00:5e:10:00:03 192.168.1.25 * *\n"
            "3600 02:00:5e:10:00:04 192.168.1.26 * *\n";
        const WallTime now{1763782401s};
        CHECK(parse_lease_file(file, {}).size() == 4);
        CHECK(parse_lease_file(file, now) == std::vector{lease(2, "192.168.1.24"),
                                                         lease(3, "192.168.1.25"),
                                                         lease(4, "192.168.1.26")});
    }

    TEST_CASE("whose address is another's now") {
        const std::vector before{lease(1, "192.168.1.23"), lease(2, "192.168.1.24")};
        CHECK(moved(before, before).empty());
        CHECK(moved({}, before).empty());
        CHECK(moved(before, {lease(1, "192.168.1.23"), lease(3, "192.168.1.24"),
                             lease(4, "192.168.1.25")}) == std::vector{lease(3, "192.168.1.24")});
    }

    TEST_CASE("no more are taken than can be") {
        std::string file;
        for (std::size_t i = 0; i < leases_max + 10; ++i)
            file += "1 02:00:5e:10:00:01 10.0." + std::to_string(i / 200) + "." +
                    std::to_string(i % 200) + " * *\n";
        // One that is there already may still change hands.
        file += "1 02:00:5e:10:00:02 10.0.0.0 * *\n";
        const auto leases = parse_lease_file(file, {});
        CHECK(leases.size() == leases_max);
        CHECK(leases[0] == lease(2, "10.0.0.0"));
    }

    TEST_CASE("a message holds them, and a damaged one is told") {
        const std::vector leases{lease(1, "192.168.1.23"), lease(2, "192.168.1.24")};
        Writer out;
        write(out, leases);
        const Buffer message = *out.take();
        CHECK(*parse_leases(message) == leases);
        for (std::size_t length = 0; length < message.size(); ++length)
            CHECK(!parse_leases(Bytes(message).first(length)));
        for (const std::size_t count : {leases_max, leases_max + 1}) {
            Writer many;
            write(many, std::vector(count, leases[0]));
            CHECK(bool(parse_leases(*many.take())) == (count == leases_max));
        }
    }
}

}  // namespace
}  // namespace porchlight::agent
