#include "agent/config_json.h"

#include "config_fixture.h"

namespace porchlight::agent::config {
namespace {

std::string complaint(std::string_view json) {
    const Parsed parsed = read_json("f", bytes_of(json));
    CHECK(parsed.value.has_value() == parsed.complaints.empty());
    return parsed.complaints.empty()
               ? "none"
               : parsed.complaints[0].pointer + ": " + parsed.complaints[0].text;
}

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

TEST_SUITE("agent/config_json") {
    TEST_CASE("JSON comes back in its order") {
        const std::string text =
            R"({"z": [1, -2, 3.50, true], "a": {"b": null, "": "\u00e4\"\n"}, "c": [], "d": {}})";
        const Parsed parsed = read_json("f", bytes_of(text));
        REQUIRE(parsed.value);
        CHECK(to_json_line(*parsed.value) == text);
    }

    TEST_CASE("it is indented for people, with lists of plain values in one line") {
        const Value value = known_json(R"({"a":[1,2],"b":[{"c":"d"}],"e":{}})");
        CHECK(to_json(value) == R"({
  "a": [1, 2],
  "b": [
    {
      "c": "d"
    }
  ],
  "e": {}
})");
    }

    TEST_CASE("wrong syntax is told by line and column") {
        CHECK(complaint("{\n  \"lan\": [}\n}").starts_with(": line 2, column 11: syntax error"));
        CHECK(complaint("").starts_with(": line 1, column 1: "));
        CHECK(complaint("{} {}").starts_with(": line 1, column 4: "));
        CHECK(complaint("{\"a\": 1,}").starts_with(": line 1, column 9: "));
        CHECK(complaint("{\"a\": 1 // comment\n}").starts_with(": line 1, column 9: "));
        CHECK(complaint("\"\xff\"").starts_with(": line 1, column 2: "));
    }

    TEST_CASE("nothing hides behind a NUL") {
        const std::string_view text("{\"a\": 1}\0 {", 12);
        const Parsed parsed = read_json("f", bytes_of(text));
        REQUIRE(parsed.complaints.size() == 1);
        CHECK(parsed.complaints[0].text == "expected text, found a NUL octet at 8");
    }

    TEST_CASE("wrong syntax quotes nothing, for it may be a secret") {
        CHECK(complaint("{\"secret\": \"hunter2\n\"}").find("hunter2") == std::string::npos);
        CHECK(complaint("{\"secret\": hunter2}").find("hunter2") == std::string::npos);
        CHECK(complaint("{\"secret\": \"hunter2").find("hunter2") == std::string::npos);
    }

    TEST_CASE("every truncation is refused") {
        const auto whole = full_config.substr(0, full_config.rfind('}') + 1);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(size);
            CHECK(!read_json("f", bytes_of(whole.substr(0, size))).value);
        }
    }

    TEST_CASE("a key that is given twice is told with its place") {
        CHECK(complaint(R"({"a": 1, "a": 2})") == "/a: given twice");
        CHECK(complaint(R"({"lan": [{}, {"x/y": {"b": 1, "b": {}}}]})") ==
              "/lan/1/x~1y/b: given twice");
        CHECK(complaint(R"({"a": {"b": 1}, "b": 1})") == "none");
    }

    TEST_CASE("depth and size are bounded") {
        CHECK(complaint(nested(depth_max)) == "none");
        CHECK(complaint(nested(depth_max + 1)) == ": nested deeper than 64 levels");
        CHECK(complaint(std::string(file_octets_max - 2, ' ') + "{}") == "none");
        CHECK(complaint(std::string(file_octets_max - 1, ' ') + "{}") ==
              ": larger than 256 KiB, far beyond any use");
    }

    TEST_CASE("integers are exact, and other numbers are none") {
        CHECK(known_json("9223372036854775807").integer == INT64_MAX);
        CHECK(!known_json("9223372036854775808").integer);
        CHECK(!known_json("853.0").integer);
        CHECK(known_json("853.0").text == "853.0");
    }

    TEST_CASE("pointers (RFC 6901) reach every value") {
        const Value root = known_json(R"({"a/b": {"m~n": [10, 20]}, "": 0})");
        CHECK(find(root, "/a~1b/m~0n/1")->integer == 20);
        CHECK(find(root, "/")->integer == 0);
        CHECK(find(root, "") == &root);
        for (std::string_view nowhere :
             {"a", "/x", "/a~1b/m~0n/2", "/a~1b/m~0n/01", "/a~1b/m~0n/-", "/~2", "/a~"})
            CHECK(find(root, nowhere) == nullptr);
        CHECK(below(below("", "a/b"), "m~n") == "/a~1b/m~0n");
    }
}

}  // namespace
}  // namespace porchlight::agent::config
