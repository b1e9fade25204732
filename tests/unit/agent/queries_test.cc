#include "agent/queries.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "dns/edns.h"

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;
using forwarder::LoggedQuery;
using forwarder::QueryReport;
using Json = nlohmann::ordered_json;
using Level = forwarder::QueryLogSettings::Level;

QueryReport report() {
    QueryReport report;
    report.level = Level::full;
    report.counts.by_type = {7, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    report.counts.by_rcode[3] = 2;
    report.counts.by_rcode[9] = 1;
    report.counts.by_outcome[1] = 11;
    report.counts.by_carrier[2] = 11;
    LoggedQuery query;
    query.age = 150s;
    query.over = forwarder::AskedOver::doh;
    query.outcome = forwarder::Outcome::looked_up;
    query.rcode = 3;
    query.extended_error = 22;
    query.type = 65;
    query.name = *dns::parse_name("www.example.org");
    query.client = {0xa1b2c3, 4, {192, 168, 1}};
    report.queries.push_back(query);
    query.client = {1, 6, {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0xff}};
    query.name.reset();
    query.type = 99;
    query.extended_error = 0;
    report.queries.push_back(query);
    return report;
}

}  // namespace

TEST_SUITE("agent/queries") {
    TEST_CASE("questions are told with networks and pseudonyms, counts without their zeros") {
        const Json json = Json::parse(queries_json(report()));
        CHECK(json["level"] == "full");
        CHECK(json["types"].dump() == R"({"A":7,"HTTPS":3,"other":1})");
        CHECK(json["rcodes"].dump() == R"({"NXDOMAIN":2,"RCODE9":1})");
        CHECK(json["queries"][0].dump() ==
              R"({"seconds_ago":150,"name":"www.example.org.","type":"HTTPS","over":"doh",)"
              R"("outcome":"looked up","rcode":"NXDOMAIN","extended_error":22,)"
              R"("extended_error_text":"No Reachable Authority",)"
              R"("client":"00a1b2c3","network":"192.168.1.0/24"})");
        CHECK(json["queries"][1]["name"].is_null());
        CHECK(json["queries"][1]["type"] == "TYPE99");
        CHECK(json["queries"][1]["network"] == "2001:db8:1:ff00::/56");
    }

    TEST_CASE("a person reads the newest") {
        const auto text = queries_text(queries_json(report()), 1);
        REQUIRE(text);
        CHECK(text->find("types     A 7  HTTPS 3  other 1\n") != text->npos);
        CHECK(
            text->ends_with("\n\n2min  HTTPS  NXDOMAIN  looked up  doh   00a1b2c3 192.168.1.0/24"
                            "          www.example.org.  (No Reachable Authority)\n"));
        CHECK(queries_text(queries_json(report()), 2)->ends_with(" -\n"));
    }

    TEST_CASE("extended errors are words, those of tomorrow a number") {
        QueryReport some = report();
        some.queries[0].extended_error = dns::extended_error::stale_answer;
        CHECK(queries_text(queries_json(some), 1)->ends_with("(Stale Answer)\n"));
        some.queries[0].extended_error = dns::extended_error::synthesized;
        CHECK(queries_text(queries_json(some), 1)->ends_with("(Synthesized)\n"));
        some.queries[0].extended_error = 30;
        CHECK(queries_text(queries_json(some), 1)->ends_with("(extended error 30)\n"));
    }

    TEST_CASE("who wants the newest as JSON gets them alone, and all that was counted") {
        const Json all = Json::parse(queries_json(report()));
        const auto newest = newest_queries(all.dump(), 1);
        REQUIRE(newest);
        const Json one = Json::parse(*newest);
        REQUIRE(one["queries"].size() == 1);
        CHECK(one["queries"][0] == all["queries"][0]);
        CHECK(one["types"] == all["types"]);
        CHECK(Json::parse(*newest_queries(all.dump(), 7)) == all);
        CHECK(Json::parse(*newest_queries(all.dump(), 0))["queries"].empty());
        CHECK(!newest_queries("{}", 1));
    }

    TEST_CASE("what is off, or keeps no clients, says so") {
        CHECK(queries_text(queries_json({}), 9)->starts_with("Nothing is noted"));
        QueryReport without = report();
        without.queries[0].client = {};
        const Json query = Json::parse(queries_json(without))["queries"][0];
        CHECK(!query.contains("client"));
        CHECK(!query.contains("network"));
    }

    TEST_CASE("what is no such report is refused") {
        for (const char* text :
             {"", "[]", "unknown request", R"({"level": 7})", R"({"level": "names"})"})
            CHECK(!queries_text(text, 1));
    }
}

}  // namespace porchlight::agent
