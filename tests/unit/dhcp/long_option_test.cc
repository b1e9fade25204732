#include "dhcp/long_option.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string_view>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

/// A message of which only sname, file and the options matter.
Buffer message(const Buffer& options, const Buffer& file = {}, const Buffer& sname = {}) {
    Buffer all(236);
    std::copy(sname.begin(), sname.end(), all.begin() + 44);
    std::copy(file.begin(), file.end(), all.begin() + 108);
    for (std::uint8_t octet : hex("63825363")) all.push_back(octet);
    all.insert(all.end(), options.begin(), options.end());
    return all;
}

TEST_SUITE("dhcp/long_option") {
    TEST_CASE("a payload is cut at 255 octets and joined again") {
        for (std::size_t size : {1u, 254u, 255u, 256u, 510u, 511u, 1000u}) {
            CAPTURE(size);
            Buffer payload(size);
            for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<std::uint8_t>(i);
            const Buffer options = split_option(162, payload);
            CHECK(options.size() == size + 2 * ((size + 254) / 255));
            CHECK(*join_option(message(options), 162) == payload);
        }
        CHECK(split_option(162, {}).empty());
    }

    TEST_CASE("RFC 3396 section 5: the order is options, file, sname") {
        const auto all = message(hex("00 a2 01 01 34 01 03 a2 01 02 ff a2 01 09"),
                                 hex("a2 01 03 00 ff"), hex("35 01 02 a2 01 04"));
        CHECK(*join_option(all, 162) == hex("01020304"));
    }

    TEST_CASE("file and sname count only where option overload says so") {
        const auto with = [](std::string_view overload) {
            Buffer options = hex("a2 01 01");
            for (std::uint8_t octet : hex(overload)) options.push_back(octet);
            return *join_option(message(options, hex("a2 01 03 ff"), hex("a2 01 04 ff")), 162);
        };
        CHECK(with("") == hex("01"));
        CHECK(with("34 01 01") == hex("0103"));
        CHECK(with("34 01 02") == hex("0104"));
        CHECK(with("34 01 03") == hex("010304"));
        CHECK(with("34 02 03 00") == hex("01"));  // no option overload: it has one octet
        CHECK(with("34 00") == hex("01"));
    }

    TEST_CASE("a message without the option holds nothing, a broken one is refused") {
        CHECK(join_option(message(hex("35 01 02 ff")), 162)->empty());
        CHECK(!join_option(message(hex("35 02 02")), 162));
        CHECK(!join_option(message(hex("35")), 162));
        CHECK(!join_option(Buffer(300), 162));
        CHECK(!join_option(message(hex("34 01 01 ff"), Buffer(128, 0x35)), 162));
        const auto whole = message({});
        for (std::size_t size = 0; size < whole.size(); ++size)
            CHECK(!join_option(Bytes(whole).first(size), 162));
    }
}

}  // namespace
}  // namespace porchlight::dhcp
