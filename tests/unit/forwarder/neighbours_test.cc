#include "forwarder/neighbours.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace porchlight::forwarder {
namespace {

Neighbour neighbour(const char* link, const char* address, std::uint8_t last) {
    return {link_name(link), *parse_address(address), {{2, 0, 0x5e, 0x10, 0, last}}};
}

const std::vector sample{neighbour("br-lan", "fd77::8", 2), neighbour("br-guest", "fe80::7", 3),
                         neighbour("br-lan", "192.0.2.7", 1), neighbour("br-lan", "fe80::7", 1)};

Buffer octets_of(const std::vector<Neighbour>& neighbours) {
    Writer out;
    write(out, neighbours);
    return *out.take();
}

}  // namespace

TEST_SUITE("forwarder/neighbours") {
    TEST_CASE("the list survives a round trip, also when it is empty") {
        for (const auto& list : {sample, std::vector<Neighbour>()}) {
            const auto read = parse_neighbours(octets_of(list));
            REQUIRE(read);
            CHECK(*read == list);
        }
    }

    TEST_CASE("every truncation is refused, and what follows, and what is no address") {
        Buffer octets = octets_of(sample);
        for (std::size_t size = 0; size < octets.size(); ++size) {
            CAPTURE(size);
            CHECK(!parse_neighbours(Bytes(octets).first(size)));
        }
        octets.push_back(0);
        CHECK(!parse_neighbours(octets));
        octets.pop_back();
        octets[4 + 16] = 5;
        CHECK(!parse_neighbours(octets));
    }

    TEST_CASE("a host is found by its link and its address, in whatever order it was told") {
        const Neighbours neighbours(sample);
        for (const Neighbour& one : sample) {
            const net::MacAddress* mac = neighbours.find(one.link, one.address);
            REQUIRE(mac != nullptr);
            CHECK(*mac == one.mac);
        }
        CHECK(neighbours.find(link_name("br-guest"), *parse_address("192.0.2.7")) == nullptr);
        CHECK(neighbours.find(link_name("br-lan"), *parse_address("192.0.2.8")) == nullptr);
        CHECK(neighbours.find(link_name("br-lan"), *parse_address("ffff::")) == nullptr);
        CHECK(Neighbours().find(sample[0].link, sample[0].address) == nullptr);
    }

    TEST_CASE("they are bounded") {
        const Neighbours neighbours(
            std::vector<Neighbour>(Neighbours::neighbours_max + 1, sample[0]));
        CHECK(neighbours.size() == Neighbours::neighbours_max);
    }
}

}  // namespace porchlight::forwarder
