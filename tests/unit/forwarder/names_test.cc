#include "forwarder/names.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "dns/answer.h"
#include "dns/query.h"

namespace porchlight::forwarder {
namespace {

using dns::parse_name;
namespace type = dns::type;

Settings settings() {
    Settings it;
    it.adn = *parse_name("Cpe1.Example.net");
    it.addresses = {*parse_address("192.168.1.1"), *parse_address("fd00::1")};
    it.local_domains = {*parse_name("Lan"), *parse_name("8.b.d.0.1.0.0.2.ip6.arpa")};
    it.companion = parse_endpoint("127.0.0.1:53", 53);
    return it;
}

Decision decide(const Names& names, const char* name, std::uint16_t of_type = type::a,
                bool from_companion = false) {
    const dns::Name parsed = *parse_name(name);
    return names.decide(parsed.wire(), of_type, from_companion);
}

/// As decide(), of a name in letters of any case.
Decision lower(const Names& names, std::string text, std::uint16_t of_type = type::a) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return decide(names, text.c_str(), of_type);
}

struct Row {
    const char* name;
    std::uint16_t type;
    Source source;
    OwnAnswer own;  // for Source::own; what the companion hears when it would be its own
};

dns::Answer written(const Names& names, const char* name, std::uint16_t of_type) {
    const dns::Name parsed = *parse_name(name);
    const Decision decision = names.decide(parsed.wire(), of_type, true);
    REQUIRE(decision.source == Source::own);
    Writer out;
    names.write(out, parsed.wire(), of_type, decision);
    const Buffer bytes = *out.take();
    const auto answer =
        dns::parse_answer(bytes, {parsed, of_type}, {.negative_max = std::chrono::hours(24)});
    REQUIRE_MESSAGE(answer, name);
    return *answer;
}

const std::string v6_one =
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa";
const std::string v6_zero = "0" + v6_one.substr(1);

/// What a host of `link` is answered, or with "" who asks the companion, as dig would say.
std::string told(const Names& names, const char* name, const char* link) {
    const dns::Name parsed = *parse_name(name);
    const Decision decision = names.decide(parsed.wire(), type::svcb, *link == 0);
    REQUIRE(decision.own == OwnAnswer::designations);
    Writer out;
    names.write(out, parsed.wire(), type::svcb, decision, link_name(link));
    Reader in(out.view());
    const Bytes header = in.bytes(dns::header_octets);
    CHECK((header[3] & dns::flag::rcode) == dns::rcode::no_error);
    CHECK(dns::read_name(in) == parsed);
    in.u32();
    std::string text;
    const unsigned answers = header[7], authorities = header[9], additionals = header[11];
    for (unsigned i = 0; i < answers + authorities + additionals; ++i) {
        if (i < answers + authorities)
            in.u16();  // a pointer to the question's name
        else
            text += dns::to_text(dns::read_name(in)) + " ";
        const std::uint16_t of_type = in.u16();
        CHECK(in.u16() == dns::class_in);
        CHECK(in.u32() == 60);
        const Bytes data = in.bytes(in.u16());
        if (of_type == type::svcb) {
            const auto svcb = dns::parse_svcb(data);
            REQUIRE(svcb);
            text += std::to_string(svcb->priority) + " " + dns::to_text(svcb->target);
            for (const std::string& alpn : svcb->params.alpn) text += " " + alpn;
            if (svcb->params.port) text += " " + std::to_string(*svcb->params.port);
        } else if (of_type == type::a) {
            text += to_text(Ipv4{{data[0], data[1], data[2], data[3]}});
        } else {
            text += of_type == type::soa ? "SOA" : "AAAA";
        }
        text += ";";
    }
    CHECK(in.finished());
    return text;
}

dns::Svcb record(std::uint16_t priority, std::optional<std::uint16_t> port) {
    dns::Svcb made{priority, *parse_name("Cpe1.Example.net"), {}};
    made.params.alpn = {"dot"};
    made.params.port = port;
    return made;
}

TEST_SUITE("forwarder/names") {
    TEST_CASE("the resolver is found by its name with a device's id before it") {
        Settings it = settings();
        it.rebinding.allow_devices = {{{}, {}, "tablet"}, {net::MacAddress{{2, 0, 0, 0, 0, 1}}}};
        const Names names(it);
        for (const std::uint16_t of_type : {type::a, type::aaaa}) {
            const Decision decision = decide(names, "tablet.cpe1.example.net", of_type);
            CHECK(decision.source == Source::own);
            CHECK(decision.own == OwnAnswer::addresses);
        }
        CHECK(written(names, "tablet.cpe1.example.net", type::a).kind ==
              dns::Answer::Kind::positive);
        for (const char* other :
             {"radio.cpe1.example.net", "tablet.example.net", "a.tablet.cpe1.example.net",
              "tabletcpe1.example.net", "tablet.cpe1.example.org"}) {
            CAPTURE(other);
            CHECK(decide(names, other).source == Source::upstream);
        }
        for (const std::uint16_t of_type : {type::txt, std::uint16_t(65)}) {
            const Decision decision = decide(names, "tablet.cpe1.example.net", of_type);
            CHECK(decision.source == Source::own);
            CHECK(decision.own == OwnAnswer::no_data);
        }
        CHECK(decide(Names(settings()), "tablet.cpe1.example.net").source == Source::upstream);
        it.adn = {};
        CHECK(decide(Names(it), "tablet.cpe1.example.net").source == Source::upstream);
    }

    TEST_CASE("each special name goes where its rule says") {
        const Names names(settings());
        const std::string below_v6_one = "a." + v6_one;
        const Row rows[] = {
            {".", type::ns, Source::upstream, {}},
            {"example.org", type::a, Source::upstream, {}},
            {"mylan", type::a, Source::companion, OwnAnswer::no_name},
            {"my.mylan", type::a, Source::upstream, {}},
            // RFC 6761
            {"localhost", type::a, Source::own, OwnAnswer::loopback},
            {"a.b.localhost", type::aaaa, Source::own, OwnAnswer::loopback},
            {"localhost", type::txt, Source::own, OwnAnswer::no_data},
            {"localhost.example.org", type::a, Source::upstream, {}},
            {"invalid", type::a, Source::own, OwnAnswer::no_name},
            {"a.invalid", type::ns, Source::own, OwnAnswer::no_name},
            {"test", type::soa, Source::own, OwnAnswer::no_name},
            {"a.b.test", type::a, Source::own, OwnAnswer::no_name},
            {"facebook.onion", type::a, Source::own, OwnAnswer::no_name},
            {"x.alt", type::a, Source::own, OwnAnswer::no_name},
            {"printer.local", type::aaaa, Source::own, OwnAnswer::no_name},
            {"local", type::soa, Source::own, OwnAnswer::no_name},
            // The home
            {"lan", type::soa, Source::companion, OwnAnswer::no_data},
            {"nas.lan", type::a, Source::companion, OwnAnswer::no_name},
            {"nas", type::a, Source::companion, OwnAnswer::no_name},
            {"nas", type::https, Source::companion, OwnAnswer::no_name},
            {"org", type::ds, Source::upstream, {}},
            {"org", 48, Source::upstream, {}},
            {"home.arpa", type::ns, Source::companion, OwnAnswer::no_data},
            {"nas.home.arpa", type::a, Source::companion, OwnAnswer::no_name},
            {"home.arpa", type::ds, Source::upstream, {}},
            {"nas.home.arpa", type::ds, Source::companion, OwnAnswer::no_name},
            // Infrastructure
            {"arpa", type::ds, Source::upstream, {}},
            {"in-addr.arpa", type::soa, Source::upstream, {}},
            {"ip6.arpa", type::soa, Source::upstream, {}},
            {"ipv4only.arpa", type::aaaa, Source::upstream, {}},
            {"resolver.arpa", type::ns, Source::own, OwnAnswer::no_data},
            {"_dns.resolver.arpa", type::svcb, Source::own, OwnAnswer::designations},
            {"_dns.resolver.arpa", type::https, Source::own, OwnAnswer::no_data},
            {"resolver.arpa", type::svcb, Source::own, OwnAnswer::no_data},
            {"_dnt.resolver.arpa", type::svcb, Source::own, OwnAnswer::no_data},
            {"x._dns.resolver.arpa", type::svcb, Source::own, OwnAnswer::no_data},
            {"_dns.resolver.arpa.example.org", type::svcb, Source::upstream, {}},
            {"service.arpa", type::soa, Source::own, OwnAnswer::no_data},
            {"service.arpa", type::ds, Source::own, OwnAnswer::no_data},
            {"default.service.arpa", type::soa, Source::own, OwnAnswer::no_name},
            // Own name
            {"cpe1.example.net", type::a, Source::own, OwnAnswer::addresses},
            {"cpe1.example.net", type::aaaa, Source::own, OwnAnswer::addresses},
            {"cpe1.example.net", type::txt, Source::upstream, {}},
            {"_acme-challenge.cpe1.example.net", type::txt, Source::upstream, {}},
            {"_dns.cpe1.example.net", type::svcb, Source::own, OwnAnswer::designations},
            {"_dns.cpe1.example.net", type::a, Source::own, OwnAnswer::no_data},
            {"_53._dns.cpe1.example.net", type::svcb, Source::own, OwnAnswer::no_name},
            {"x_dns.cpe1.example.net", type::svcb, Source::upstream, {}},
            {"_dns.example.net", type::svcb, Source::upstream, {}},
            // Reverse, IPv4
            {"1.0.0.127.in-addr.arpa", type::ptr, Source::own, OwnAnswer::localhost},
            {"1.0.0.127.in-addr.arpa", type::a, Source::own, OwnAnswer::no_data},
            {"0.0.127.in-addr.arpa", type::ptr, Source::own, OwnAnswer::no_data},
            {"127.in-addr.arpa", type::ptr, Source::own, OwnAnswer::no_data},
            {"2.0.0.127.in-addr.arpa", type::ptr, Source::own, OwnAnswer::no_name},
            {"1.1.0.0.127.in-addr.arpa", type::ptr, Source::own, OwnAnswer::no_name},
            {"5.1.168.192.in-addr.arpa", type::ptr, Source::companion, OwnAnswer::no_name},
            {"168.192.in-addr.arpa", type::soa, Source::companion, OwnAnswer::no_data},
            {"192.in-addr.arpa", type::soa, Source::upstream, {}},
            {"lb._dns-sd._udp.0.1.168.192.in-addr.arpa", type::ptr, Source::companion,
             OwnAnswer::no_name},
            {"1.10.in-addr.arpa", type::ptr, Source::companion, OwnAnswer::no_name},
            {"15.172.in-addr.arpa", type::ptr, Source::upstream, {}},
            {"16.172.in-addr.arpa", type::ptr, Source::companion, OwnAnswer::no_data},
            {"9.31.172.in-addr.arpa", type::ptr, Source::companion, OwnAnswer::no_name},
            {"32.172.in-addr.arpa", type::ptr, Source::upstream, {}},
            {"063.100.in-addr.arpa", type::ptr, Source::upstream, {}},
            {"63.100.in-addr.arpa", type::ptr, Source::upstream, {}},
            {"64.100.in-addr.arpa", type::ptr, Source::companion, OwnAnswer::no_data},
            {"127.100.in-addr.arpa", type::ptr, Source::companion, OwnAnswer::no_data},
            {"128.100.in-addr.arpa", type::ptr, Source::upstream, {}},
            {"1.0.254.169.in-addr.arpa", type::ptr, Source::own, OwnAnswer::no_name},
            {"0.in-addr.arpa", type::ptr, Source::own, OwnAnswer::no_data},
            {"255.255.255.255.in-addr.arpa", type::ptr, Source::own, OwnAnswer::no_data},
            {"255.255.255.in-addr.arpa", type::ptr, Source::upstream, {}},
            {"1.2.0.192.in-addr.arpa", type::ptr, Source::companion, OwnAnswer::no_name},
            {"1.113.0.203.in-addr.arpa", type::ptr, Source::companion, OwnAnswer::no_name},
            {"1.100.51.198.in-addr.arpa", type::ptr, Source::companion, OwnAnswer::no_name},
            {"8.8.8.8.in-addr.arpa", type::ptr, Source::upstream, {}},
            {"10.8.8.8.in-addr.arpa", type::ptr, Source::upstream, {}},
            // Reverse, IPv6
            {v6_one.c_str(), type::ptr, Source::own, OwnAnswer::localhost},
            {v6_one.c_str(), type::a, Source::own, OwnAnswer::no_data},
            {below_v6_one.c_str(), type::ptr, Source::own, OwnAnswer::no_name},
            {v6_zero.c_str(), type::ptr, Source::own, OwnAnswer::no_data},
            {v6_one.c_str() + 2, type::ptr, Source::upstream, {}},
            {"1.d.f.ip6.arpa", type::ptr, Source::companion, OwnAnswer::no_name},
            {"c.f.ip6.arpa", type::ptr, Source::companion, OwnAnswer::no_data},
            {"e.f.ip6.arpa", type::ptr, Source::upstream, {}},
            {"0.8.e.f.ip6.arpa", type::ptr, Source::own, OwnAnswer::no_name},
            {"b.e.f.ip6.arpa", type::ptr, Source::own, OwnAnswer::no_data},
            {"c.e.f.ip6.arpa", type::ptr, Source::upstream, {}},
            {"1.8.b.d.0.1.0.0.2.ip6.arpa", type::ptr, Source::companion, OwnAnswer::no_name},
            {"9.b.d.0.1.0.0.2.ip6.arpa", type::ptr, Source::upstream, {}},
            {"0.f.f.f.3.ip6.arpa", type::ptr, Source::companion, OwnAnswer::no_data},
            {"1.f.f.f.3.ip6.arpa", type::ptr, Source::upstream, {}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CAPTURE(row.type);
            const Decision from_client = decide(names, row.name, row.type);
            CHECK(from_client.source == row.source);
            if (row.source == Source::own) CHECK(from_client.own == row.own);
            const Decision back = decide(names, row.name, row.type, true);
            if (row.source == Source::upstream) {
                CHECK(back.source == Source::upstream);
            } else {
                // Whoever asks, what is not upstream's never leaves the house, nor goes round.
                CHECK(back.source == Source::own);
                CHECK(back.own == row.own);
                (void)written(names, row.name, row.type);
            }
        }
    }

    TEST_CASE("without a companion its names don't exist") {
        Settings alone = settings();
        alone.companion.reset();
        const Names names(alone);
        CHECK(decide(names, "nas.lan").source == Source::own);
        CHECK(decide(names, "nas").own == OwnAnswer::no_name);
        CHECK(decide(names, "1.168.192.in-addr.arpa").own == OwnAnswer::no_name);
    }

    TEST_CASE("a domain of the house wins over a special name") {
        Settings with_test = settings();
        with_test.local_domains = {*parse_name("test"), *parse_name("corp.example")};
        const Names names(with_test);
        CHECK(decide(names, "a.test").source == Source::companion);
        CHECK(decide(names, "nas.corp.example").source == Source::companion);
        CHECK(decide(names, "xcorp.example").source == Source::upstream);
        CHECK(decide(names, "a.lan").source == Source::upstream);
    }

    TEST_CASE("without settings only the fixed tables speak") {
        const Names names;
        CHECK(decide(names, "example.org").source == Source::upstream);
        CHECK(decide(names, "localhost").own == OwnAnswer::loopback);
        CHECK(decide(names, "nas").own == OwnAnswer::no_name);
    }

    TEST_CASE("own answers are whole responses") {
        using Kind = dns::Answer::Kind;
        const Names names(settings());
        CHECK(written(names, "a.localhost", type::a).kind == Kind::positive);
        CHECK(written(names, "localhost", type::aaaa).ttl_count == 1);
        CHECK(written(names, "1.0.0.127.in-addr.arpa", type::ptr).kind == Kind::positive);
        CHECK(written(names, "cpe1.example.net", type::a).ttl_count == 1);
        const dns::Answer missing = written(names, "a.b.invalid", type::a);
        CHECK(missing.kind == Kind::no_name);
        CHECK(missing.ttl == std::chrono::hours(3));
        CHECK(written(names, "_dns.resolver.arpa", type::svcb).kind == Kind::no_data);
        CHECK(written(names, "nas.lan", type::a).ttl == std::chrono::seconds(60));
    }

    TEST_CASE("who asks for encrypted resolvers is told those of his link, or that there is none") {
        Settings with_links = settings();
        with_links.designations = {
            {"br-lan", {record(1, {}), record(2, 8853)}, with_links.addresses},
            {"br-guest", {record(1, {})}, {*parse_address("192.168.2.1")}},
            {"", {record(1, {})}, {}}};
        const Names names(with_links);
        for (const char* name : {"_dns.resolver.arpa", "_dns.cpe1.example.net"}) {
            CAPTURE(name);
            CHECK(told(names, name, "br-lan") ==
                  "1 Cpe1.Example.net. dot;2 Cpe1.Example.net. dot 8853;"
                  "cpe1.example.net. 192.168.1.1;cpe1.example.net. AAAA;");
            CHECK(told(names, name, "br-guest") ==
                  "1 Cpe1.Example.net. dot;cpe1.example.net. 192.168.2.1;");
            CHECK(told(names, name, "") == "1 Cpe1.Example.net. dot;");
            CHECK(told(names, name, "br-other") == "SOA;");
        }
        with_links.designations.back().records.clear();
        CHECK(told(Names(with_links), "_dns.resolver.arpa", "") == "SOA;");
        with_links.adn = {};
        CHECK(told(Names(with_links), "_dns.resolver.arpa", "br-lan") == "SOA;");
    }

    TEST_CASE("an own name without an address of a family has no data of it") {
        Settings only_v4 = settings();
        only_v4.addresses.pop_back();
        const Names names(only_v4);
        CHECK(written(names, "cpe1.example.net", type::aaaa).kind == dns::Answer::Kind::no_data);
    }

    TEST_CASE("browsers hear that they may choose another resolver, or that they may not") {
        Settings it = settings();
        const char* asked = "Use-Application-DNS.net";
        CHECK(lower(Names(it), asked).source == Source::upstream);
        it.application_dns = false;
        const Names names(it);
        for (const std::uint16_t of_type : {type::a, type::aaaa, type::https})
            CHECK(lower(names, asked, of_type) ==
                  Decision{Source::own, OwnAnswer::no_name, 20, 60});
        CHECK(written(names, "use-application-dns.net", type::a).kind ==
              dns::Answer::Kind::no_name);
        CHECK(decide(names, "www.use-application-dns.net").source == Source::upstream);
        CHECK(decide(names, "use-application-dns.com").source == Source::upstream);
    }

    TEST_CASE(
        "who asks what the resolver does is told, by its name and by the one it is found by") {
        const Names names(settings());
        for (const char* name : {"cpe1.example.net", "resolver.arpa"}) {
            CHECK(decide(names, name, type::resinfo).own == OwnAnswer::information);
            CHECK(written(names, name, type::resinfo).kind == dns::Answer::Kind::positive);
        }
        Writer out;
        const dns::Name name = *parse_name("resolver.arpa");
        names.write(out, name.wire(), type::resinfo, {Source::own, OwnAnswer::information});
        CHECK(text_of(out.view())
                  .ends_with("\x1a"
                             "exterr=3,15,18-19,22-23,29"));
        CHECK(decide(names, "a.resolver.arpa", type::resinfo).own == OwnAnswer::no_data);
        CHECK(decide(Names(), "resolver.arpa", type::resinfo).own == OwnAnswer::no_data);
    }

    TEST_CASE("names of any shape are decided within bounds") {
        const Names names(settings());
        Buffer longest;
        for (int i = 0; i < 127; ++i) longest.insert(longest.end(), {1, '0'});
        longest.push_back(0);
        CHECK(names.decide(longest, type::a, false).source == Source::upstream);
        std::string nibbles;
        for (int i = 0; i < 100; ++i) nibbles += "0.";
        CHECK(decide(names, (nibbles + "ip6.arpa").c_str()).own == OwnAnswer::no_name);
        CHECK(decide(names, (nibbles + "10.in-addr.arpa").c_str()).source == Source::companion);
    }
}

}  // namespace
}  // namespace porchlight::forwarder
