#include "agent/option_codecs.h"

#include <doctest/doctest.h>

#include "agent/resolver_json.h"
#include "hex.h"

namespace porchlight::agent {
namespace {

using Options = std::vector<Buffer>;

const OptionForm draft{dns::Format::draft_btw_11};

const auto v4_option =
    hex("0033 0001 0a 04 63706531 03 6e6574 00 08 c0000235 c0000236"
        "0001 0007 03 646f74 02 6832 0003 0002 2135 0007 0008 2f717b3f646e737d");
const auto ra_option =
    hex("90 06 0001 00000708 0005 03 646e73 00 0010 20010db8 00000000 00000000 00000053"
        "0008 0001 0004 03 646f74 00 00000000");

/// Encodes what was decoded, which must give the same octets.
Buffer there_and_back(Carrier carrier, const Buffer& option) {
    const auto json = decode_options(carrier, Options{option});
    REQUIRE(json);
    const auto options = encode_options(carrier, *json);
    REQUIRE(options);
    REQUIRE(options->size() == 1);
    return options->front();
}

/// The same for the draft's options.
Options there_and_back(Carrier carrier, const Options& octets) {
    const auto json = decode_options(carrier, octets, draft);
    REQUIRE(json);
    const auto options = encode_options(carrier, *json, draft);
    REQUIRE(options);
    return *options;
}

std::string refusal(Carrier carrier, std::string_view json) {
    const auto options = encode_options(carrier, json);
    return options ? "" : options.error().message;
}

TEST_SUITE("agent/option_codecs") {
    TEST_CASE("a resolver is an object with what the wire says and nothing else") {
        CHECK(*decode_options(Carrier::dhcpv4, Options{v4_option}) == R"([
  {
    "priority": 1,
    "adn": "cpe1.net.",
    "addresses": [
      "192.0.2.53",
      "192.0.2.54"
    ],
    "alpn": [
      "dot",
      "h2"
    ],
    "port": 8501,
    "dohpath": "/q{?dns}",
    "usable": true
  }
]
)");
        CHECK(*decode_options(Carrier::dhcpv6, Options{hex("0000 0005 03 646e73 00")}) == R"([
  {
    "priority": 0,
    "adn": "dns.",
    "usable": false,
    "why": "priority 0 has no meaning for a resolver"
  }
]
)");
    }

    TEST_CASE("what is taken back is not usable, in either form") {
        Buffer withdrawn = ra_option;
        withdrawn[6] = withdrawn[7] = 0;
        CHECK(decode_options(Carrier::ra, Options{withdrawn})
                  ->ends_with("\"usable\": false,\n    \"why\": \"withdrawn\"\n  }\n]\n"));
        CHECK(there_and_back(Carrier::ra, withdrawn) == withdrawn);
        const Options told{
            hex("fd 02 01 00 00000708 03 646e73 00 000000"
                "fe 04 0000 00000000 01 00 0000 20010db8 00000000 00000000 00000001 00000000")};
        CHECK(*decode_options(Carrier::ra, told, draft) == R"([
  {
    "adn": "dns.",
    "addresses": [
      "2001:db8::1"
    ],
    "alpn": [
      "dot"
    ],
    "lifetime": 0,
    "usable": false,
    "why": "withdrawn"
  },
  {
    "adn": "dns.",
    "alpn": [
      "dot"
    ],
    "lifetime": 1800,
    "usable": true
  }
]
)");
    }

    TEST_CASE("what was decoded encodes to the same octets") {
        CHECK(there_and_back(Carrier::dhcpv4, v4_option) == v4_option);
        CHECK(there_and_back(Carrier::ra, ra_option) == ra_option);
        const auto v6 =
            hex("0001 0005 03 646e73 00 0010 20010db8 00000000 00000000 00000053"
                "0000 0004 0001 029b"            // mandatory=alpn,key667
                "0001 0005 04 5c20ffe9"          // an id of a backslash, a blank and no UTF-8
                "0002 0000"                      // no-default-alpn
                "0005 0008 0006 fe0d 0002 abcd"  // ech
                "029b 0000");                    // key667
        CHECK(there_and_back(Carrier::dhcpv6, v6) == v6);
        const auto svcb = hex("0001 03 646e73 00 0001 0004 03 646f74 0004 0004 c0000235");
        CHECK(there_and_back(Carrier::svcb, svcb) == svcb);
    }

    TEST_CASE("an address that is never told but kept when heard encodes too") {
        const auto compatible =
            hex("0001 0005 03 646e73 00 0010 00000000 00000000 00000000 00000053"
                "0001 0004 03 646f74");
        CHECK(there_and_back(Carrier::dhcpv6, compatible) == compatible);
    }

    TEST_CASE("octets of a stranger leave as ASCII") {
        const auto json = decode_options(
            Carrier::dhcpv6,
            Options{hex("0001 0005 03 646e73 00 0010 20010db8 00000000 00000000 00000053"
                        "0001 0003 02 1b5b 0007 0005 2f c285 1b 7f")});  // CSI, ESC, DEL
        REQUIRE(json);
        for (char c : *json) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
    }

    TEST_CASE("the largest values can be said") {
        const std::string most =
            R"([{"priority": 65535, "adn": "dns.", "addresses": ["2001:db8::53"], "alpn": ["dot"],)"
            R"( "port": 65535, "lifetime": 4294967295}])";
        const auto options = encode_options(Carrier::ra, most);
        REQUIRE(options);
        CHECK(*options == Options{hex("90 07 ffff ffffffff 0005 03 646e73 00"
                                      "0010 20010db8 00000000 00000000 00000053"
                                      "000e 0001 0004 03 646f74 0003 0002 ffff 00000000000000")});
    }

    TEST_CASE("no resolvers are no options, by DHCPv4 too") {
        for (const Carrier carrier : {Carrier::dhcpv4, Carrier::dhcpv6, Carrier::ra, Carrier::svcb})
            for (const OptionForm& form : {OptionForm{}, draft}) {
                const auto options = encode_options(carrier, "[]", form);
                REQUIRE(options);
                CHECK(options->empty());
            }
    }

    TEST_CASE("an SVCB record is the same in both forms") {
        const auto svcb = hex("0001 03 646e73 00 0001 0004 03 646f74");
        const auto json = decode_options(Carrier::svcb, Options{svcb}, draft);
        REQUIRE(json);
        CHECK(*json == *decode_options(Carrier::svcb, Options{svcb}));
        CHECK(*encode_options(Carrier::svcb, *json, draft) == Options{svcb});
    }

    TEST_CASE("draft section 4.3: addresses of several lifetimes stand under one name") {
        const Options options{
            hex("fd 02 01 00 00000708 03 646e73 00 000000"),
            hex("fe 04 0000 00000708 01 00 0000 20010db8 00000000 00000000 00000001 00000000"),
            hex("fe 04 0000 00000258 01 00 0000 20010db8 00000000 00000000 00000002 00000000")};
        const auto json = decode_options(Carrier::ra, options, draft);
        REQUIRE(json);
        const auto records = resolvers_from_json(*json);
        REQUIRE(records->size() == 2);
        CHECK(records->at(0).adn == records->at(1).adn);
        CHECK(records->at(1).addresses == std::vector<IpAddress>{*parse_ipv6("2001:db8::2")});
        CHECK(records->at(1).lifetime == std::chrono::seconds(600));
        CHECK(json->find("\"why\"") == json->npos);
    }

    TEST_CASE("pieces of a DHCPv4 option are joined, other options stand alone") {
        const std::vector pieces{Buffer(v4_option.begin(), v4_option.begin() + 7),
                                 Buffer(v4_option.begin() + 7, v4_option.end())};
        CHECK(decode_options(Carrier::dhcpv4, pieces));
        const auto two = encode_options(
            Carrier::dhcpv6,
            *decode_options(Carrier::dhcpv6,
                            Options{hex("0001 0005 03 646e73 00"), hex("0002 0005 03 646e74 00")}));
        CHECK(two->size() == 2);
    }

    TEST_CASE("malformed options name carrier, reason and octet") {
        CHECK(decode_options(Carrier::dhcpv4, {}).error().message ==
              "DHCPv4 option 162: ends too early at octet 0");
        CHECK(decode_options(Carrier::ra, Options{hex("9001")}).error().message ==
              "RA option 144: has a Length that is not its own at octet 2");
        CHECK(!decode_options(Carrier::svcb, Options{hex("0001 c00c")}));
    }

    TEST_CASE("an SVCB record without parameters is no ADN-only entry") {
        const auto json = decode_options(Carrier::svcb, Options{hex("0001 03 646e73 00")});
        CHECK(json->find("no alpn names a protocol") != std::string::npos);
    }

    TEST_CASE("what stands twice is refused, not dropped") {
        CHECK(refusal(Carrier::dhcpv4, R"([{"priority": 1, "adn": "a."},
                                           {"priority": 1, "adn": "a.", "priority": 2}])") ==
              "/1/priority: stands here twice");
        CHECK(refusal(Carrier::svcb, R"([{"priority": 1, "adn": "a.", "alpn": ["dot"],
                                          "params": {"key9": "00", "key9": "01"}}])") ==
              "/0/params/key9: stands here twice");
        CHECK(refusal(Carrier::svcb, R"([{"priority": 1, "adn": "a.", "alpn": ["dot"],
                                          "params": {"ipv4hint": "c0000235", "key4": "c0000236"}}])") ==
              "/0/params/key4: the same key as one before");
        CHECK(refusal(Carrier::dhcpv4,
                      R"([{"usable": true, "usable": true, "why": "", "why": ""}])") ==
              "/0/usable: stands here twice");  // the first complaint
        CHECK(refusal(Carrier::svcb, R"([{"priority": 1, "adn": "a.", "alpn": ["dot", "dot"]},
                                         {"priority": 1, "adn": "a.", "alpn": ["dot"]}])") == "");
    }

    TEST_CASE("JSON that is no list of resolvers is refused at its place") {
        CHECK(refusal(Carrier::dhcpv4, "{") == "the input is no JSON array");
        CHECK(refusal(Carrier::dhcpv4, "[1]") == "/0: no object");
        CHECK(refusal(Carrier::dhcpv4, R"([{"priority": 1}])") == "/0/adn: missing");
        CHECK(refusal(Carrier::dhcpv4, R"([{"adn": "a."}])") == "/0/priority: missing");
        CHECK(refusal(Carrier::dhcpv4, R"([{"priority": 65536, "adn": "a."}])") ==
              "/0/priority: no integer from 0 to 65535");
        CHECK(refusal(Carrier::dhcpv4, R"([{"priority": 1, "adn": "a.", "prot": 1}])") ==
              "/0/prot: no member of a resolver");
        CHECK(refusal(Carrier::dhcpv4, R"([{"priority": "1", "adn": 1, "prot": 1}])") ==
              "/0/priority: no integer from 0 to 65535");  // the first complaint
        for (const char* member :
             {R"("addresses": ["192.0.2"])", R"("alpn": "dot")", R"("alpn": ["\\25"])",
              R"("alpn": ["\\256"])", R"("alpn": ["\\2/5"])", R"("alpn": ["\\:00"])",
              R"("port": -1)", R"("dohpath": 1)", R"("lifetime": 4294967296)",
              R"("mandatory": ["port", "keys"])", R"("no-default-alpn": 1)", R"("params": [])",
              R"("params": {"port": "0355"})", R"("params": {"key9": "0"})"}) {
            CAPTURE(member);
            const std::string json =
                R"([{"priority": 1, "adn": "a.", )" + std::string(member) + "}]";
            CHECK(resolvers_from_json(json).error().code == Errc::malformed);
        }
    }

    TEST_CASE("an SVCB record's target stands for the name, its hints among the parameters") {
        const auto json = decode_options(
            Carrier::svcb,
            Options{hex("0001 03 646e73 00 0001 0004 03 646f74 0004 0004 c0000235")});
        CHECK(*json == R"([
  {
    "priority": 1,
    "adn": "dns.",
    "alpn": [
      "dot"
    ],
    "params": {
      "ipv4hint": "c0000235"
    },
    "usable": true
  }
]
)");
        CHECK(decode_options(Carrier::svcb, Options{hex("0000 00")})->find("alias") !=
              std::string::npos);
    }

    TEST_CASE("a template that is more than a path is told whole") {
        // DoH at dns., default port, with the templates "https://dns/a{?dns}" and "b".
        const Options run{
            hex("fde9 0006 02 03 646e73 00"
                "fdea 0014 02 00 0000 20010db8 00000000 00000000 00000053"
                "fdeb 0018 0013 68747470733a2f2f646e732f61 7b3f646e737d 0001 62")};
        CHECK(*decode_options(Carrier::dhcpv6, run, draft) == R"([
  {
    "adn": "dns.",
    "addresses": [
      "2001:db8::53"
    ],
    "alpn": [
      "h2"
    ],
    "dohpath": "/a{?dns}",
    "usable": true
  },
  {
    "templates": [
      "b"
    ],
    "usable": false,
    "why": "no name goes with it"
  }
]
)");
        CHECK(there_and_back(Carrier::dhcpv6, run).size() == 4);
        const Options port{
            hex("fde9 0006 02 03 646e73 00"
                "fdea 0014 02 00 0000 20010db8 00000000 00000000 00000053"
                "fdeb 0019 0017 68747470733a2f2f646e733a343433 2f61 7b3f646e737d")};
        CHECK(decode_options(Carrier::dhcpv6, port, draft)->find("\"https://dns:443/a{?dns}\"") !=
              std::string::npos);
        Buffer joined;
        for (const Buffer& option : there_and_back(Carrier::dhcpv6, port))
            joined.insert(joined.end(), option.begin(), option.end());
        CHECK(joined == port.front());
    }

    TEST_CASE("the draft's options encode to the octets that they were decoded from") {
        const Options v4{
            hex("01 02 0000 c0000235 c0000236 03 646e73 00"
                "06 01 20fb c6336435 03 646e74 00")};
        CHECK(there_and_back(Carrier::dhcpv4, v4) == v4);
        const Options v6{hex("fde9 0006 05 03 646e73 00"),
                         hex("fdea 0014 05 00 22d5 20010db8 00000000 00000000 00000053"),
                         hex("fde9 0006 01 03 646e74 00")};  // without addresses
        CHECK(there_and_back(Carrier::dhcpv6, v6) == v6);
        const Options ra{hex("fd 02 01 00 00000708 03 646e73 00 000000"),
                         hex("fe 04 0000 00000708 01 00 0000 20010db8 00000000 00000000 00000053"
                             "00000000"),
                         hex("fe 04 0000 00000708 04 00 0000 20010db8 00000000 00000000 00000054"
                             "00000000")};  // without a name
        CHECK(there_and_back(Carrier::ra, ra) == ra);
        const Options run{[&] {
            Buffer all = ra[0];
            all.insert(all.end(), ra[1].begin(), ra[1].end());
            return all;
        }()};
        CHECK(*decode_options(Carrier::ra, run, draft) == R"([
  {
    "adn": "dns.",
    "addresses": [
      "2001:db8::53"
    ],
    "alpn": [
      "dot"
    ],
    "lifetime": 1800,
    "usable": true
  }
]
)");
    }

    TEST_CASE("the draft's options are refused where malformed or not the draft's") {
        const auto why = [](Carrier carrier, const Options& options) {
            const auto json = decode_options(carrier, options, draft);
            return json ? "" : json.error().message;
        };
        CHECK(why(Carrier::dhcpv4, {hex("01 00 0000 03 646e73 00")}) ==
              "OPTION_V4_ENC_DNS: has no address that a host could use at octet 4");
        CHECK(why(Carrier::dhcpv6, {hex("fde9 0002 0103")}) ==
              "OPTION_V6_ENC_ADN: ends too early at octet 2");
        CHECK(why(Carrier::dhcpv6, {hex("fde9 0002 01")}) ==
              "DHCPv6 options: ends too early at octet 4");
        CHECK(why(Carrier::dhcpv6, {hex("0090 0000")}) ==
              "DHCPv6 option 144 is none of the draft's, which are 65001, 65002 and 65003");
        CHECK(why(Carrier::ra, {hex("fd00")}) ==
              "RA Encrypted DNS ADN option: has a Length that is not its own at octet 2");
        CHECK(why(Carrier::ra, {hex("fd02 01")}) ==
              "RA Encrypted DNS ADN option: has a Length that is not its own at octet 2");
        CHECK(why(Carrier::ra, {hex("fd")}) ==
              "RA Encrypted DNS ADN option: ends too early at octet 1");
        CHECK(why(Carrier::ra, {hex("90 01 0000 00000000")}) ==
              "RA option 144 is none of the draft's, which are 253 and 254");
        for (const Carrier carrier : {Carrier::dhcpv4, Carrier::dhcpv6, Carrier::ra})
            CHECK(why(carrier, {{}}) == "the draft's options: there is none");
    }

    TEST_CASE("a client's request of the draft's is told apart from an offer") {
        CHECK(*decode_options(Carrier::dhcpv4, Options{hex("03")}, draft) == R"([
  {
    "request": [
      "dot",
      "h2"
    ],
    "usable": false,
    "why": "a client asks for these protocols; nobody is named"
  }
]
)");
        const Options v4{hex("05")}, v6{hex("fde9 0001 01"), hex("fdea 0001 06")};
        CHECK(there_and_back(Carrier::dhcpv4, v4) == v4);
        CHECK(there_and_back(Carrier::dhcpv6, v6) == v6);
        const auto json = decode_options(Carrier::dhcpv6, v6, draft);
        CHECK(json->find(R"("of": "adn")") < json->find(R"("of": "addresses")"));
        const auto why = [](Carrier carrier, const Options& options) {
            const auto decoded = decode_options(carrier, options, draft);
            return decoded ? "" : decoded.error().message;
        };
        CHECK(why(Carrier::dhcpv4, {hex("08")}) ==
              "the draft's request: names no protocol at octet 1");
        CHECK(why(Carrier::dhcpv6, {hex("fde9 0001 80")}) ==
              "the draft's request: names no protocol at octet 1");
        CHECK(why(Carrier::dhcpv6, {hex("fde9 0001 01"), hex("fde9 0006 02 03 646e73 00")}) ==
              "the draft's options: some ask, and others offer");
        // Templates are not asked for.
        CHECK(why(Carrier::dhcpv6, {hex("fdeb 0001 01")}) ==
              "OPTION_V6_DOH_TEMPLATE: ends too early at octet 0");
    }

    TEST_CASE("the draft's options stand where the configuration has them") {
        OptionForm moved = draft;
        moved.code_points = {251, 252, 231, 65101, 65102, 65103};
        const std::string v6 =
            R"([{"adn": "dns.", "addresses": ["fd00::1"], "alpn": ["h2"], "dohpath": "/{?dns}"}])";
        const auto options = encode_options(Carrier::dhcpv6, v6, moved);
        REQUIRE(options);
        REQUIRE(options->size() == 3);
        for (std::size_t i = 0; i < 3; ++i) CHECK((*options)[i][1] == (65101 + i) % 256);
        CHECK(decode_options(Carrier::dhcpv6, *options, moved));
        CHECK(decode_options(Carrier::dhcpv6, *options, draft).error().message ==
              "DHCPv6 option 65101 is none of the draft's, which are 65001, 65002 and 65003");
        const auto ra = encode_options(
            Carrier::ra,
            R"([{"adn": "dns.", "addresses": ["fd00::1"], "alpn": ["dot"], "lifetime": 9}])",
            moved);
        REQUIRE(ra);
        CHECK(ra->front().front() == 251);
        CHECK(ra->back().front() == 252);
        CHECK(decode_options(Carrier::ra, *ra, moved));
        CHECK(decode_options(Carrier::ra, *ra, draft).error().message ==
              "RA option 251 is none of the draft's, which are 253 and 254");
        const auto asks =
            encode_options(Carrier::dhcpv6, R"([{"request": ["dot"], "of": "addresses"}])", moved);
        CHECK(asks->front() == hex("fe4e 0001 01"));
    }

    TEST_CASE("under an enterprise's number the draft's DHCPv6 options are sub-options of 17") {
        OptionForm vendor = draft;
        vendor.code_points.enterprise = 32473;
        const Options option{
            hex("0011 0031 00007ed9"
                "0001 0006 02 03 646e73 00"
                "0002 0014 02 00 0000 20010db8 00000000 00000000 00000053"
                "0003 0007 0005 6162636465")};
        const auto json = decode_options(Carrier::dhcpv6, option, vendor);
        REQUIRE_MESSAGE(json, json.error().message);
        CHECK(json->find("\"adn\": \"dns.\"") != std::string::npos);
        CHECK(json->find("\"abcde\"") != std::string::npos);
        const std::string one = R"([{"adn": "dns.", "addresses": ["2001:db8::53"],
                                     "alpn": ["h2"], "dohpath": "/{?dns}"}])";
        const auto encoded = encode_options(Carrier::dhcpv6, one, vendor);
        REQUIRE(encoded);
        REQUIRE(encoded->size() == 1);
        CHECK(Bytes(encoded->front()).first(4).front() == 0);
        CHECK(equal(Bytes(encoded->front()).subspan(4, 30), Bytes(option.front()).subspan(4, 30)));
        const Options asks{hex("0011 0009 00007ed9 0001 0001 01")};
        CHECK(*encode_options(Carrier::dhcpv6, *decode_options(Carrier::dhcpv6, asks, vendor),
                              vendor) == asks);
        const auto why = [&](const Buffer& octets) {
            const auto decoded = decode_options(Carrier::dhcpv6, Options{octets}, vendor);
            return decoded ? "" : decoded.error().message;
        };
        CHECK(
            why(hex("fde9 0006 02 03 646e73 00")) ==
            "DHCPv6 option 65001 is none of the draft's, which are sub-options of 17 under 32473");
        CHECK(why(hex("0011 000a 00000009 0001 0002 0103")) ==
              "DHCPv6 option 17 of enterprise 9 is none of the draft's, which are sub-options of "
              "17 under 32473");
        CHECK(why(hex("0011 0009 00007ed9 0001 0002 01")) ==
              "DHCPv6 option 17: ends too early at octet 8");
        CHECK(why(hex("0011 0004 00007ed9")) == "the draft's options: there is none");
        CHECK(why(hex("0011 0009 00007ed9 0004 0001 01")) ==
              "DHCPv6 option 4 is none of the draft's, which are 1, 2 and 3");
        // Two that have room alone have none as one.
        const std::string big = R"([{"adn": "dns.", "addresses": ["2001:db8::53"], "alpn": ["h2"],
                                     "templates": ["https://dns/{?dns}", "https://dns/)" +
                                std::string(65480, 'x') + R"({?dns}"]}])";
        CHECK(encode_options(Carrier::dhcpv6, big, draft));
        CHECK(encode_options(Carrier::dhcpv6, big, vendor).error().message.starts_with("/0: "));
    }

    TEST_CASE("an option that none could hold is malformed") {
        // 4095 addresses fill an option's Length to 65535 nearly; a parameter overfills it.
        Buffer option = hex("0001 0005 03 646e73 00 fff0");
        for (int i = 0; i < 4095; ++i) {
            const Buffer address = hex("20010db8 00000000 00000000 00000053");
            option.insert(option.end(), address.begin(), address.end());
        }
        CHECK(decode_options(Carrier::dhcpv6, Options{option}));
        const Buffer param = hex("029b 0004 00000000");
        option.insert(option.end(), param.begin(), param.end());
        CHECK(decode_options(Carrier::dhcpv6, Options{option}).error().message ==
              "65539 octets are more than an option has room for");
        for (const OptionForm& form : {OptionForm(), draft})
            CHECK(decode_options(Carrier::dhcpv4, Options{Buffer(65535, 1), Buffer(1, 1)}, form)
                      .error()
                      .message == "65536 octets are more than an option has room for");
    }

    TEST_CASE("carriers and formats have names") {
        CHECK(parse_carrier("dhcpv4") == Carrier::dhcpv4);
        CHECK(parse_carrier("dhcpv6") == Carrier::dhcpv6);
        CHECK(parse_carrier("ra") == Carrier::ra);
        CHECK(parse_carrier("svcb") == Carrier::svcb);
        CHECK(!parse_carrier("slaac"));
        CHECK(parse_option_format("rfc9463") == dns::Format::rfc9463);
        CHECK(parse_option_format("draft-btw-11") == dns::Format::draft_btw_11);
        CHECK(!parse_option_format("draft"));
    }

    TEST_CASE("hexadecimal digits may be grouped by octet") {
        CHECK(octets_from_hex("00:0a Ff\n") == hex("000aff"));
        CHECK(octets_from_hex("")->empty());
        for (const char* bad : {"0", "0 0", "0x00", "gg"}) CHECK(!octets_from_hex(bad));
    }
}

}  // namespace
}  // namespace porchlight::agent
