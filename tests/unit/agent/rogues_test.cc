#include "agent/rogues.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

const Clock::time_point begin = Clock::time_point(10000s);
const GuardPort lan3{"br-lan", "lan3", 7};
const GuardPort lan4{"br-lan", "lan4", 8};

net::MacAddress mac(std::uint8_t last) {
    return {{2, 0, 0x5e, 0x10, 0, last}};
}

dns::EncryptedResolver resolver(const char* adn, const char* address) {
    dns::EncryptedResolver one;
    one.adn = *dns::parse_name(adn);
    one.addresses = {*parse_address(address)};
    return one;
}

GuardFacts facts() {
    GuardFacts facts;
    facts.macs = {mac(1)};
    facts.addresses = {*parse_address("192.168.77.1"), *parse_address("fe80::1")};
    facts.planned = {resolver("cpe1.example.net", "192.168.77.1"),
                     resolver("dns.example.org", "192.0.2.53")};
    facts.links = {"br-lan"};
    return facts;
}

net::Frame frame(std::uint8_t from = 0x66, const char* address = "fe80::66") {
    net::Frame frame;
    frame.source = mac(from);
    frame.source_address = *parse_address(address);
    return frame;
}

ServerMessage message(std::vector<IpAddress> plain = {},
                      std::vector<dns::EncryptedResolver> encrypted = {}) {
    ServerMessage message;
    message.plain = std::move(plain);
    message.encrypted = std::move(encrypted);
    return message;
}

IpAddress address(const char* text) {
    return *parse_address(text);
}

std::vector<std::string> names(const Rogue& rogue) {
    std::vector<std::string> all;
    for (const StrangeResolver& one : rogue.resolvers) all.push_back(one.name);
    return all;
}

Rogue rogue(std::uint8_t from, Threat threat = Threat::server, const GuardPort& port = lan3) {
    Rogue one;
    one.link = port.link;
    one.port = port.port;
    one.mac = mac(from);
    one.threat = threat;
    return one;
}

TEST_SUITE("agent/rogues") {
    TEST_CASE("who sends others to a resolver that is not planned is the worst") {
        const auto judged = judge(frame(), message({address("192.0.2.66")}), lan3, facts());
        REQUIRE(judged);
        CHECK(judged->threat == Threat::resolver);
        CHECK(names(*judged) == std::vector<std::string>{"192.0.2.66"});
        CHECK(judged->port == "lan3");
        CHECK(!judged->as_this_router);
        const auto named =
            judge(frame(), message({}, {resolver("rogue.example", "192.0.2.66")}), lan3, facts());
        REQUIRE(named);
        CHECK(names(*named) == std::vector<std::string>{"rogue.example at 192.0.2.66"});
        CHECK(sentence(*named) ==
              "A device on port lan3 of br-lan (02:00:5e:10:00:66) tells hosts of another resolver "
              "by Router Advertisement: rogue.example at 192.0.2.66");
    }

    TEST_CASE("who tells of this home's resolvers is still no server of this home") {
        for (const ServerMessage& told :
             {message(), message({address("192.168.77.1"), address("192.0.2.53")}),
              message({address("fe80::1")}),
              message({}, {resolver("CPE1.example.net", "fe80::1")})}) {
            const auto judged = judge(frame(), told, lan3, facts());
            REQUIRE(judged);
            CHECK(judged->threat == Threat::server);
        }
        // By its name, but elsewhere: hosts could not prove it, and would be without.
        const auto elsewhere = judge(
            frame(), message({}, {resolver("cpe1.example.net", "192.0.2.66")}), lan3, facts());
        REQUIRE(elsewhere);
        CHECK(elsewhere->threat == Threat::resolver);
        // Another's name at this router; and this router's, but one of two addresses elsewhere.
        const auto renamed = resolver("rogue.example", "192.168.77.1");
        CHECK(judge(frame(), message({}, {renamed}), lan3, facts())->threat == Threat::resolver);
        auto half = resolver("cpe1.example.net", "192.168.77.1");
        half.addresses.push_back(address("192.0.2.66"));
        CHECK(judge(frame(), message({}, {half}), lan3, facts())->threat == Threat::resolver);
    }

    TEST_CASE("a network beside this one is no threat, unless it comes with a resolver") {
        ServerMessage beside = message();
        beside.leads_away = false;
        CHECK(judge(frame(), beside, lan3, facts())->threat == Threat::beside);
        beside.plain = {address("192.0.2.66")};
        CHECK(judge(frame(), beside, lan3, facts())->threat == Threat::resolver);
        // With the address of this router it takes its route away.
        beside.plain.clear();
        const auto farewell = judge(frame(0x66, "fe80::1"), beside, lan3, facts());
        CHECK(farewell->threat == Threat::server);
        CHECK(farewell->as_this_router);
        CHECK(sentence(*farewell).find("uses this router's address and acts as a router") !=
              std::string::npos);
    }

    TEST_CASE("this router's own words that a loop brings back are nobody's") {
        CHECK(!judge(frame(1), message({address("192.168.77.1")}), lan3, facts()));
        CHECK(!judge(frame(1), message(), lan3, facts()));
        const auto forged = judge(frame(1), message({address("192.0.2.66")}), lan3, facts());
        REQUIRE(forged);
        CHECK(forged->as_this_router);
    }

    TEST_CASE("who is trusted is not judged") {
        GuardFacts trusting = facts();
        trusting.trusted_macs = {mac(0x66)};
        CHECK(!judge(frame(), message({address("192.0.2.66")}), lan3, trusting));
        CHECK(judge(frame(0x67), message({address("192.0.2.66")}), lan3, trusting));
    }

    TEST_CASE("a message tells of no more resolvers than are shown, each once") {
        std::vector<IpAddress> many;
        for (std::uint8_t i = 0; i < 100; ++i) many.push_back(Ipv4{{192, 0, 2, i}});
        many.insert(many.begin(), many.front());
        const auto judged = judge(frame(), message(many), lan3, facts());
        CHECK(judged->resolvers.size() == Rogue::resolvers_max);
        CHECK(judged->resolvers[1].name == "192.0.2.1");
        auto wide = resolver("rogue.example", "192.0.2.1");
        wide.addresses = many;
        CHECK(judge(frame(), message({}, {wide}), lan3, facts())->resolvers[0].name ==
              "rogue.example at 192.0.2.0, 192.0.2.0, 192.0.2.1, 192.0.2.2, ...");
    }

    TEST_CASE("one who goes on is news once, and again when it does worse") {
        Rogues rogues;
        Rogue* news = rogues.note(rogue(0x66), begin);
        REQUIRE(news != nullptr);
        // As long as nobody told of it, it is news.
        news = rogues.note(rogue(0x66), begin + 1s);
        REQUIRE(news != nullptr);
        news->told = true;
        CHECK(rogues.note(rogue(0x66), begin + 2s) == nullptr);
        Rogue worse = rogue(0x66, Threat::resolver);
        worse.resolvers = {{"rogue.example"}};
        news = rogues.note(worse, begin + 3s);
        REQUIRE(news != nullptr);
        news->told = true;
        CHECK(rogues.note(worse, begin + 4s) == nullptr);
        worse.resolvers = {{"other.example"}};
        news = rogues.note(worse, begin + 5s);
        REQUIRE(news != nullptr);
        news->told = true;
        Rogue as_us = rogue(0x66);
        as_us.as_this_router = true;
        CHECK(rogues.note(as_us, begin + 6s) != nullptr);
        const auto standing = rogues.standing(begin + 6s);
        REQUIRE(standing.size() == 1);
        CHECK(standing[0].messages == 7);
        CHECK(standing[0].threat == Threat::resolver);
        CHECK(standing[0].as_this_router);
        CHECK(standing[0].first_seen == begin);
        CHECK(names(standing[0]) == std::vector<std::string>{"rogue.example", "other.example"});
    }

    TEST_CASE("a worse threat alone is news, and so is who comes back after an hour") {
        Rogues rogues;
        rogues.note(rogue(0x66, Threat::beside), begin)->told = true;
        Rogue* news = rogues.note(rogue(0x66, Threat::server), begin + 1s);
        REQUIRE(news != nullptr);
        news->told = true;
        CHECK(rogues.note(rogue(0x66, Threat::beside), begin + 2s) == nullptr);
        news = rogues.note(rogue(0x66, Threat::server), begin + 2h);
        REQUIRE(news != nullptr);
        CHECK(news->first_seen == begin + 2h);
    }

    TEST_CASE("who matters least makes room, not who was silent for longest") {
        Rogues rogues;
        rogues.note(rogue(0x60, Threat::resolver), begin);
        for (std::uint8_t i = 1; i < Rogues::per_port_max; ++i)
            rogues.note(rogue(i, Threat::server), begin + std::chrono::seconds(i));
        CHECK(rogues.note(rogue(0x66, Threat::server), begin + 60s) != nullptr);
        CHECK(rogues.standing(begin + 60s)[0].mac == mac(0x60));
    }

    TEST_CASE("its resolvers are bounded") {
        Rogues rogues;
        for (int i = 0; i < 100; ++i) {
            Rogue one = rogue(0x66, Threat::resolver);
            one.resolvers = {{std::to_string(i)}};
            if (Rogue* news = rogues.note(one, begin)) news->told = true;
        }
        CHECK(rogues.standing(begin)[0].resolvers.size() == Rogue::resolvers_max);
    }

    TEST_CASE("another port, address or way is another entry; an hour's silence ends one") {
        Rogues rogues;
        rogues.note(rogue(0x66), begin);
        rogues.note(rogue(0x66, Threat::server, lan4), begin + 10s);
        rogues.note(rogue(0x67, Threat::resolver), begin + 20s);
        Rogue dhcp = rogue(0x66);
        dhcp.kind = ServerKind::dhcpv4;
        rogues.note(dhcp, begin + 30s);
        CHECK(rogues.standing(begin + 30s).size() == 4);
        CHECK(rogues.standing(begin + 30s)[0].mac == mac(0x67));
        CHECK(rogues.standing(begin + 3599s).size() == 4);
        CHECK(rogues.standing(begin + 3600s).size() == 3);
        rogues.note(rogue(0x68), begin + 3700s);
        CHECK(rogues.standing(begin + 3700s).size() == 1);
    }

    TEST_CASE("a flood at one port costs a bounded memory and hides nobody") {
        Rogues rogues;
        rogues.note(rogue(0x66, Threat::server, lan4), begin);
        rogues.note(rogue(0x67, Threat::resolver), begin);
        for (int i = 0; i < 1000; ++i) {
            Rogue forged = rogue(0);
            forged.mac.octets[3] = static_cast<std::uint8_t>(i >> 8);
            forged.mac.octets[4] = static_cast<std::uint8_t>(i);
            rogues.note(forged, begin + std::chrono::seconds(1 + i));
        }
        const auto standing = rogues.standing(begin + 1000s);
        CHECK(standing.size() == Rogues::per_port_max + 1);
        CHECK(standing[0].mac == mac(0x67));
        CHECK(std::any_of(standing.begin(), standing.end(),
                          [](const Rogue& one) { return one.port == "lan4"; }));
        // Where all are worse, there is no room.
        Rogues full;
        for (std::uint8_t i = 0; i < Rogues::per_port_max; ++i)
            full.note(rogue(i, Threat::resolver), begin);
        CHECK(full.note(rogue(0x66), begin) == nullptr);
        CHECK(full.note(rogue(0x66, Threat::resolver), begin + 1s) != nullptr);
    }

    TEST_CASE("many ports cost a bounded memory too") {
        Rogues rogues;
        for (int i = 0; i < 2000; ++i)
            rogues.note(rogue(0x66, Threat::server, {"br-lan", "veth" + std::to_string(i), 1}),
                        begin);
        CHECK(rogues.standing(begin).size() == Rogues::rogues_max);
    }

    TEST_CASE("who is trusted now is forgotten") {
        Rogues rogues;
        rogues.note(rogue(0x66), begin);
        rogues.note(rogue(0x67), begin);
        rogues.note(rogue(0x68, Threat::server, lan4), begin);
        GuardFacts trusting = facts();
        rogues.judge_again(trusting);
        CHECK(rogues.standing(begin).size() == 3);
        trusting.trusted_ports = {"lan4"};
        trusting.trusted_macs = {mac(0x66)};
        rogues.judge_again(trusting);
        REQUIRE(rogues.standing(begin).size() == 1);
        CHECK(rogues.standing(begin)[0].mac == mac(0x67));
    }

    TEST_CASE("whose resolver is planned now is no longer taken for worse than he is") {
        Rogues rogues;
        auto wide = resolver("late.example", "192.0.2.1");
        wide.addresses.assign(Rogue::addresses_max + 1, address("192.0.2.54"));
        ServerMessage beside = message({address("192.0.2.54")});
        beside.leads_away = false;
        const auto late = resolver("late.example", "192.0.2.54");
        const auto note = [&](std::uint8_t from, const ServerMessage& told, GuardFacts by) {
            rogues.note(*judge(frame(from), told, lan3, by), begin);
        };
        note(0x66, message({}, {late}), facts());
        note(0x67, beside, facts());
        note(0x68, message({address("192.0.2.54"), address("192.0.2.66")}), facts());
        note(0x69, message({}, {wide}), facts());
        note(1, message({}, {late}), facts());  // what this router says now, heard too early
        const auto threats = [&] {
            std::string text;
            for (const Rogue& one : rogues.standing(begin))
                text += net::to_text(one.mac).substr(15) + " " + threat_name(one.threat) + "; ";
            return text;
        };
        rogues.judge_again(facts());
        CHECK(threats() == "66 resolver; 67 resolver; 68 resolver; 69 resolver; 01 resolver; ");
        GuardFacts now = facts();
        now.planned.push_back(late);
        rogues.judge_again(now);
        CHECK(threats() == "68 resolver; 69 resolver; 66 server; 67 beside; ");
        CHECK(names(rogues.standing(begin)[0]) == std::vector<std::string>{"192.0.2.66"});
    }

    TEST_CASE("what was heard on a link that is no more the home's is forgotten") {
        Rogues rogues;
        rogues.note(rogue(0x66), begin);
        GuardFacts now = facts();
        rogues.judge_again(now);
        CHECK(rogues.standing(begin).size() == 1);
        now.links = {"br-guest"};
        rogues.judge_again(now);
        CHECK(rogues.standing(begin).empty());
    }

    TEST_CASE("people read who it is and what it does") {
        Rogue one = rogue(0x66);
        one.port = one.link = "eth1";
        CHECK(sentence(one) ==
              "A device on eth1 (02:00:5e:10:00:66) acts as a router of this home, "
              "by Router Advertisement");
        one.kind = ServerKind::dhcpv6;
        CHECK(sentence(one).ends_with("acts as a DHCPv6 server of this home"));
        one.kind = ServerKind::dhcpv4;
        CHECK(sentence(one).ends_with("acts as a DHCPv4 server of this home"));
        one.kind = ServerKind::hidden;
        CHECK(sentence(one).find("fragments that hide") != std::string::npos);
        one.kind = ServerKind::advertisement;
        one.threat = Threat::beside;
        CHECK(sentence(one).find("a network beside this one") != std::string::npos);
        CHECK(threat_name(Threat::beside) == "beside");
        CHECK(threat_name(Threat::server) == "server");
        CHECK(threat_name(Threat::resolver) == "resolver");
    }
}

}  // namespace
}  // namespace porchlight::agent
