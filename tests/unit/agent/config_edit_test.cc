#include "agent/config_edit.h"

#include "config_fixture.h"

namespace porchlight::agent::config {
namespace {

constexpr std::string_view small = R"({
  "lan": [
    {
      "interface": "br-lan"
    }
  ],
  "log": {
    "level": "debug"
  }
}
)";

Edited edit(std::string_view pointer, std::string_view value, std::string_view json = small) {
    return set_value("f", bytes_of(json), pointer, value);
}

std::string complaint(const Edited& edited) {
    REQUIRE(!edited.complaints.empty());
    return to_text(edited.complaints[0]);
}

TEST_SUITE("agent/config_edit") {
    TEST_CASE("one value changes and everything else stays as it stood") {
        const Edited edited = edit("/log/level", "warn");
        CHECK(edited.complaints.empty());
        CHECK(edited.json == with(small, "debug", "warn"));
    }

    TEST_CASE("texts may be given with or without quotes, other values as JSON") {
        CHECK(edit("/log/level", "\"warn\"").json == edit("/log/level", "warn").json);
        CHECK(edit("/workers", "2").json == with(small, "  }\n}", "  },\n  \"workers\": 2\n}"));
        CHECK(edit("/users/agent", "1000", "{}").json ==
              "{\n  \"users\": {\n    \"agent\": \"1000\"\n  }\n}\n");
        CHECK(complaint(edit("/workers", "two")) ==
              "f#/workers: expected an integer from 1 to 64 as JSON");
        CHECK(edit("/lan", R"([{"interface": "eth1"}])").json == with(small, "br-lan", "eth1"));
    }

    TEST_CASE("what is around a value is made where it is missing") {
        CHECK(edit("/resolver/dot/port", "853", "{}").complaints[0].pointer == "/resolver/adn");
        CHECK(edit("/do53/addresses/0", "::1", "{}").json ==
              "{\n  \"do53\": {\n    \"addresses\": [\"::1\"]\n  }\n}\n");
    }

    TEST_CASE("lists grow at their end, also where their only element stands for them") {
        CHECK(parse(edit("/lan/-/interface", "eth1").json).config->lan.size() == 2);
        CHECK(parse(edit("/lan/1/interface", "eth1").json).config->lan.size() == 2);
        CHECK(complaint(edit("/lan/2/interface", "eth1")) ==
              "f#/lan/2/interface: there is no such place in the file");
        CHECK(edit("/local/domains/-", "home.example", R"({"local": {"domains": "lan"}})").json ==
              "{\n  \"local\": {\n    \"domains\": [\"lan\", \"home.example\"]\n  }\n}\n");
        CHECK(edit("/local/domains", "lan", "{}").json ==
              "{\n  \"local\": {\n    \"domains\": \"lan\"\n  }\n}\n");
    }

    TEST_CASE("null takes a value out") {
        CHECK(edit("/log/level", "null").json ==
              with(small, "{\n    \"level\": \"debug\"\n  }", "{}"));
        CHECK(edit("/lan/0", "null").json ==
              with(small, "[\n    {\n      \"interface\": \"br-lan\"\n    }\n  ]", "[]"));
        CHECK(edit("/workers", "null").json == small);
    }

    TEST_CASE("a value that would spoil the configuration is refused, with every reason") {
        CHECK(complaint(edit("/log/level", "loud")) ==
              "f#/log/level: expected one of \"error\", \"warn\", \"info\", \"debug\", found "
              "\"loud\"");
        CHECK(complaint(edit("/wan/-/interface", "br-lan")).starts_with("f#/wan/0/interface: "));
        CHECK(edit("/mode", "forwarder").complaints.size() == 3);
    }

    TEST_CASE("pointers to nothing and files that are none are refused") {
        CHECK(complaint(edit("/log/colour", "red")) == "f#/log/colour: there is no such setting");
        CHECK(complaint(edit("/log/level/x", "red")) == "f#/log/level/x: there is no such setting");
        CHECK(complaint(edit("log.level", "warn")).find("is no pointer") != std::string::npos);
        CHECK(complaint(edit("", "{}")).find("is no pointer") != std::string::npos);
        CHECK(complaint(edit("/log/level", "warn", "{")).starts_with("f: line 1, column 2"));
        CHECK(complaint(edit("/log/level", "warn", R"({"log": 1})")).starts_with("f#/log/level: "));
    }
}

}  // namespace
}  // namespace porchlight::agent::config
