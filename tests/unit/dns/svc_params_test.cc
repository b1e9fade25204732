#include "dns/svc_params.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dns {
namespace {

Result<SvcParams> parse(const Buffer& wire) {
    Reader in(wire);
    SvcParams params = read_svc_params(in);
    if (!in.finished()) return in.error("SvcParams");
    return params;
}

Buffer written(const SvcParams& params) {
    Writer out;
    write(out, params);
    return *out.take();
}

TEST_SUITE("dns/svc_params") {
    const auto full =
        hex("0000 0004 0001 0003"                         // mandatory=alpn,port
            "0001 000b 03 646f74 02 6832 03 646f71"       // alpn=dot,h2,doq
            "0002 0000"                                   // no-default-alpn
            "0003 0002 2135"                              // port=8501
            "0005 0008 0006 fe0d 0002 abcd"               // ech, kept as it is
            "0007 0010 2f646e732d71756572797b3f646e737d"  // dohpath=/dns-query{?dns}
            "0008 0000"                                   // ohttp
            "029b 0005 68656c6c6f");                      // key667=hello

    TEST_CASE("every parameter survives a round trip") {
        const auto params = parse(full);
        REQUIRE(params);
        CHECK(params->mandatory == std::vector<std::uint16_t>{1, 3});
        CHECK(params->alpn == std::vector<std::string>{"dot", "h2", "doq"});
        CHECK(params->no_default_alpn);
        CHECK(params->port == 8501);
        CHECK(params->dohpath == "/dns-query{?dns}");
        CHECK(params->other.at(667) == hex("68656c6c6f"));
        CHECK(params->other.at(key_ohttp).empty());
        CHECK(written(*params) == full);
        CHECK(!why_not_usable(*params));
    }

    TEST_CASE("nothing is a legal list of parameters") {
        const auto none = parse({});
        REQUIRE(none);
        CHECK(*none == SvcParams());
        CHECK(written(*none).empty());
    }

    TEST_CASE("every truncation is refused, unless it ends between two parameters") {
        const auto params =
            hex("0001 0004 03 646f74"
                "0003 0002 2135"
                "029b 0001 68");
        for (std::size_t size = 0; size < params.size(); ++size) {
            const bool legal = size == 0 || size == 8 || size == 14;
            CAPTURE(size);
            CHECK(bool(parse({params.begin(), params.begin() + static_cast<long>(size)})) == legal);
        }
    }

    // The vector of RFC 9460 Appendix D.2, Figure 7: parameters in their order on the wire.
    TEST_CASE("RFC 9460 appendix D: mandatory, alpn and ipv4hint") {
        const auto vector =
            hex("0000 0004 0001 0004"
                "0001 0009 02 6832 05 68332d3139"
                "0004 0004 c0000201");
        const auto params = parse(vector);
        REQUIRE(params);
        CHECK(params->alpn == std::vector<std::string>{"h2", "h3-19"});
        CHECK(written(*params) == vector);
    }

    TEST_CASE("RFC 9460 section 2.2: keys strictly increase") {
        CHECK(
            !parse(hex("0003 0002 0355"
                       "0001 0004 03 646f74")));
        CHECK(
            !parse(hex("0003 0002 0355"
                       "0003 0002 0355")));
    }

    TEST_CASE("RFC 9460 section 8: mandatory lists other keys, in order, that are there") {
        CHECK(
            !parse(hex("0000 0000"
                       "0001 0004 03 646f74")));  // none
        CHECK(
            !parse(hex("0000 0003 0001 00"
                       "0001 0004 03 646f74")));  // half a key
        CHECK(
            !parse(hex("0000 0002 0000"
                       "0001 0004 03 646f74")));  // itself
        CHECK(
            !parse(hex("0000 0004 0001 0001"
                       "0001 0004 03 646f74")));  // twice
        CHECK(
            !parse(hex("0000 0004 0003 0001"
                       "0001 0004 03 646f74 0003 0002 0355")));
        CHECK(
            !parse(hex("0000 0002 0003"
                       "0001 0004 03 646f74")));  // absent
        CHECK(
            parse(hex("0000 0002 0001"
                      "0001 0004 03 646f74")));
    }

    TEST_CASE("RFC 9460 section 7.1: alpn holds whole ids, none empty") {
        CHECK(!parse(hex("0001 0000")));
        CHECK(!parse(hex("0001 0001 00")));
        CHECK(!parse(hex("0001 0005 03 646f74 00")));
        CHECK(!parse(hex("0001 0003 03 646f")));
        CHECK(!parse(hex("0001 0005 03 646f74 02")));
    }

    TEST_CASE("RFC 9460 section 7.1.1: no-default-alpn is empty and stands beside alpn") {
        CHECK(
            !parse(hex("0001 0004 03 646f74"
                       "0002 0001 00")));
        CHECK(!parse(hex("0002 0000")));
    }

    TEST_CASE("RFC 9460 section 7.2: a port is two octets") {
        CHECK(!parse(hex("0003 0001 35")));
        CHECK(!parse(hex("0003 0003 000035")));
        CHECK(!parse(hex("0003 0000")));
    }

    TEST_CASE("RFC 9460 section 7.3: hints are whole addresses, at least one") {
        CHECK(parse(hex("0004 0008 c0000201 c0000202")));
        CHECK(!parse(hex("0004 0003 c00002")));
        CHECK(!parse(hex("0004 0000")));
        CHECK(!parse(hex("0006 0008 20010db8 00000000")));
        CHECK(!parse(hex("0006 0000")));
    }

    TEST_CASE("RFC 9461 section 5: dohpath is UTF-8 text") {
        CHECK(parse(hex("0007 0003 2fc3bc")));  // /ü
        CHECK(!parse(hex("0007 0000")));
        CHECK(!parse(hex("0007 0002 2f00")));        // NUL
        CHECK(!parse(hex("0007 0002 2fff")));        // no UTF-8
        CHECK(!parse(hex("0007 0003 2fc080")));      // a NUL in too many octets
        CHECK(!parse(hex("0007 0004 2feda080")));    // half of a surrogate pair
        CHECK(!parse(hex("0007 0005 2ff4908080")));  // above U+10FFFF
        CHECK(!parse(hex("0007 0003 2fe282")));      // cut short
        for (const char* bad : {"0007 0003 2fc1bf", "0007 0004 2fe09fbf", "0007 0005 2ff08fbfbf",
                                "0007 0005 2ff5808080", "0007 0004 2fe28241", "0007 0002 2f80"}) {
            CAPTURE(bad);
            CHECK(!parse(hex(bad)));
        }
    }

    TEST_CASE("RFC 9849 section 4: ech is a list of configurations, whole and not empty") {
        CHECK(parse(hex("0005 0006 0004 fe0d 0000")));
        CHECK(parse(hex("0005 000d 000b fe0d 0002 abcd 0001 0001 ff")));  // versions we don't know
        CHECK(!parse(hex("0005 0000")));                                  // nothing
        CHECK(!parse(hex("0005 0001 00")));                               // half a length
        CHECK(!parse(hex("0005 0002 0000")));                             // no configuration
        CHECK(!parse(hex("0005 0006 0005 fe0d 0000")));          // list longer than its field
        CHECK(!parse(hex("0005 0007 0004 fe0d 0000 00")));       // field longer than its list
        CHECK(!parse(hex("0005 0006 0004 fe0d 0001")));          // configuration longer than both
        CHECK(!parse(hex("0005 0005 0003 fe0d 00")));            // half of its length
        CHECK(!parse(hex("0005 0009 0007 fe0d 0001 ab fe0d")));  // a version and no more
        CHECK(!parse(hex("0005 0007 0005 fe0d 0000 fe")));       // half a version
        CHECK(parse(hex("0005 0002 0000")).error().message ==
              "SvcParams: has an ech that is no list of configurations at octet 6");
    }

    TEST_CASE("RFC 9540 section 4: ohttp has no value") {
        CHECK(!parse(hex("0008 0001 00")));
    }

    TEST_CASE("RFC 9460 section 14.3.2: key 65535 is never valid") {
        CHECK(!parse(hex("ffff 0000")));
        CHECK(parse(hex("fffe 0000")));
    }

    TEST_CASE("a refusal names its reason and its octet") {
        CHECK(parse(hex("0003 0002 0355"
                        "0001 0000"))
                  .error()
                  .message == "SvcParams: has SvcParamKeys out of order at octet 8");
    }

    TEST_CASE("a usable path begins with a slash and has the variable dns") {
        for (const char* good : {"/dns-query{?dns}", "/q{?dns,ct}", "/{dns}", "/a?x=1,2|3{&dns}",
                                 "/{+dns}", "/q{.dns}", "/%7Eu{?dns*}", "/{/dns}",
                                 "/b\xc3\xbc"
                                 "cher{?dns}",
                                 "/{;v.1,dns}"}) {
            CAPTURE(good);
            CHECK(is_usable_dohpath(good));
        }
        for (const char* bad : {"",
                                "/",
                                "/dns-query",
                                "dns-query{?dns}",
                                "{?dns}",
                                "//evil.example/{?dns}",
                                "/q{?dn}",
                                "/q{?dns",
                                "/q?dns}",
                                "/q{}",
                                "/q{?}",
                                "/q{?dns,}",
                                "/q{#dns}",
                                "/q#{?dns}",
                                "/q{?dns:3}",
                                "/q{=dns}",
                                "/q {?dns}",
                                "/q\n{?dns}",
                                "/%7{?dns}",
                                "/q{?d ns,dns}",
                                "/{{?dns}}",
                                "/q{?dns,x:0}",
                                "/q{?dns,x:}",
                                "/q{?dns,x:1a}",
                                "/q{?.a,dns}",
                                "/q{?a.,dns}",
                                "/q{?%7,dns}",
                                "/q{?a%zz,dns}",
                                "/q{?dns,x:10000}",
                                "/q{?a..b,dns}",
                                "https://a/{?dns}"}) {
            CAPTURE(bad);
            CHECK(!is_usable_dohpath(bad));
        }
    }

    TEST_CASE("a plain path has only what systemd takes for parts of a URI") {
        for (char c = ' '; c <= '~'; ++c) {
            CAPTURE(c);
            const bool others = std::string_view(" \"%,<>\\^`|").find(c) != std::string_view::npos;
            CHECK(is_plain_dohpath(std::string("/") + c) == !others);
        }
        CHECK(!is_plain_dohpath("/\x7f"));
        CHECK(!is_plain_dohpath("/\xc3\xbc"));
    }

    TEST_CASE("what is well formed may still be of no use, and says why") {
        SvcParams dot;
        dot.alpn = {"dot"};
        CHECK(!why_not_usable(dot));

        CHECK(*why_not_usable(SvcParams()) == "no alpn names a protocol");

        SvcParams unknown;
        unknown.alpn = {"spdy", "DOT"};  // ids are octets: case counts
        CHECK(*why_not_usable(unknown) == "no protocol in alpn is known");
        unknown.alpn.push_back("doq");
        CHECK(!why_not_usable(unknown));

        SvcParams port = dot;
        port.port = 0;
        CHECK(*why_not_usable(port) == "port 0 can't be connected to");
        port.port = 25;
        CHECK(*why_not_usable(port) == "port 25 is one that clients refuse to connect to");
        port.port = 8443;
        CHECK(!why_not_usable(port));

        SvcParams http = dot;
        http.alpn.push_back("h3");
        CHECK(*why_not_usable(http) == "HTTP in alpn without a dohpath");
        http.dohpath = "/dns-query";
        CHECK(*why_not_usable(http) == "HTTP in alpn without a usable dohpath");
        http.dohpath = "/dns-query{?dns}";
        CHECK(!why_not_usable(http));
        SvcParams idle_path = dot;
        idle_path.dohpath = "/nothing-to-fill-in";
        CHECK(!why_not_usable(idle_path));

        SvcParams mandatory = dot;
        mandatory.mandatory = {key_alpn};
        CHECK(!why_not_usable(mandatory));
        mandatory.mandatory = {667};
        mandatory.other[667] = {};
        CHECK(*why_not_usable(mandatory) == "mandatory key key667 is not understood");
    }

    TEST_CASE("RFC 9460 section 8: a key that has a name may be mandatory and not understood") {
        SvcParams params;
        params.alpn = {"dot"};
        params.other[key_ech] = hex("0004 fe0d 0000");
        params.other[key_ohttp] = {};
        params.mandatory = {key_ech};
        CHECK(*why_not_usable(params) == "mandatory key ech is not understood");
        params.mandatory = {key_alpn, key_ohttp};
        CHECK(*why_not_usable(params) == "mandatory key ohttp is not understood");
    }

    TEST_CASE("RFC 9460 section 8: what is acted on is understood, hints as they stand in SVCB") {
        SvcParams params;
        params.alpn = {"dot"};
        params.no_default_alpn = true;
        params.port = 8853;
        params.dohpath = "/q{?dns}";
        params.other[key_ipv4hint] = hex("c0000235");
        params.other[key_ipv6hint] = hex("20010db8 00000000 00000000 00000053");
        for (const SvcParamKey key :
             {key_alpn, key_no_default_alpn, key_port, key_ipv4hint, key_ipv6hint, key_dohpath}) {
            CAPTURE(key_text(key));
            params.mandatory = {key};
            CHECK(!why_not_usable(params));
        }
    }

    TEST_CASE("RFC 6570 section 2.1: what no template holds outside of braces") {
        for (const char c : std::string("\"#<>\\^`}") + '\x1f' + '\x7f') {
            CAPTURE(static_cast<int>(c));
            CHECK(!is_usable_dohpath(std::string("/a") + c + "b{?dns}"));
        }
    }

    TEST_CASE("keys have names and numbers") {
        CHECK(key_text(key_dohpath) == "dohpath");
        CHECK(key_text(9) == "key9");
        CHECK(parse_key("ohttp") == key_ohttp);
        CHECK(parse_key("key65534") == 65534);
        for (const char* bad :
             {"", "key", "key01", "key-1", "key65535", "key65536", "KEY9", "doh"}) {
            CAPTURE(bad);
            CHECK(!parse_key(bad));
        }
    }
}

}  // namespace
}  // namespace porchlight::dns
