#include "agent/config_check.h"

#include "config_fixture.h"

namespace porchlight::agent {
namespace {

/// The complaint about `json` as the only thing that a configuration says.
std::string only(std::string_view json) {
    return complaints(json);
}

TEST_SUITE("agent/config_check") {
    TEST_CASE("a complaint says place, what was expected and what was found") {
        const auto result = parse(R"({"resolver": {"adn": "a.example", "dot": {"port": "853"}}})");
        REQUIRE(result.complaints.size() == 1);
        CHECK(to_text(result.complaints[0]) ==
              "porchlight.json#/resolver/dot/port: expected an integer from 1 to 65535, found "
              "\"853\"");
    }

    TEST_CASE("everything that is wrong is told at once") {
        CHECK(only(R"({"mode": 1, "lan": [{}], "upstream": [{"addresses": []}], "workers": 0})") ==
              "/mode: expected one of \"auto\", \"relay\", \"forwarder\", \"static\", \"off\", "
              "found 1\n"
              "/lan/0/interface: missing; the name of an interface, such as \"br-lan\"\n"
              "/upstream/0/addresses: expected a list of 1 to 8 elements, or its only element, "
              "found an empty list\n"
              "/upstream/0/adn: missing; a strict upstream needs the name on its certificate\n"
              "/workers: expected an integer from 1 to 64, found 0\n");
    }

    TEST_CASE("an unknown key is told with the one that was meant") {
        CHECK(only(R"({"announce": {"dhcpv5": "off"}})") ==
              "/announce/dhcpv5: unknown key; did you mean \"dhcpv4\"?\n");
        CHECK(only(R"({"upstreams": []})") ==
              "/upstreams: unknown key; did you mean \"upstream\"?\n");
        CHECK(only(R"({"cahce": {}})") == "/cahce: unknown key; did you mean \"cache\"?\n");
    }

    TEST_CASE("an unknown key that is near to none is told with all there are") {
        CHECK(only(R"({"log": {"colour": 1}})") ==
              "/log/colour: unknown key; known here: level, target\n");
        CHECK(only(R"({"log": {"": 1}})") == "/log/: unknown key; known here: level, target\n");
        CHECK(only("{\"log\": {\"" + std::string(70000, 'x') + "\": 1}}")
                  .ends_with(": unknown key; known here: level, target\n"));
    }

    TEST_CASE("the root must be an object") {
        CHECK(only("[]") == ": expected an object, found an empty list\n");
        CHECK(only("null") == ": expected an object, found null\n");
    }

    TEST_CASE("what is found is cut where it is long") {
        const std::string found = only("{\"workers\": \"" + std::string(5000, 'x') + "\"}");
        CHECK(found.size() < 200);
        CHECK(found.ends_with("xxx...\n"));
    }

    TEST_CASE("a secret that stands where its file should is not repeated") {
        for (std::string_view given :
             {R"("hunter2")", R"({"file": "hunter2"})", R"({"hunter2": {"file": 1}})",
              R"({"file": {"hunter2": 1}})", R"(["hunter2"])", "[{\"file\": \"hunter2\"}]"}) {
            CAPTURE(given);
            const std::string text = with(full_config, R"({"file": "/tmp/tsig.key"})", given);
            const std::string said = complaints(text);
            CHECK(said.find("/tsig/secret") != std::string::npos);
            const bool as_key = given.find("\"hunter2\":") != given.npos;
            if (!as_key) CHECK(said.find("hunter2") == std::string::npos);
        }
        CHECK(complaints(with(full_config, R"({"file": "/tmp/tsig.key"})", R"("hunter2")")) ==
              std::string(tsig_secret_pointer) +
                  ": expected {\"file\": path}, found text, which is not shown\n");
    }

    TEST_CASE("each type refuses what is nearly one") {
        const auto refused = [](std::string_view section) {
            CAPTURE(section);
            CHECK(complaints("{" + std::string(section) + "}").find("expected") !=
                  std::string::npos);
        };
        for (std::string_view port : {"0", "65536", "-1", "853.0", "8.53e2", "true", "null"})
            refused(R"("resolver": {"adn": "a.example", "dot": {"port": )" + std::string(port) +
                    "}}");
        for (std::string_view adn : {"", ".", "a..b", "-a.example", "a b", "*.example", "a/b"})
            refused(R"("resolver": {"adn": ")" + std::string(adn) + "\"}");
        for (std::string_view interface : {"", ".", "..", "a/b", "a b", "a:b", "sixteen-letters-"})
            refused(R"("lan": [{"interface": ")" + std::string(interface) + "\"}]");
        for (std::string_view interval : {"", "600", "3s", "31min", "4500ms", "10 min", "-5s"})
            refused(R"("announce": {"ra_interval": ")" + std::string(interval) + "\"}");
        for (std::string_view path : {"", "/", "relative", "./a", "/a/", "/a\\nb"})
            refused(R"("state_directory": ")" + std::string(path) + '"');
        for (std::string_view size : {"", "8", "8mib", "255KiB", "3GiB"})
            refused(R"("cache": {"size": ")" + std::string(size) + "\"}");
        for (std::string_view server : {"", "dnsmasq", "127.0.0.1:0", "127.0.0.1:65536", "::1:53:"})
            refused(R"("local": {"server": ")" + std::string(server) + "\"}");
        for (std::string_view address : {"", "192.0.2.1", "fe80::1", "localhost", "127.0.0.01"})
            refused(R"("do53": {"addresses": [")" + std::string(address) + "\"]}");
        for (std::string_view user : {"", "-x", "a b", "a:b"})
            refused(R"("users": {"agent": ")" + std::string(user) + "\"}");
        refused(R"("local": {"domains": ["."]})");
        refused(R"("local": {"domains": "a..b"})");
        refused(R"("dnsmasq": {"restart": [""]})");
        refused(R"("dnsmasq": {"restart": "systemctl restart dnsmasq"})");
        refused(R"("announce": {"formats": []})");
        refused(R"("announce": {"formats": ["rfc9463", "rfc9464"]})");
    }

    TEST_CASE("URLs of CAs are https, with a host and without a user") {
        const auto with_url = [](std::string_view url) {
            return complaints(with(with(full_config, ", \"https://other.example:14000/dir\"", ""),
                                   "https://ca.example/dir", url));
        };
        CHECK(with_url("https://ca.example:14000") == "");
        for (std::string_view url :
             {"http://ca.example/dir", "https://", "https:///dir", "https://u@ca.example/",
              "https://a b/", "https://ca.example/#x", "ca.example"}) {
            CAPTURE(url);
            CHECK(with_url(url).find("expected a URL") != std::string::npos);
        }
    }

    TEST_CASE("contacts are one mail address each (RFC 8555 section 7.3)") {
        for (std::string_view contact : {"admin@example.net", "mailto:admin", "mailto:a@b,c@d",
                                         "mailto:a@b?subject=x", "mailto:@b", "mailto:a@"}) {
            CAPTURE(contact);
            CHECK(complaints(with(full_config, "mailto:admin@example.net", contact))
                      .find("expected a mail address") != std::string::npos);
        }
    }
}

}  // namespace
}  // namespace porchlight::agent
