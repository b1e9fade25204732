#include "agent/entries.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

AnnouncedResolver resolver(const char* adn) {
    AnnouncedResolver one;
    one.adn = *dns::parse_name(adn);
    one.addresses = {*parse_address("192.0.2.53")};
    return one;
}

/// "1 dot,h2 /q" or "2 dot:8853": priority, protocols, port, path.
std::string text_of(const std::vector<dns::EncryptedResolver>& whole) {
    std::string text;
    for (const auto& entry : whole) {
        text += (text.empty() ? "" : "; ") + std::to_string(entry.priority) + " ";
        for (const std::string& alpn : entry.params.alpn)
            text += (alpn == entry.params.alpn.front() ? "" : ",") + alpn;
        if (entry.params.port) text += ":" + std::to_string(*entry.params.port);
        if (entry.params.dohpath) text += " " + *entry.params.dohpath;
    }
    return text;
}

TEST_SUITE("agent/entries") {
    TEST_CASE("protocols at their default ports share an entry without a port") {
        AnnouncedResolver one = resolver("a.example");
        one.dot = 853;
        one.doq = 853;
        one.doh = {{443, "/q{?dns}", {"h2", "h3"}}};
        CHECK(text_of(entries(std::vector{one})) == "1 dot,doq,h2,h3 /q{?dns}");
    }

    TEST_CASE("RFC 9461 section 4.2: a port holds for the whole entry, so others need another") {
        AnnouncedResolver one = resolver("a.example");
        one.dot = 853;
        one.doq = 8853;
        one.doh = {{8443, "/q{?dns}", {"h2"}}};
        CHECK(text_of(entries(std::vector{one})) == "1 dot; 2 doq:8853; 3 h2:8443 /q{?dns}");
    }

    TEST_CASE("protocols at the same other port share an entry") {
        AnnouncedResolver one = resolver("a.example");
        one.dot = 8853;
        one.doq = 8853;
        CHECK(text_of(entries(std::vector{one})) == "1 dot,doq:8853");
    }

    TEST_CASE("each further path is an entry of its own") {
        AnnouncedResolver one = resolver("a.example");
        one.dot = 853;
        one.doh = {{443, "/a{?dns}", {"h2"}}, {443, "/b{?dns}", {"h2"}}};
        CHECK(text_of(entries(std::vector{one})) == "1 dot,h2 /a{?dns}; 2 h2 /b{?dns}");
    }

    TEST_CASE("priorities count on, and a given one begins anew") {
        AnnouncedResolver first = resolver("a.example");
        first.dot = 853;
        first.doh = {{8443, "/a{?dns}", {"h2"}}};
        AnnouncedResolver second = resolver("b.example");
        second.dot = 853;
        AnnouncedResolver third = resolver("c.example");
        third.dot = 853;
        third.priority = 1;
        const auto whole = entries(std::vector{first, second, third});
        CHECK(text_of(whole) == "1 dot; 1 dot; 2 h2:8443 /a{?dns}; 3 dot");
        CHECK(whole[0].adn == first.adn);
        CHECK(whole[1].adn == third.adn);
    }

    TEST_CASE("priorities end at 65535") {
        AnnouncedResolver last = resolver("a.example");
        last.dot = 853;
        last.doq = 8853;
        last.priority = 65535;
        CHECK(text_of(entries(std::vector{last})) == "65535 dot; 65535 doq:8853");
    }

    TEST_CASE("a name alone is an entry that hosts look the rest up for") {
        AnnouncedResolver one = resolver("a.example");
        one.addresses.clear();
        const auto whole = entries(std::vector{one});
        REQUIRE(whole.size() == 1);
        CHECK(dns::is_adn_only(whole[0]));
    }
}

}  // namespace
}  // namespace porchlight::agent
