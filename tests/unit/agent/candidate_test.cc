#include "agent/candidate.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

Buffer octets(std::string_view text) {
    return {text.begin(), text.end()};
}

Config standing() {
    return *parse_config("f", bytes_of("{}")).config;
}

std::string why_refused(std::string_view json, MemoryStorage& files) {
    const auto candidate = judge_candidate("f", bytes_of(json), standing(), files);
    return candidate ? "" : candidate.error().message;
}

constexpr std::string_view with_roots =
    R"({"upstream": [{"adn": "dns.isp.test", "addresses": "192.0.2.53"}],
        "tls": {"roots": "/roots.pem"}})";

TEST_SUITE("agent/candidate") {
    TEST_CASE("what is good comes with its text") {
        MemoryStorage files;
        const std::string_view json = R"({"lan": [{"interface": "br-lan"}]})";
        const auto candidate = judge_candidate("f", bytes_of(json), standing(), files);
        REQUIRE(candidate);
        CHECK(candidate->config.lan.size() == 1);
        CHECK(text_of(candidate->named.config_json) == json);
    }

    TEST_CASE("a text with mistakes and a change that needs a restart are refused") {
        MemoryStorage files;
        CHECK(why_refused(R"({"mode": "sometimes"})", files).starts_with("f#/mode: expected"));
        CHECK(why_refused(R"({"workers": 3})", files).find("restart") != std::string::npos);
    }

    TEST_CASE("roots that are missing or trust nobody are refused") {
        MemoryStorage files;
        CHECK(why_refused(with_roots, files).starts_with("tls.roots: "));
        files.files["/roots.pem"] = octets("nothing\n");
        CHECK(why_refused(with_roots, files) ==
              "f#/tls/roots: expected certificates of authorities, as PEM, in /roots.pem, found "
              "none");
    }
}

}  // namespace
}  // namespace porchlight::agent
