#include "agent/forwarder_settings.h"

#include "agent/config_table.h"
#include "agent/config_type.h"
#include "config_fixture.h"

namespace porchlight::agent {
namespace {

using config::Setting;
using config::Type;

/// What the forwarder is told of a configuration that says this and nothing else.
forwarder::Settings settings_of(const std::string& json) {
    const ConfigResult parsed = parse(json);
    for (const Complaint& complaint : parsed.complaints) FAIL(to_text(complaint));
    return forwarder_settings(*parsed.config, {}, {}, {}, {}, {}, true);
}

/// One end of its bounds, or `step` more where it has none.
std::int64_t beside(const Setting& setting, std::int64_t fallback, std::int64_t step) {
    if (setting.min == 0 && setting.max == 0) return fallback + step;
    return fallback != setting.max ? setting.max : setting.min;
}

/// The default of a text, without its quotes.
std::string_view word(const Setting& setting) {
    if (setting.fallback.empty()) return {};
    return setting.fallback.substr(1, setting.fallback.size() - 2);
}

/// JSON of a value that the setting accepts and that is not its default.
std::string another_value(const Setting& setting) {
    switch (setting.type) {
        case Type::boolean:
            return setting.fallback == "true" ? "false" : "true";
        case Type::integer:
            return std::to_string(beside(setting, std::stoll(std::string(setting.fallback)), 1));
        case Type::duration:
        case Type::seconds: {
            const auto fallback = parse_duration(word(setting))->count();
            return '"' + std::to_string(beside(setting, fallback, 1000)) + "ms\"";
        }
        case Type::size: {
            const auto fallback =
                static_cast<std::int64_t>(config::parse_size(word(setting)).value_or(0));
            return '"' + std::to_string(beside(setting, fallback, 1024)) + "B\"";
        }
        case Type::choice:
            for (const std::string_view other : words_of(setting))
                if (other != word(setting)) return '"' + std::string(other) + '"';
            break;
        default:
            break;
    }
    FAIL("no other value is known for " << std::string(setting.path));
    return {};
}

TEST_SUITE("agent/forwarder_settings") {
    TEST_CASE("every limit of the table reaches the forwarder, each as one of its own") {
        const forwarder::Settings usual = settings_of("{}");
        std::vector<forwarder::Settings> told;
        for (const std::string section : {"limits", "cache", "query_log"}) {
            std::size_t rows = 0;
            for (const Setting* setting : config::members_of('/' + section)) {
                CAPTURE(setting->path);
                const std::string value = another_value(*setting);
                CAPTURE(value);
                told.push_back(settings_of("{\"" + section + "\": {\"" +
                                           std::string(name_of(*setting)) + "\": " + value + "}}"));
                CHECK(told.back() != usual);
                ++rows;
            }
            CHECK(rows > 0);
        }
        for (std::size_t i = 0; i < told.size(); ++i)
            CHECK(std::count(told.begin(), told.end(), told[i]) == 1);
    }
}

}  // namespace
}  // namespace porchlight::agent
