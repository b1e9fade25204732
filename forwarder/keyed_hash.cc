#include "forwarder/keyed_hash.h"

#include <bit>
#include <cstring>

namespace porchlight::forwarder {
namespace {

std::uint64_t little_endian(const std::uint8_t* octets) {
    std::uint64_t value = 0;
    std::memcpy(&value, octets, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
    return value;
}

struct Sip {
    std::uint64_t v0, v1, v2, v3;

    void round() {
        v0 += v1, v2 += v3;
        v1 = std::rotl(v1, 13) ^ v0, v3 = std::rotl(v3, 16) ^ v2;
        v0 = std::rotl(v0, 32);
        v2 += v1, v0 += v3;
        v1 = std::rotl(v1, 17) ^ v2, v3 = std::rotl(v3, 21) ^ v0;
        v2 = std::rotl(v2, 32);
    }

    void absorb(std::uint64_t word) {
        v3 ^= word;
        round();
        v0 ^= word;
    }

    std::uint64_t finish() {
        v2 ^= 0xff;
        for (int i = 0; i < 3; ++i) round();
        return v0 ^ v1 ^ v2 ^ v3;
    }
};

KeyedHash::Key random_key(Random& random) {
    KeyedHash::Key key;
    random.fill(key);
    return key;
}

}  // namespace

KeyedHash::KeyedHash(const Key& key)
    : k0_(little_endian(key.data())), k1_(little_endian(key.data() + 8)) {}

KeyedHash::KeyedHash(Random& random) : KeyedHash(random_key(random)) {}

std::uint64_t KeyedHash::operator()(Bytes octets, std::uint64_t prefix) const {
    Sip sip{k0_ ^ 0x736f6d6570736575, k1_ ^ 0x646f72616e646f6d, k0_ ^ 0x6c7967656e657261,
            k1_ ^ 0x7465646279746573};
    sip.absorb(prefix);
    const std::size_t length = octets.size();
    for (; octets.size() >= 8; octets = octets.subspan(8)) sip.absorb(little_endian(octets.data()));
    std::array<std::uint8_t, 8> last{};
    if (!octets.empty()) std::memcpy(last.data(), octets.data(), octets.size());
    last[7] = static_cast<std::uint8_t>(length + sizeof prefix);
    sip.absorb(little_endian(last.data()));
    return sip.finish();
}

}  // namespace porchlight::forwarder
