#include "agent/config_table.h"

#include <algorithm>

#include "agent/config_check.h"
#include "agent/config_type.h"
#include "config_fixture.h"

namespace porchlight::agent::config {
namespace {

std::string parent_of(std::string_view path) {
    return std::string(path.substr(0, path.rfind('/')));
}

TEST_SUITE("agent/config_table") {
    TEST_CASE("every row has its parent before it, and no path stands twice") {
        const auto rows = settings();
        for (std::size_t i = 1; i < rows.size(); ++i) {
            CAPTURE(rows[i].path);
            const auto end = rows.begin() + static_cast<std::ptrdiff_t>(i);
            const auto before = [&](std::string_view path) {
                return std::find_if(rows.begin(), end,
                                    [&](const Setting& row) { return row.path == path; });
            };
            CHECK(before(rows[i].path) == end);
            const auto parent = before(parent_of(rows[i].path));
            REQUIRE(parent != end);
            if (rows[i].path.ends_with("/*")) CHECK(parent->type == Type::list);
        }
    }

    TEST_CASE("every list has a row for its elements") {
        for (const Setting& row : settings()) {
            CAPTURE(row.path);
            if (row.type == Type::list) CHECK(find_setting(std::string(row.path) + "/*"));
        }
    }

    TEST_CASE("every default is what its own row accepts") {
        for (const Setting& row : settings()) {
            CAPTURE(row.path);
            if (row.fallback.empty()) continue;
            if (row.fallback.starts_with('/'))
                CHECK(find_setting(row.fallback)->type == row.type);
            else
                CHECK(accepts(row, known_json(row.fallback)));
        }
    }

    TEST_CASE("nothing has both a default and a reason why it may not be missing") {
        for (const Setting& row : settings()) {
            CAPTURE(row.path);
            CHECK((row.fallback.empty() || row.missing.empty()));
        }
    }

    TEST_CASE("the help of every row is two sentences or more") {
        for (const Setting& row : settings()) {
            CAPTURE(row.path);
            CHECK(row.help.ends_with('.'));
            CHECK(row.help.find(". ") != row.help.npos);
        }
    }

    TEST_CASE("bounds are written as they are meant") {
        CHECK(expectation(*find_setting("/resolver/dot/port")) == "an integer from 1 to 65535");
        CHECK(expectation(*find_setting("/mode")) ==
              R"(one of "auto", "relay", "forwarder", "static", "off")");
        CHECK(expectation(*find_setting("/announce/ra_interval")) ==
              R"(a duration from 4s to 30min in whole seconds, such as "90s")");
        CHECK(expectation(*find_setting("/cache/size")) ==
              R"(a size from 256KiB to 2GiB, such as "8MiB")");
        CHECK(expectation(*find_setting("/local/server")) ==
              R"(an address and a port, such as "127.0.0.1:53", or "off")");
    }

    TEST_CASE("sizes have a unit and come back in their shortest form") {
        CHECK(parse_size("8MiB") == 8u << 20);
        CHECK(parse_size("0B") == 0);
        CHECK(size_text(8u << 20) == "8MiB");
        CHECK(size_text(1025) == "1025B");
        CHECK(size_text(0) == "0B");
        for (std::string_view wrong : {"", "8", "MiB", "8MB", "8 MiB", "-1B", "8.5MiB",
                                       "99999999999999999999B", "18446744073709551615KiB"})
            CHECK(!parse_size(wrong));
    }

    TEST_CASE("a completed configuration is one that says all it means") {
        const Value whole = complete(known_json(full_config));
        const std::string text = to_json(whole);
        CHECK(complaints(text) == "");
        CHECK(parse(text).config == parse(full_config).config);
    }

    TEST_CASE("completing remembers what came from the file") {
        const Value whole = complete(
            known_json(R"({"resolver": {"adn": "a.example"}, "do53": {"addresses": "::1"}})"));
        CHECK(find(whole, "/resolver/adn")->from_file);
        CHECK(!find(whole, "/resolver/dot/port")->from_file);
        CHECK(find(whole, "/do53/addresses/0")->from_file);
        CHECK(!find(whole, "/local/domains/0")->from_file);
        CHECK(find(whole, "/certificate/acme") == nullptr);
    }
}

}  // namespace
}  // namespace porchlight::agent::config
