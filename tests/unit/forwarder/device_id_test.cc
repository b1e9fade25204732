#include "forwarder/device_id.h"

#include <doctest/doctest.h>

#include <vector>

namespace porchlight::forwarder {

TEST_SUITE("forwarder/device_id") {
    TEST_CASE("a device's id is the one label before the resolver's name") {
        const auto said = [](std::string_view name) {
            return device_in_name(name, "cpe.example.net");
        };
        CHECK(said("tablet.cpe.example.net") == "tablet");
        CHECK(said("My-TV.CPE.Example.NET") == "My-TV");
        for (const char* other :
             {"", "cpe.example.net", ".cpe.example.net", "a.b.cpe.example.net",
              "tablet.cpe.example.org", "tablet.example.net", "tabletcpe.example.net",
              "tablet.cpe.example.net.", "cpe.example.net.tablet"}) {
            CAPTURE(other);
            CHECK(said(other).empty());
        }
        CHECK(device_in_name("tablet.", "").empty());
        const std::string longest(device_id_octets_max, 'a');
        CHECK(said(longest + ".cpe.example.net") == longest);
        CHECK(said(longest + "a.cpe.example.net").empty());
    }

    TEST_CASE("a device's id is the one step behind a path that is served") {
        const std::vector<std::string> paths{"/dns-query", "/d", "/q/"};
        const auto said = [&](std::string_view path) { return device_in_path(path, paths); };
        CHECK(said("/dns-query/tablet") == "tablet");
        CHECK(said("/d/My-TV") == "My-TV");
        CHECK(said("/q/tablet") == "tablet");
        for (const char* other :
             {"", "/", "tablet", "/dns-query", "/dns-query/", "/dns-querytablet",
              "/dns-query//tablet", "/dns-query/tablet/", "/dns-query/a/b", "/other/tablet",
              "/DNS-query/tablet", "/q//tablet"}) {
            CAPTURE(other);
            CHECK(said(other).empty());
        }
        const std::string longest(device_id_octets_max, 'a');
        CHECK(said("/d/" + longest) == longest);
        CHECK(said("/d/" + longest + "a").empty());
    }

    TEST_CASE("capitals make no other device") {
        CHECK(same_device("my-tv", "MY-Tv"));
        CHECK(!same_device("my-tv", "my-tv2"));
        CHECK(!same_device("my-tv", ""));
        CHECK(!same_device("a[", "a{"));
    }
}

}  // namespace porchlight::forwarder
