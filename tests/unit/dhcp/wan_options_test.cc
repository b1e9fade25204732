#include "dhcp/wan_options.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dhcp {
namespace {

Buffer joined(std::initializer_list<Buffer> parts) {
    Buffer all;
    for (const Buffer& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

dns::Forms both_forms() {
    dns::Forms forms;
    forms.formats = {dns::Format::rfc9463, dns::Format::draft_btw_11};
    return forms;
}

std::string names_of(const WanOptions& options) {
    std::string names;
    for (const auto& resolver : options.resolvers)
        names += dns::to_text(resolver.adn) + std::to_string(resolver.priority) + " ";
    return names;
}

TEST_SUITE("dhcp/wan_options") {
    const auto good =
        hex("0015 0001 05 03 646e73 00"                             // dns., priority 1
            "04 c0000235"                                           // 192.0.2.53
            "0001 0004 03 646f74");                                 // alpn=dot
    const auto other = hex("0008 0002 05 03 646e74 00");            // dnt., ADN-only
    const auto bad = hex("0008 0002 06 03 646e74 00");              // an ADN longer than its field
    const auto draft_v4 = hex("01 01 0000 c0000236 03 647266 00");  // drf., DoT
    const auto six =
        hex("0090 0023 0001 0005 03 646e73 00"          // dns.
            "0010 20010db8 00000000 00000000 00000053"  // one address
            "0001 0004 03 646f74");
    const auto six_bad = hex("0090 0004 00010009");
    const auto six_other = hex("0090 0009 0002 0005 03 646e74 00");  // dnt., ADN-only

    TEST_CASE("DHCPv4: each instance of option 162 is a resolver, option 6 names plain ones") {
        const std::vector<V4Option> told{
            {162, joined({good, other})}, {6, hex("c0000235 7f000001")}, {15, hex("6c616e")}};
        const WanOptions read = read_wan_v4(told);
        CHECK(names_of(read) == "dns.1 dnt.2 ");
        CHECK(read.resolvers[0].addresses == std::vector<IpAddress>{*parse_address("192.0.2.53")});
        CHECK(read.plain == std::vector<IpAddress>{*parse_address("192.0.2.53")});  // no loopback
        CHECK(read.refused.empty());
    }

    TEST_CASE("RFC 9463 section 5.2: one bad instance spoils option 162, and it is told why") {
        const std::vector<V4Option> told{{162, joined({good, bad})}};
        const WanOptions read = read_wan_v4(told);
        CHECK(read.resolvers.empty());
        REQUIRE(read.refused.size() == 1);
        CHECK(read.refused[0].why.starts_with("DHCPv4 option 162: "));
        CHECK(read.refused[0].octets == joined({good, bad}));
        CHECK(read_wan_v4({}) == WanOptions());
    }

    TEST_CASE("an option of plain resolvers that is cut short is discarded") {
        const std::vector<V4Option> told{{6, hex("c0000235 c00002")}};
        CHECK(read_wan_v4(told).refused.at(0).why == "DHCPv4 option 6: ends too early at octet 4");
        CHECK(read_wan_v6(hex("0017 0003 200100")).refused.at(0).why ==
              "DHCPv6 option 23: ends too early at octet 0");
    }

    TEST_CASE("the draft's options count where that form is told, where its code points say") {
        const std::vector<V4Option> told{{230, draft_v4}};
        CHECK(read_wan_v4(told) == WanOptions());
        CHECK(names_of(read_wan_v4(told, both_forms())) == "drf.1 ");
        dns::Forms elsewhere = both_forms();
        elsewhere.code_points.dhcpv4 = 231;
        CHECK(read_wan_v4(told, elsewhere) == WanOptions());
        const std::vector<V4Option> broken{{230, hex("01 01 00")}};
        CHECK(read_wan_v4(broken, both_forms()).refused.size() == 1);
    }

    TEST_CASE("RFC 9463 section 4.2: in DHCPv6 each option 144 is judged on its own") {
        const WanOptions read = read_wan_v6(joined({six, six_bad, six_other}));
        CHECK(names_of(read) == "dns.1 dnt.2 ");
        REQUIRE(read.refused.size() == 1);
        CHECK(read.refused[0].why.starts_with("DHCPv6 option 144: "));
        CHECK(read.refused[0].octets == hex("00010009"));
    }

    TEST_CASE("plain resolvers and the refresh time stand in options of their own") {
        const WanOptions read =
            read_wan_v6(hex("0017 0010 20010db8 00000000 00000000 00000053 0020 0004 00000e10"));
        CHECK(read.plain == std::vector<IpAddress>{*parse_address("2001:db8::53")});
        CHECK(read.refresh == std::chrono::seconds(3600));
        const WanOptions odd = read_wan_v6(hex("0020 0003 000e10"));
        CHECK(!odd.refresh);
        CHECK(odd.refused.at(0).why == "DHCPv6 option 32: ends too early at octet 0");
    }

    TEST_CASE("a run that is cut short is refused whole, wherever it ends") {
        const auto run = joined({six, six_other});
        for (std::size_t size = 1; size < run.size(); ++size) {
            CAPTURE(size);
            const WanOptions read = read_wan_v6(Bytes(run).first(size));
            CHECK(read.resolvers.size() == (size == six.size() ? 1 : 0));
            CHECK(read.refused.size() == (size == six.size() ? 0 : 1));
        }
    }

    TEST_CASE("the draft's DHCPv6 options are read where they stand, also an enterprise's") {
        const auto own =
            hex("fde9 0006 01 03 647266 00"
                "fdea 0014 01 00 0000 20010db8 00000000 00000000 00000054");
        CHECK(read_wan_v6(own) == WanOptions());
        const WanOptions read = read_wan_v6(own, both_forms());
        CHECK(names_of(read) == "drf.1 ");
        CHECK(read.resolvers[0].addresses.size() == 1);
        dns::Forms vendor = both_forms();
        vendor.code_points.enterprise = 32473;
        CHECK(read_wan_v6(own, vendor) == WanOptions());
        const auto within =
            hex("0011 0026 00007ed9 0001 0006 01 03 647266 00"
                "0002 0014 01 00 0000 20010db8 00000000 00000000 00000054");
        CHECK(names_of(read_wan_v6(within, vendor)) == "drf.1 ");
        CHECK(read_wan_v6(within, both_forms()) == WanOptions());
        dns::Forms standard;  // an enterprise alone asks for no draft
        standard.code_points.enterprise = 32473;
        CHECK(read_wan_v6(within, standard) == WanOptions());
        // Number 0 is reserved, and stands for none here.
        CHECK(read_wan_v6(joined({hex("0011 0026 00000000"), own}), both_forms()) == WanOptions());
        vendor.code_points.enterprise = 1;
        CHECK(read_wan_v6(within, vendor) == WanOptions());  // somebody else's
        vendor.code_points.enterprise = 32473;
        CHECK(read_wan_v6(hex("0011 0003 00007e"), vendor).refused.size() == 1);
    }

    TEST_CASE("a malformed option of the draft hurts no other") {
        const WanOptions read = read_wan_v6(joined({six, hex("fde9 0001 01")}), both_forms());
        CHECK(names_of(read) == "dns.1 ");
        CHECK(read.refused.size() == 1);
    }
}

}  // namespace
}  // namespace porchlight::dhcp
