#include "core/address.h"

#include <doctest/doctest.h>

namespace porchlight {
namespace {

TEST_SUITE("core/address") {
    TEST_CASE("addresses and endpoints have one text form each") {
        CHECK(to_text(*parse_ipv6("2001:DB8:0:0::1")) == "2001:db8::1");
        CHECK(to_text(*parse_endpoint("[2001:db8::1]:853", 53)) == "[2001:db8::1]:853");
        CHECK(to_text(*parse_endpoint("192.0.2.1", 53)) == "192.0.2.1:53");
        CHECK(to_text(*parse_endpoint("2001:db8::1", 53)) == "[2001:db8::1]:53");
        for (const char* bad : {"", "1.2.3", "01.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", "[::1",
                                "::1]:5", "1.2.3.4:", "[1.2.3.4]:5", "fe80::1%eth0"}) {
            CAPTURE(bad);
            CHECK(!parse_endpoint(bad, 53));
        }
    }

    TEST_CASE("only an address that names one host elsewhere is announceable") {
        for (const char* good :
             {"192.168.1.1", "100.64.0.1", "fe80::1", "fd00::1", "2001:db8::1"}) {
            CAPTURE(good);
            CHECK(is_announceable(*parse_address(good)));
        }
        for (const char* bad : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1",
                                "ff02::1", "::ffff:192.0.2.1", "::192.0.2.1"}) {
            CAPTURE(bad);
            CHECK(!is_announceable(*parse_address(bad)));
        }
    }

    TEST_CASE("RFC 9463 section 3.1.8: of what is heard only what can't be a host is dropped") {
        for (const char* kept : {"0.0.0.1", "0.255.0.1", "240.0.0.1", "255.255.255.254"}) {
            CAPTURE(kept);
            CHECK(is_receivable(*parse_ipv4(kept)));
            CHECK(!is_announceable(*parse_ipv4(kept)));
        }
        CHECK(is_receivable(*parse_ipv6("::192.0.2.1")));
        for (const char* both : {"1.0.0.1", "126.0.0.1", "128.0.0.1", "223.255.255.254"}) {
            CAPTURE(both);
            CHECK(is_receivable(*parse_ipv4(both)));
            CHECK(is_announceable(*parse_ipv4(both)));
        }
        CHECK(is_announceable(*parse_ipv6("::1:0:0")));
        for (const char* dropped : {"0.0.0.0", "127.0.0.0", "127.255.255.255", "224.0.0.0",
                                    "239.255.255.255", "255.255.255.255"}) {
            CAPTURE(dropped);
            CHECK(!is_receivable(*parse_ipv4(dropped)));
        }
        for (const char* dropped : {"::", "::1", "ff00::", "ff02::1", "::ffff:192.0.2.1"}) {
            CAPTURE(dropped);
            CHECK(!is_receivable(*parse_ipv6(dropped)));
        }
    }

    TEST_CASE("which addresses everybody may give himself") {
        for (const char* own : {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",
                                "169.254.0.1", "fe80::1", "fd00::1", "fc00::1"}) {
            CAPTURE(own);
            CHECK(is_private(*parse_address(own)));
        }
        for (const char* other :
             {"9.255.255.255", "11.0.0.0", "172.15.0.1", "172.32.0.1", "192.167.0.1", "192.169.0.1",
              "169.253.0.1", "100.64.0.1", "192.0.2.1", "2001:db8::1", "fbff::1", "fe00::1"}) {
            CAPTURE(other);
            CHECK(!is_private(*parse_address(other)));
        }
    }
}

}  // namespace
}  // namespace porchlight
