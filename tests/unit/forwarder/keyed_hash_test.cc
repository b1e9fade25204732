#include "forwarder/keyed_hash.h"

#include <doctest/doctest.h>

#include <numeric>

namespace porchlight::forwarder {

TEST_SUITE("forwarder/keyed_hash") {
    TEST_CASE("values of SipHash-1-3 under the key and over the input of its paper") {
        KeyedHash::Key key;
        std::iota(key.begin(), key.end(), std::uint8_t{0});
        const KeyedHash hash(key);
        Buffer octets(39);
        std::iota(octets.begin(), octets.end(), std::uint8_t{0});
        // The first eight octets of the input are the prefix.
        const std::uint64_t prefix = 0x0706050403020100;
        const auto of = [&](std::size_t size) {
            return hash(Bytes(octets).first(size).subspan(8), prefix);
        };
        CHECK(of(8) == 0x369095118d299a8e);
        CHECK(of(15) == 0xd320d86d2a519956);
        CHECK(of(16) == 0xcc4fdd1a7d908b66);
        CHECK(of(39) == 0x626b57547b108392);
    }

    TEST_CASE("another key, another value") {
        SeededRandom random(1);
        CHECK(KeyedHash(random)(bytes_of("name")) != KeyedHash(random)(bytes_of("name")));
    }
}

}  // namespace porchlight::forwarder
