#include "acme/problem.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "acme/directory.h"
#include "acme/json.h"

using namespace std::chrono_literals;

namespace porchlight::acme {
namespace {

net::HttpResponse response(unsigned status, std::string body, net::HttpHeaders headers = {}) {
    return {status, std::move(headers), std::move(body)};
}

TEST_SUITE("acme/problem") {
    TEST_CASE("type, detail and subproblems are kept") {
        const Problem problem = parse_problem(response(403, R"({
            "type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "no",
            "subproblems": [{"type": "urn:ietf:params:acme:error:caa", "detail": "forbidden",
                             "identifier": {"type": "dns", "value": "a.example"}}]})"));
        CHECK(problem.type == "rejectedIdentifier");
        REQUIRE(problem.subproblems.size() == 1);
        CHECK(problem.subproblems[0].type == "caa");
        CHECK(problem.subproblems[0].identifier == "a.example");
        const Failure failure = failure_of(problem, 5s);
        CHECK(failure.code == "acme.rejectedIdentifier");
        CHECK(failure.message == "rejectedIdentifier: no; caa (a.example): forbidden");
        CHECK(failure.retry_after == 5s);
    }

    TEST_CASE("a response that says nothing is named by its status") {
        for (const char* body : {"", "<html>", "[]", "{}", R"({"type": 5})"}) {
            CAPTURE(body);
            CHECK(parse_problem(response(503, body)).type == "http-503");
        }
        CHECK(is_transient(parse_problem(response(503, ""))));
        CHECK(!is_transient(parse_problem(response(403, ""))));
    }

    TEST_CASE("nesting and length of a stranger's words are bound") {
        const std::string deep = std::string(100000, '[') + std::string(100000, ']');
        CHECK(!parse_json(deep));
        CHECK(parse_problem(response(400, deep)).type == "http-400");
        const std::string long_detail(100000, 'x');
        CHECK(parse_problem(response(400, R"({"detail": ")" + long_detail + "\"}")).detail.size() ==
              1024);
    }

    TEST_CASE("Retry-After is seconds or a date, between a second and a day") {
        const auto asked = [](const char* value) {
            return retry_after(response(
                503, "", {{"retry-after", value}, {"Date", "Sat, 21 Nov 2026 10:00:00 GMT"}}));
        };
        CHECK(asked("120") == 120s);
        CHECK(asked("0") == 1s);
        CHECK(asked("-5") == 1s);
        CHECK(asked("999999999999999999999999") == 24h);
        CHECK(asked("Sat, 21 Nov 2026 10:02:00 GMT") == 120s);
        CHECK(asked("Sat, 21 Nov 2026 09:00:00 GMT") == 1s);
        CHECK(!asked("soon"));
        CHECK(!asked(""));
        CHECK(!retry_after(response(503, "")));
    }

    TEST_CASE("a directory needs its three URLs, and they are https") {
        const auto directory = parse_directory(R"({
            "newNonce": "https://ca.example/n", "newAccount": "https://ca.example/a",
            "newOrder": "https://ca.example/o", "renewalInfo": "https://ca.example/r",
            "meta": {"termsOfService": "https://ca.example/tos", "externalAccountRequired": true,
                     "caaIdentities": ["ca.example"], "profiles": {"short": "six days"}}})");
        REQUIRE(directory);
        CHECK(directory->new_order == "https://ca.example/o");
        CHECK(directory->renewal_info == "https://ca.example/r");
        CHECK(directory->terms_of_service == "https://ca.example/tos");
        CHECK(directory->external_account_required);
        CHECK(directory->caa_identities == std::vector<std::string>{"ca.example"});
        CHECK(directory->profiles == std::vector<std::string>{"short"});
        CHECK(!parse_directory("{}"));
        CHECK(!parse_directory("[]"));
        CHECK(!parse_directory("nonsense"));
        CHECK(!parse_directory(R"({"newNonce": "http://ca.example/n",
            "newAccount": "https://ca.example/a", "newOrder": "https://ca.example/o"})"));
    }
}

}  // namespace
}  // namespace porchlight::acme
