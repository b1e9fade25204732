#include "agent/config_reference.h"

#include <nlohmann/json.hpp>

#include "config_fixture.h"

namespace porchlight::agent::config {
namespace {

std::string committed(const std::string& path) {
    FileStorage storage;
    const auto file = storage.read(std::string(PORCHLIGHT_SOURCE_DIR) + path);
    return file ? std::string(text_of(*file)) : file.error().message;
}

TEST_SUITE("agent/config_reference") {
    TEST_CASE("docs/configuration.md is what `porchlight config reference` prints") {
        const bool equal = committed("/docs/configuration.md") == reference_page();
        CHECK_MESSAGE(equal, "porchlight config reference > docs/configuration.md");
    }

    TEST_CASE("every example on the page is a valid configuration") {
        const std::string page = reference_page();
        std::size_t examples = 0;
        const std::string_view fence = "```json\n";
        for (std::size_t at = page.find(fence); at != page.npos; at = page.find(fence, at + 1)) {
            const std::size_t begin = at + fence.size();
            CHECK(complaints(page.substr(begin, page.find("```", begin) - begin)) == "");
            ++examples;
        }
        CHECK(examples == 1);
    }

    TEST_CASE("the complaints that the page shows are those that are made") {
        const auto said = [](std::string_view json) { return to_text(parse(json).complaints[0]); };
        const std::string page = reference_page();
        for (std::string_view json :
             {R"({"resolver": {"adn": "a.example", "dot": {"port": "853"}}})",
              R"({"upstream": [{"addresses": "192.0.2.1"}]})", R"({"announce": {"dhcpv5": 1}})"})
            CHECK(page.find("\n" + said(json) + "\n") != page.npos);
    }

    TEST_CASE("the schema names every key, with its bounds and default") {
        const auto schema = nlohmann::json::parse(json_schema());
        CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
        CHECK(schema["additionalProperties"] == false);
        const auto& resolver = schema["properties"]["resolver"];
        CHECK(resolver["required"] == nlohmann::json{"adn"});
        const auto& port = resolver["properties"]["dot"]["properties"]["port"];
        CHECK(port["minimum"] == 1);
        CHECK(port["maximum"] == 65535);
        CHECK(port["default"] == 853);
        const auto& directory = schema["properties"]["certificate"]["properties"]["acme"]
                                      ["properties"]["directory"]["anyOf"];
        CHECK(directory[0]["type"] == "array");
        CHECK(directory[1]["type"] == "string");
    }
}

}  // namespace
}  // namespace porchlight::agent::config
