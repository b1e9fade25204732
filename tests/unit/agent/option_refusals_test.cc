#include "agent/option_refusals.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::agent {
namespace {

const OptionForm rfc, draft{dns::Format::draft_btw_11};

/// What encoding a list of one resolver is refused for; empty: it is not.
std::string why(Carrier carrier, const std::string& members, const OptionForm& form = rfc) {
    const auto options = encode_options(carrier, "[{" + members + "}]", form);
    if (!options) CHECK(options.error().code != Errc::internal);
    return options ? "" : options.error().message;
}

/// The same for members beside a priority, a name and a protocol.
std::string why_not(Carrier carrier, const std::string& members) {
    return why(carrier, R"("priority": 1, "adn": "a.", "alpn": ["dot"])" + members);
}

/// The same for members beside a name, in the draft.
std::string draft_not(Carrier carrier, const std::string& members) {
    return why(carrier, R"("adn": "a.")" + members, draft);
}

std::string repeated(std::string_view item, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + std::string(item);
    return text;
}

const std::string four = R"(, "addresses": ["192.0.2.1"])", six = R"(, "addresses": ["fd00::1"])",
                  dot = R"(, "alpn": ["dot"])", doh = R"(, "alpn": ["h2"])";

TEST_SUITE("agent/option_refusals") {
    TEST_CASE("what a carrier has words for is not refused") {
        CHECK(why_not(Carrier::dhcpv4, four) == "");
        CHECK(why_not(Carrier::dhcpv6, six) == "");
        CHECK(why_not(Carrier::ra, six + R"(, "lifetime": 1)") == "");
        CHECK(why_not(Carrier::svcb, "") == "");
        CHECK(draft_not(Carrier::dhcpv4, four + dot) == "");
        CHECK(draft_not(Carrier::dhcpv6, six + dot) == "");
        CHECK(draft_not(Carrier::ra, six + dot + R"(, "lifetime": 1)") == "");
        for (const Carrier carrier : {Carrier::dhcpv4, Carrier::dhcpv6, Carrier::ra})
            CHECK(encode_options(carrier, "[]", draft)->empty());
    }

    TEST_CASE("the sentence names the resolver, the member and the element") {
        const auto options =
            encode_options(Carrier::dhcpv6,
                           R"([{"priority": 1, "adn": "a.", "addresses": ["fd00::1"]},
                {"priority": 1, "adn": "a.", "addresses": ["fd00::1", "198.51.100.1"]}])");
        CHECK(options.error().code == Errc::refused);
        CHECK(options.error().message ==
              "/1/addresses/1: 198.51.100.1 is no IPv6 address, which dhcpv6 carries alone");
    }

    TEST_CASE("JSON that is no list of resolvers is refused at its place") {
        const auto malformed = [](const std::string& member) {
            const auto records = resolvers_from_json("[{" + member + "}]");
            if (!records) CHECK(records.error().code == Errc::malformed);
            return records ? "" : records.error().message;
        };
        CHECK(malformed(R"("adn": "a..b")") == "/0/adn: no domain name");
        CHECK(malformed(R"("adn": 1)") == "/0/adn: no text");
        CHECK(malformed(R"("addresses": "fd00::1")") == "/0/addresses: no array");
        CHECK(malformed(R"("addresses": ["192.0.2"])") ==
              "/0/addresses/0: no IPv4 or IPv6 address");
        CHECK(malformed(R"("alpn": ["dot", 1])") == "/0/alpn/1: no text");
        for (const char* id : {"\\\\25", "\\\\256", "\\\\2/5", "\\\\:00"})
            CHECK(malformed(R"("alpn": [")" + std::string(id) + "\"]") ==
                  "/0/alpn/0: a backslash stands before no number from 000 to 255");
        CHECK(malformed(R"("port": -1)") == "/0/port: no integer from 0 to 65535");
        CHECK(malformed(R"("dohpath": 1)") == "/0/dohpath: no text");
        CHECK(malformed(R"("templates": {})") == "/0/templates: no array");
        CHECK(malformed(R"("lifetime": 4294967296)") ==
              "/0/lifetime: no integer from 0 to 4294967295");
        CHECK(malformed(R"("mandatory": ["port", "keys"])") == "/0/mandatory/1: no SvcParamKey");
        CHECK(malformed(R"("no-default-alpn": 1)") == "/0/no-default-alpn: neither true nor false");
        CHECK(malformed(R"("params": [])") == "/0/params: no object");
        CHECK(malformed(R"("params": {"kex9": ""})") == "/0/params/kex9: no SvcParamKey");
        CHECK(malformed(R"("params": {"key3": "0355"})") ==
              "/0/params/key3: this key is the member \"port\"");
        CHECK(malformed(R"("params": {"key9": "0"})") ==
              "/0/params/key9: no pairs of hexadecimal digits");
        CHECK(malformed(R"("params": {"ech": "", "key5": ""})") ==
              "/0/params/key5: the same key as one before");
        CHECK(malformed(R"("a/~\u001b": 1)") == "/0/a~1~0\\x1b: no member of a resolver");
        CHECK(malformed("\"" + std::string(100, 'a') + "\": 1") ==
              "/0/" + std::string(64, 'a') + ": no member of a resolver");
        CHECK(malformed(R"("port": "x", "prot": 1)") ==
              "/0/port: no integer from 0 to 65535");  // the first complaint
        CHECK(malformed(R"("usable": 1, "why": [])") == "");
    }

    TEST_CASE("RFC 9463's options need what each of them has, and take no more") {
        CHECK(why(Carrier::dhcpv4, R"("adn": "a.")") == "/0/priority: missing");
        CHECK(why(Carrier::svcb, R"("priority": 1)") == "/0/adn: missing");
        CHECK(
            why_not(Carrier::dhcpv6, six + R"(, "templates": ["x"])") ==
            "/0/templates: dhcpv6 of draft-btw-11 alone has templates; dohpath is the path of one");
        CHECK(why_not(Carrier::dhcpv6, six + R"(, "request": ["dot"])") ==
              "/0/request: draft-btw-11 alone has requests");
        CHECK(why_not(Carrier::dhcpv6, six + R"(, "of": "adn")") ==
              "/0/of: draft-btw-11 alone has requests");
        CHECK(why_not(Carrier::ra, six) == "/0/lifetime: missing; ra has one always");
        for (const Carrier carrier : {Carrier::dhcpv6, Carrier::svcb})
            CHECK(why_not(carrier, (carrier == Carrier::dhcpv6 ? six : std::string()) +
                                       R"(, "lifetime": 1)") == "/0/lifetime: ra alone has one");
        CHECK(why_not(Carrier::svcb, six) ==
              "/0/addresses: svcb has none; ipv4hint and ipv6hint stand in params");
    }

    TEST_CASE("a name is a host's") {
        CHECK(why(Carrier::dhcpv6, R"("priority": 1, "adn": ".")") ==
              "/0/adn: the root names nobody");
        CHECK(why(Carrier::dhcpv6, R"("priority": 1, "adn": "a b.")") ==
              "/0/adn: \"a\\\\032b.\" is no host's name");
        CHECK(why(Carrier::svcb, R"("priority": 0, "adn": ".")") == "");
        CHECK(why(Carrier::dhcpv6, R"("adn": "-a.", "alpn": ["dot"])", draft) ==
              "/0/adn: \"-a.\" is no host's name");
    }

    TEST_CASE("addresses are of the carrier's family, of use, and not too many") {
        CHECK(why_not(Carrier::dhcpv4, six) ==
              "/0/addresses/0: fd00::1 is no IPv4 address, which dhcpv4 carries alone");
        CHECK(why_not(Carrier::ra, four + R"(, "lifetime": 1)") ==
              "/0/addresses/0: 192.0.2.1 is no IPv6 address, which ra carries alone");
        CHECK(why_not(Carrier::dhcpv4, R"(, "addresses": ["192.0.2.1", "127.0.0.1"])") ==
              "/0/addresses/1: 127.0.0.1 is an address that hosts drop");
        CHECK(draft_not(Carrier::dhcpv6, R"(, "addresses": ["ff02::1"])" + dot) ==
              "/0/addresses/0: ff02::1 is an address that hosts drop");
        const auto many = [](const char* address, int count) {
            return ", \"addresses\": [" + repeated(address, count) + "]";
        };
        CHECK(why_not(Carrier::dhcpv4, many("\"192.0.2.1\"", 63)) == "");
        CHECK(why_not(Carrier::dhcpv4, many("\"192.0.2.1\"", 64)) ==
              "/0/addresses: 64 are more than the 63 that dhcpv4 can count");
        CHECK(draft_not(Carrier::dhcpv4, dot + many("\"192.0.2.1\"", 255)) == "");
        CHECK(draft_not(Carrier::dhcpv4, dot + many("\"192.0.2.1\"", 256)) ==
              "/0/addresses: 256 are more than the 255 that dhcpv4 can count");
        CHECK(draft_not(Carrier::dhcpv6, dot + many("\"fd00::1\"", 4095)) == "");
        CHECK(draft_not(Carrier::dhcpv6, dot + many("\"fd00::1\"", 4096)) ==
              "/0/addresses: 4096 are more than the 4095 that dhcpv6 can count");
        const std::string lives = R"(, "lifetime": 1)";
        CHECK(draft_not(Carrier::ra, lives + dot + many("\"fd00::1\"", 126)) == "");
        CHECK(draft_not(Carrier::ra, lives + dot + many("\"fd00::1\"", 127)) ==
              "/0/addresses: 127 are more than the 126 that ra can count");
        CHECK(why_not(Carrier::dhcpv4, "") ==
              "/0/addresses: missing; without an address dhcpv4 tells of a name alone");
    }

    TEST_CASE("an option has room for as many octets as its length can tell of") {
        const auto value = [](int octets) {
            return R"(, "params": {"key667": ")" + std::string(2 * std::size_t(octets), '0') +
                   "\"}";
        };
        // Priority, name and alpn of "a." take 4 or 5, 3 and 8, key667's own header 4.
        CHECK(why_not(Carrier::svcb, value(65535 - 17)) == "");
        CHECK(why_not(Carrier::svcb, value(65535 - 16)) ==
              "/0: 65536 octets are more than the 65535 that an option has room for");
        CHECK(why_not(Carrier::dhcpv6, six + value(65535 - 37)) == "");
        CHECK(why_not(Carrier::dhcpv6, six + value(65535 - 36)) ==
              "/0: 65536 octets are more than the 65535 that an option has room for");
        const std::string lives = R"(, "lifetime": 1)";
        CHECK(why_not(Carrier::ra, six + lives + value(2040 - 45)) == "");
        CHECK(why_not(Carrier::ra, six + lives + value(2040 - 44)) ==
              "/0: 2048 octets are more than the 2040 that an option has room for");
        const std::string one = R"({"priority": 1, "adn": "a.", "addresses": ["192.0.2.1"],
                                    "alpn": ["dot"])" +
                                value(40000) + "}";
        CHECK(encode_options(Carrier::dhcpv4, "[" + one + "]"));
        CHECK(encode_options(Carrier::dhcpv4, "[" + one + "," + one + "]").error().message ==
              "/1: 80050 octets are more than the 65535 that an option has room for");
    }

    TEST_CASE("parameters are such that a strict reader takes them") {
        const auto svcb = [](const std::string& members) {
            return why(Carrier::svcb, R"("priority": 1, "adn": "a.")" + members);
        };
        for (const std::string& id : {std::string(), std::string(256, 'a')})
            CHECK(svcb(R"(, "alpn": ["dot", ")" + id + "\"]") ==
                  "/0/alpn/1: an id has 1 to 255 octets");
        CHECK(svcb(R"(, "alpn": [")" + std::string(255, 'a') + "\"]") == "");
        CHECK(svcb(R"(, "no-default-alpn": true)") == "/0/no-default-alpn: needs alpn beside it");
        for (const char* path : {"", "/\\u0000"})
            CHECK(svcb(R"(, "dohpath": ")" + std::string(path) + "\"") ==
                  "/0/dohpath: empty, no UTF-8, or with a NUL in it");
        CHECK(svcb(R"(, "mandatory": ["mandatory"])") ==
              "/0/mandatory/0: mandatory never lists itself");
        CHECK(svcb(R"(, "port": 1, "alpn": ["dot"], "mandatory": ["port", "alpn"])") ==
              "/0/mandatory/1: keys stand in order of their numbers, each once");
        CHECK(svcb(R"(, "port": 1, "mandatory": ["port", "port"])") ==
              "/0/mandatory/1: keys stand in order of their numbers, each once");
        for (const char* key : {"alpn", "no-default-alpn", "port", "dohpath", "ech"})
            CHECK(svcb(R"(, "mandatory": [")" + std::string(key) + "\"]") ==
                  "/0/mandatory/0: " + std::string(key) + " is mandatory and not there");
        CHECK(svcb(R"(, "alpn": ["dot"], "no-default-alpn": true, "port": 1, "dohpath": "/",
                       "params": {"ech": "0004fe0d0000"},
                       "mandatory": ["alpn", "no-default-alpn", "port", "ech", "dohpath"])") == "");
        CHECK(svcb(R"(, "params": {"ohttp": "00"})") == "/0/params/ohttp: ohttp has no value");
        CHECK(svcb(R"(, "params": {"ohttp": ""})") == "");
        CHECK(svcb(R"(, "params": {"ipv4hint": "c0000201"})") == "");
        for (const char* hint : {"", "c00002"})
            CHECK(svcb(R"(, "params": {"ipv4hint": ")" + std::string(hint) + "\"}") ==
                  "/0/params/ipv4hint: no addresses of 4 octets each");
        CHECK(svcb(R"(, "params": {"ipv6hint": "c0000201"})") ==
              "/0/params/ipv6hint: no addresses of 16 octets each");
        for (const char* key : {"ipv4hint", "ipv6hint"})
            CHECK(why_not(Carrier::dhcpv6, six + R"(, "params": {")" + key + R"(": ""})") ==
                  "/0/params/" + std::string(key) +
                      ": an address hint spoils the option; addresses has them");
    }

    TEST_CASE("the draft has no priority and no parameters but three") {
        CHECK(draft_not(Carrier::dhcpv6, six + dot + R"(, "priority": 1)") ==
              "/0/priority: draft-btw-11 has none; the first resolver is preferred");
        const std::string no_params = "draft-btw-11 has no parameters but alpn, port and dohpath";
        CHECK(draft_not(Carrier::dhcpv6, six + dot + R"(, "params": {"key667": ""})") ==
              "/0/params: " + no_params);
        CHECK(draft_not(Carrier::dhcpv6, six + dot + R"(, "mandatory": ["alpn"])") ==
              "/0/mandatory: " + no_params);
        CHECK(draft_not(Carrier::dhcpv6, six + dot + R"(, "no-default-alpn": true)") ==
              "/0/no-default-alpn: " + no_params);
        CHECK(draft_not(Carrier::dhcpv4, four + dot + R"(, "lifetime": 1)") ==
              "/0/lifetime: ra alone has one");
        CHECK(draft_not(Carrier::ra, six + dot) == "/0/lifetime: missing; ra has one always");
    }

    TEST_CASE("the draft's protocols are bits") {
        CHECK(draft_not(Carrier::dhcpv6, six) ==
              "/0/alpn: missing; it is one of dot, h2 and doq at least");
        CHECK(draft_not(Carrier::dhcpv6, six + R"(, "alpn": ["dot", "h3"])") ==
              "/0/alpn/1: \"h3\" is none of dot, h2 (for all DNS over HTTPS) and doq, which "
              "draft-btw-11 has bits for");
        for (const char* ids : {R"("h2", "dot")", R"("dot", "dot")", R"("doq", "h2")"})
            CHECK(draft_not(Carrier::dhcpv6, six + R"(, "alpn": [)" + ids + "]") ==
                  "/0/alpn: bits have one order, which is dot, h2, doq, each once");
        CHECK(why(Carrier::dhcpv6, R"("templates": ["x"], "alpn": ["h2"])", draft) ==
              "/0/alpn: needs a name or an address that it is said of");
    }

    TEST_CASE("the draft's port stands with the addresses") {
        CHECK(draft_not(Carrier::dhcpv6, six + dot + R"(, "port": 0)") ==
              "/0/port: 0 stands for each protocol's own; leave port out");
        CHECK(draft_not(Carrier::dhcpv6, dot + R"(, "port": 1)") ==
              "/0/port: stands with the addresses, and there is none");
        CHECK(draft_not(Carrier::dhcpv6, dot) == "");
    }

    TEST_CASE("the draft's DHCPv4 has name and addresses, the others one of them") {
        CHECK(draft_not(Carrier::dhcpv4, dot) ==
              "/0/addresses: missing; dhcpv4 of draft-btw-11 has an address in every option");
        CHECK(why(Carrier::dhcpv4, R"("addresses": ["192.0.2.1"], "alpn": ["dot"])", draft) ==
              "/0/adn: missing; dhcpv4 has a name in every option");
        CHECK(why(Carrier::dhcpv6, R"("addresses": ["fd00::1"], "alpn": ["dot"])", draft) == "");
        CHECK(why(Carrier::dhcpv6, "", draft) ==
              "/0: has neither name, address nor template, so there is no option for it");
    }

    TEST_CASE("the draft's templates are DHCPv6's, and their resolver's own") {
        CHECK(draft_not(Carrier::dhcpv4, four + doh + R"(, "dohpath": "/{?dns}")") ==
              "/0/dohpath: dhcpv6 of draft-btw-11 alone has templates");
        CHECK(draft_not(Carrier::ra, six + doh + R"(, "lifetime": 1, "templates": ["x"])") ==
              "/0/templates: dhcpv6 of draft-btw-11 alone has templates");
        CHECK(draft_not(Carrier::dhcpv6, six + doh + R"(, "dohpath": "/{?dns}")") == "");
        CHECK(draft_not(Carrier::dhcpv6, six + doh + R"(, "dohpath": "/{?dns}",
                                                          "templates": ["x"])") ==
              "/0/dohpath: stands beside templates; make it one of them");
        CHECK(draft_not(Carrier::dhcpv6, six + dot + R"(, "dohpath": "/{?dns}")") ==
              "/0/dohpath: needs h2 in alpn");
        CHECK(draft_not(Carrier::dhcpv6, six + doh + R"(, "dohpath": "/q")") ==
              "/0/dohpath: \"/q\" does not begin with / or names no variable dns");
        CHECK(why(Carrier::dhcpv6, R"("addresses": ["fd00::1"], "alpn": ["h2"],
                                      "dohpath": "/{?dns}")",
                  draft) == "/0/dohpath: needs adn, of whose template it is a part");
        CHECK(why(Carrier::dhcpv6, R"("addresses": ["fd00::1"], "alpn": ["h2"],
                                      "templates": ["x"])",
                  draft) == "/0/templates/0: needs adn, which is its host");
        const auto templates = [](const std::string& texts) {
            return draft_not(Carrier::dhcpv6, six + doh + R"(, "templates": [)" + texts + "]");
        };
        CHECK(templates(R"("https://a/x{?dns}", "https://a/y{?dns}")") == "");
        CHECK(templates(R"("https://a:443/x{?dns}")") == "");
        CHECK(templates(R"("https://a/x{?dns}")") ==
              "/0/templates/0: says no more than a path; make it dohpath");
        CHECK(templates(R"("https://a/x{?dns}", "")") ==
              "/0/templates/1: empty, no UTF-8, or with a NUL in it");
        for (const char* text : {"https://b/x{?dns}", "https://a:8443/x{?dns}", "x"})
            CHECK(templates("\"" + std::string(text) + "\"") ==
                  "/0/templates/0: \"" + std::string(text) +
                      "\" is no template for this name and port");
        CHECK(draft_not(Carrier::dhcpv6, six + dot + R"(, "templates": ["https://a/x{?dns}"])") ==
              "/0/templates/0: needs h2 in alpn");
        CHECK(why(Carrier::dhcpv6, R"("templates": ["x"])", draft) == "");
        const std::string half(32766, 'x');
        CHECK(why(Carrier::dhcpv6, R"("templates": [")" + half + R"(", ")" + half + "\"]", draft) ==
              "/0/templates: 65536 octets are more than the 65535 that an option has room for");
    }

    TEST_CASE("a request stands alone") {
        const auto request = [](Carrier carrier, const std::string& members) {
            return why(carrier, R"("request": ["dot"])" + members, draft);
        };
        CHECK(request(Carrier::dhcpv4, "") == "");
        CHECK(request(Carrier::dhcpv6, R"(, "of": "adn")") == "");
        CHECK(request(Carrier::dhcpv4, R"(, "adn": "a.")") ==
              "/0/request: asks for protocols; it stands with nothing but \"of\"");
        CHECK(request(Carrier::ra, "") == "/0/request: ra has no requests");
        CHECK(request(Carrier::dhcpv4, R"(, "of": "adn")") ==
              "/0/of: dhcpv4 has one option, which needs no name");
        for (const char* of : {"", R"(, "of": "templates")"})
            CHECK(request(Carrier::dhcpv6, of) ==
                  "/0/of: neither \"adn\" nor \"addresses\", the options of dhcpv6 that ask");
        CHECK(why(Carrier::dhcpv6, R"("of": "adn")", draft) ==
              "/0/request: missing; it is one of dot, h2 and doq at least");
        CHECK(why(Carrier::dhcpv4, R"("request": ["dns"])", draft) ==
              "/0/request/0: \"dns\" is none of dot, h2 (for all DNS over HTTPS) and doq, which "
              "draft-btw-11 has bits for");
        const auto both = [](Carrier carrier, const std::string& json) {
            return encode_options(carrier, json, draft).error().message;
        };
        CHECK(both(Carrier::dhcpv4, R"([{"request": ["dot"]}, {"request": ["doq"]}])") ==
              "/1: dhcpv4 has one option, and one request fills it");
        CHECK(both(Carrier::dhcpv6,
                   R"([{"request": ["dot"], "of": "adn"}, {"adn": "a.", "alpn": ["dot"]}])") ==
              "/1: requests and resolvers stand in no message together");
    }

    TEST_CASE("resolvers that a reader of the draft would mix are refused together") {
        const std::string name = R"({"adn": "a.", "alpn": ["dot"]})",
                          address = R"({"addresses": ["fd00::1"], "alpn": ["dot"]})",
                          other = R"({"adn": "b.", "addresses": ["fd00::2"], "alpn": ["doq"]})";
        const auto message = [](const std::string& json) {
            const auto options = encode_options(Carrier::dhcpv6, "[" + json + "]", draft);
            return options ? "" : options.error().message;
        };
        CHECK(message(name + "," + other) == "");
        const std::string why =
            ": a reader would mix its options with another resolver's: in this carrier nothing but "
            "protocols, name and port tells which belong together";
        CHECK(message(name + "," + address) == "/0" + why);
        CHECK(message(other + "," + name + "," + address) == "/1" + why);
        // Two templates of nobody's are read as one resolver's.
        CHECK(message(R"({"templates": ["x"]}, {"templates": ["y"]})") == "/0" + why);
    }
}

}  // namespace
}  // namespace porchlight::agent
