#include "forwarder/asked_tops.h"

#include <doctest/doctest.h>

#include <string>

#include "dns/name.h"

namespace porchlight::forwarder {
namespace {

TEST_SUITE("forwarder/asked_tops") {
    void note(AskedTops & tops, const std::string& name) {
        tops.note(dns::parse_name(name)->wire());
    }

    TEST_CASE("a top-level domain is known once something beneath it was asked") {
        SeededRandom random{1};
        AskedTops tops(random);
        CHECK(!tops.has(bytes_of("com")));
        note(tops, "www.example.com");
        CHECK(tops.has(bytes_of("com")));
        CHECK(!tops.has(bytes_of("example")));
        CHECK(!tops.has(bytes_of("www")));
        CHECK(!tops.has(bytes_of("org")));
    }

    TEST_CASE("a name of one label is beneath nothing") {
        SeededRandom random{1};
        AskedTops tops(random);
        note(tops, "nas");
        note(tops, ".");
        CHECK(!tops.has(bytes_of("nas")));
        CHECK(!tops.has({}));
        note(tops, "printer.nas");  // who asks that has told it
        CHECK(tops.has(bytes_of("nas")));
    }

    TEST_CASE("few are taken for asked that were not") {
        SeededRandom random{1};
        AskedTops tops(random);
        for (int i = 0; i < 1500; ++i) note(tops, "a.top" + std::to_string(i));
        int wrong = 0;
        for (int i = 0; i < 1500; ++i) {
            CHECK(tops.has(bytes_of("top" + std::to_string(i))));
            wrong += tops.has(bytes_of("other" + std::to_string(i)));
        }
        CHECK(wrong < 1500 / 25);
    }
}

}  // namespace
}  // namespace porchlight::forwarder
