#include "core/base64url.h"

#include <doctest/doctest.h>

namespace porchlight {

TEST_SUITE("core/base64url") {
    TEST_CASE("base64url has no padding and knows its own alphabet only") {
        CHECK(base64url({}).empty());
        CHECK(base64url(bytes_of("f")) == "Zg");
        CHECK(base64url(bytes_of("fo")) == "Zm8");
        CHECK(base64url(bytes_of("foob")) == "Zm9vYg");
        CHECK(base64url(Buffer{3, 236, 255, 224, 193}) == "A-z_4ME");  // RFC 7515 appendix C
        CHECK(*parse_base64url("A-z_4ME") == Buffer{3, 236, 255, 224, 193});
        for (const char* text : {"A", "Zg==", "A+z/4ME", "Zh", "Zm9vYh x"}) {
            CAPTURE(text);
            CHECK(!parse_base64url(text));
        }
        Buffer reused{9, 9, 9};
        CHECK(parse_base64url("Zm8", reused));
        CHECK(text_of(reused) == "fo");
    }

    TEST_CASE("base64 is padded and has an alphabet of its own") {
        CHECK(*parse_base64("A+z/4ME=") == Buffer{3, 236, 255, 224, 193});
        for (const char* text : {"Zg", "Zg=", "Zg===", "A-z_4ME=", "Zh=="}) {
            CAPTURE(text);
            CHECK(!parse_base64(text));
        }
    }
}

}  // namespace porchlight
