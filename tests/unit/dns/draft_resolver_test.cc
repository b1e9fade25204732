#include "dns/draft_resolver.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::dns {
namespace {

using std::chrono::seconds;

const Name a = *parse_name("a.example");
const Name b = *parse_name("b.example");
const IpAddress one = *parse_ipv6("2001:db8::1");
const IpAddress two = *parse_ipv6("2001:db8::2");
const IpAddress four = *parse_ipv4("192.0.2.53");
constexpr std::uint8_t dot = draft_dot, doh = draft_doh, doq = draft_doq;

DraftName name(const Name& adn, int flags) {
    return {static_cast<std::uint8_t>(flags), adn, {}};
}

DraftAddresses at(const IpAddress& address, int flags, std::uint16_t port = 0) {
    return {static_cast<std::uint8_t>(flags), port, {address}, {}};
}

DraftResolver whole(const Name& adn, const IpAddress& address, int flags, std::uint16_t port = 0) {
    return {adn, static_cast<std::uint8_t>(flags), port, {address}, {}, {}};
}

DraftResolver alone(const Name& adn, int flags) {
    return {adn, static_cast<std::uint8_t>(flags), 0, {}, {}, {}};
}

DraftResolver nameless(const IpAddress& address, int flags) {
    return {{}, static_cast<std::uint8_t>(flags), 0, {address}, {}, {}};
}

using Resolvers = std::vector<DraftResolver>;

Resolvers put_together(std::vector<DraftName> names, std::vector<DraftAddresses> addresses,
                       std::vector<std::string> templates = {}) {
    return paired(names, addresses, templates);
}

EncryptedResolver resolver(std::uint16_t priority, std::vector<std::string> alpn,
                           std::vector<IpAddress> addresses) {
    SvcParams params;
    params.alpn = std::move(alpn);
    if ((flags_of(params.alpn) & draft_doh) != 0) params.dohpath = "/dns-query{?dns}";
    return {priority, a, std::move(addresses), params};
}

TEST_SUITE("dns/draft_resolver") {
    TEST_CASE("draft section 4.1: a name and addresses of equal flags belong together") {
        CHECK(put_together({name(a, dot), name(b, doh)}, {at(two, doh), at(one, dot, 8853)}) ==
              Resolvers{whole(a, one, dot, 8853), whole(b, two, doh)});
    }

    TEST_CASE("draft section 4.1: of several with equal flags the first goes with the first") {
        CHECK(put_together({name(a, dot), name(b, dot)}, {at(one, dot), at(two, dot)}) ==
              Resolvers{whole(a, one, dot), whole(b, two, dot)});
    }

    TEST_CASE("equal flags go before overlapping ones, wherever they stand") {
        CHECK(
            put_together({name(a, dot | doh), name(b, dot)}, {at(two, dot), at(one, dot | doh)}) ==
            Resolvers{whole(a, one, dot | doh), whole(b, two, dot)});
    }

    TEST_CASE("one name has its protocols at several addresses") {
        CHECK(put_together({name(a, dot | doh)}, {at(one, dot), at(two, doh, 8443)}) ==
              Resolvers{whole(a, one, dot), whole(a, two, doh, 8443)});
    }

    TEST_CASE("one list of addresses serves the protocols of several names") {
        CHECK(put_together({name(a, dot), name(b, doh)}, {at(one, dot | doh)}) ==
              Resolvers{whole(a, one, dot), whole(b, one, doh)});
    }

    TEST_CASE("an address is used once: a name that finds none left stands alone") {
        CHECK(put_together({name(a, dot), name(b, dot)}, {at(one, dot)}) ==
              Resolvers{whole(a, one, dot), alone(b, dot)});
        CHECK(put_together({name(a, dot | doq)}, {at(one, dot)}) ==
              Resolvers{whole(a, one, dot), alone(a, doq)});
        CHECK(put_together({name(a, dot)}, {at(one, doq)}) ==
              Resolvers{alone(a, dot), nameless(one, doq)});
        CHECK(
            put_together({name(a, dot | doh), name(b, dot)}, {at(one, dot), at(two, dot | doq)}) ==
            Resolvers{whole(a, two, dot), alone(a, doh), whole(b, one, dot), nameless(two, doq)});
        CHECK(put_together({}, {}).empty());
    }

    TEST_CASE("draft section 4.3: a name has several options of addresses") {
        CHECK(put_together({name(a, dot)}, {at(one, dot), at(two, dot, 8853)}) ==
              Resolvers{whole(a, one, dot), whole(a, two, dot, 8853)});
        CHECK(put_together({name(a, dot), name(b, doh)},
                           {at(one, dot), at(two, doh), at(four, dot | doh), at(two, dot)}) ==
              Resolvers{whole(a, one, dot), whole(a, four, dot), whole(a, two, dot),
                        whole(b, two, doh), whole(b, four, doh)});
    }

    TEST_CASE("names that lack addresses come before those that have some") {
        CHECK(put_together({name(a, dot), name(b, dot)}, {at(one, dot | doh), at(two, dot)}) ==
              Resolvers{whole(a, two, dot), whole(b, one, dot), nameless(one, doh)});
    }

    TEST_CASE("a name outlives addresses that are taken back") {
        const auto with_lifetimes = [](int of_name, std::vector<std::pair<IpAddress, int>> found) {
            std::vector<DraftAddresses> addresses;
            for (const auto& [address, lifetime] : found)
                addresses.push_back({dot, 0, {address}, seconds(lifetime)});
            return paired(std::vector<DraftName>{{dot, a, seconds(of_name)}}, addresses);
        };
        const DraftResolver old{a, dot, 0, {one}, {}, seconds(0)};
        const DraftResolver adn_only{a, dot, 0, {}, {}, seconds(1800)};
        const DraftResolver fresh{a, dot, 0, {two}, {}, seconds(600)};
        CHECK(with_lifetimes(1800, {{one, 0}}) == Resolvers{old, adn_only});
        CHECK(with_lifetimes(1800, {{one, 0}, {two, 600}}) == Resolvers{fresh, old});
        CHECK(with_lifetimes(0, {{one, 0}}) == Resolvers{old});
        CHECK(with_lifetimes(0, {{one, 600}}) == Resolvers{old});
        CHECK(*why_not_usable(old) == "withdrawn");
        CHECK(!why_not_usable(fresh));
        CHECK(resolvers_of(Resolvers{old, fresh}) ==
              std::vector{EncryptedResolver{1, a, {two}, resolver(1, {"dot"}, {}).params}});
    }

    TEST_CASE("of two lifetimes the shorter counts") {
        for (const auto& [of_name, of_addresses] : {std::pair{600, 1800}, {1800, 600}}) {
            const auto all = put_together({{dot, a, seconds(of_name)}},
                                          {{dot, 0, {one}, seconds(of_addresses)}});
            REQUIRE(all.size() == 1);
            CHECK(all.front().lifetime == seconds(600));
        }
        CHECK(put_together({{dot, a, seconds(60)}}, {}).front().lifetime == seconds(60));
        CHECK(put_together({}, {{dot, 0, {one}, seconds(60)}}).front().lifetime == seconds(60));
    }

    TEST_CASE("draft section 5: a template goes to the DoH resolver of its host and port") {
        const auto all = put_together(
            {name(b, doh), name(a, dot | doh), name(a, doh)},
            {at(one, doh), at(one, dot | doh), at(two, doh, 8443)},
            {"https://a.example/one{?dns}", "https://A.example:443/two{?dns}",
             "https://a.example:8443/three{?dns}", "https://c.example/{?dns}", "ftp://a.example/"});
        REQUIRE(all.size() == 4);
        CHECK(all[0].templates.empty());
        CHECK(all[1].templates == std::vector<std::string>{"https://a.example/one{?dns}",
                                                           "https://A.example:443/two{?dns}"});
        CHECK(all[2].templates == std::vector<std::string>{"https://a.example:8443/three{?dns}"});
        CHECK(!all[3].adn);
        CHECK(all[3].templates ==
              std::vector<std::string>{"https://c.example/{?dns}", "ftp://a.example/"});
        CHECK(put_together({name(a, dot)}, {at(one, dot)}, {"https://a.example/{?dns}"}).size() ==
              2);
    }

    TEST_CASE("what has no name can't be authenticated, and says so") {
        CHECK(*why_not_usable(nameless(one, dot)) == "no name goes with it");
        CHECK(!why_not_usable(alone(a, dot)));
        CHECK(*why_not_usable(alone(*parse_name("192.0.2.53"), dot)) ==
              "its name reads as an address");
        CHECK(!why_not_usable(whole(a, one, doh)));
        CHECK(!why_not_usable(whole(a, one, doh, 8443)));
        CHECK(*why_not_usable(whole(a, one, doh, 25)) ==
              "port 25 is one that clients refuse to connect to");
    }

    TEST_CASE("received resolvers become RFC 9463's, in their order") {
        DraftResolver many = whole(b, one, dot | doh | doq, 8853);
        many.templates = {"https://b.example:8853/one{?dns}", "https://b.example:8853/two{?dns}"};
        const auto all = resolvers_of(Resolvers{nameless(two, dot), whole(a, one, dot | doh), many,
                                                alone(a, doq), whole(a, two, doh)});
        REQUIRE(all.size() == 5);
        CHECK(all[0] == EncryptedResolver{1, a, {one}, [] {
                                              SvcParams params;
                                              params.alpn = {"dot"};  // no path for DoH
                                              return params;
                                          }()});
        CHECK(all[1].priority == 2);
        CHECK(all[1].params.alpn == std::vector<std::string>{"dot", "h2", "doq"});
        CHECK(all[1].params.port == 8853);
        CHECK(all[1].params.dohpath == "/one{?dns}");
        CHECK(!why_not_usable(all[1]));
        CHECK(all[2].priority == 3);
        CHECK(all[2].params.alpn == std::vector<std::string>{"h2"});
        CHECK(all[2].params.port == 8853);
        CHECK(all[2].params.dohpath == "/two{?dns}");
        CHECK(is_adn_only(all[3]));
        CHECK(*why_not_usable(all[4]) == "HTTP in alpn without a dohpath");
    }

    TEST_CASE("more resolvers than priorities share the last one") {
        const auto all = resolvers_of(Resolvers(65537, alone(a, dot)));
        CHECK(all[65534].priority == 65535);
        CHECK(all[65536].priority == 65535);
    }

    TEST_CASE("resolvers become offers by priority, with the addresses of one family") {
        const std::vector some{resolver(2, {"doq"}, {one, four}),
                               resolver(1, {"dot"}, {four, two})};
        const auto six = draft_offers<Ipv6>(some);
        REQUIRE(six.offers.size() == 2);
        CHECK(six.offers[0].priority == 1);
        CHECK(six.offers[0].resolver == whole(a, two, dot));
        CHECK(six.offers[1].resolver == whole(a, one, doq));
        CHECK(six.left_out.empty());
        CHECK(draft_offers<Ipv4>(some).offers[0].resolver == whole(a, four, dot | doq));
    }

    TEST_CASE("the flags that alpn stands for") {
        CHECK(flags_of(std::vector<std::string>{"dot"}) == dot);
        for (const char* id : {"h2", "h3", "http/1.1"})
            CHECK(flags_of(std::vector<std::string>{id}) == doh);
        CHECK(flags_of(std::vector<std::string>{"doq", "spdy"}) == doq);
        CHECK(flags_of({}) == 0);
        for (std::uint8_t flags = 0; flags < 8; ++flags) CHECK(flags_of(alpn_of(flags)) == flags);
    }

    TEST_CASE("draft section 4.1: what differs in protocol or template only is one resolver") {
        EncryptedResolver second = resolver(2, {"h2"}, {one});
        EncryptedResolver third = resolver(3, {"h3"}, {one});
        third.params.dohpath = "/filtered{?dns}";
        EncryptedResolver elsewhere = resolver(4, {"doq"}, {one});
        elsewhere.params.port = 8853;
        EncryptedResolver other = resolver(5, {"doq"}, {one});
        other.adn = b;
        const auto found = draft_offers<Ipv6>(
            std::vector{resolver(1, {"dot"}, {one}), second, third, elsewhere, other,
                        resolver(6, {"h2"}, {one}), resolver(7, {"dot"}, {two})});
        REQUIRE(found.offers.size() == 4);
        CHECK(found.offers[0].resolver.flags == (dot | doh));
        CHECK(found.offers[0].resolver.templates ==
              std::vector<std::string>{"https://a.example/dns-query{?dns}",
                                       "https://a.example/filtered{?dns}"});
        CHECK(found.offers[1].resolver == whole(a, one, doq, 8853));
        CHECK(found.offers[2].resolver == whole(b, one, doq));
        CHECK(found.offers[3].resolver == whole(a, two, dot));
    }

    TEST_CASE("what the draft can't tell of is left out and named") {
        EncryptedResolver adn_only{1, a, {}, {}};
        const auto found = draft_offers<Ipv6>(
            std::vector{adn_only, resolver(2, {"dot"}, {four}), resolver(3, {"spdy"}, {one}),
                        resolver(4, {"dot"}, {*parse_ipv6("ff02::1")})});
        CHECK(found.offers.empty());
        REQUIRE(found.left_out.size() == 4);
        CHECK(found.left_out[0] == LeftOut{1, a, "this form can't tell of a name alone"});
        CHECK(found.left_out[1].why == "it has no address of this family that hosts could use");
        CHECK(found.left_out[2].why == "no protocol in alpn is known");
        CHECK(found.left_out[3].why == "it has no address of this family that hosts could use");
    }

    TEST_CASE("a template is taken apart and put together") {
        const DohTemplate plain{a, 443, "/dns-query{?dns}"};
        CHECK(parse_doh_template("https://a.example/dns-query{?dns}") == plain);
        CHECK(parse_doh_template(doh_template(a, 0, plain.path)) == plain);
        CHECK(doh_template(a, 8443, "/{?dns}") == "https://a.example:8443/{?dns}");
        CHECK(parse_doh_template("https://a.example:8443/{?dns}")->port == 8443);
        CHECK(parse_doh_template("HTTPS://A.Example/dns-query{?dns}") == plain);
        for (const char* bad :
             {"", "https:/", "/dns-query{?dns}", "http://a.example/{?dns}",
              "ftps:///a.example/{?dns}", "https:///{?dns}", "https://a.example",
              "https://a.example/", "https://a.example:/{?dns}", "https://a.example:0/{?dns}",
              "https://a.example:65536/{?dns}", "https://a.example:8x/{?dns}",
              "https://user@a.example/{?dns}", "https://./{?dns}", "https://[2001:db8::1]/{?dns}",
              "https://a..example/{?dns}"}) {
            CAPTURE(bad);
            CHECK(!parse_doh_template(bad));
        }
    }

    TEST_CASE("Figure 8: unassigned flags are ignored, but one known flag is set") {
        const auto read = [](const Buffer& octets) {
            Reader in(octets);
            const std::uint8_t flags = read_draft_flags(in);
            return in.failed() ? -1 : flags;
        };
        CHECK(read(hex("05")) == (dot | doq));
        CHECK(read(hex("fa")) == doh);
        CHECK(read(hex("00")) == -1);
        CHECK(read(hex("f8")) == -1);
        CHECK(read({}) == -1);
    }
}

}  // namespace
}  // namespace porchlight::dns
