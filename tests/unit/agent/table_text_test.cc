#include "agent/table_text.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

TEST_SUITE("agent/table_text") {
    TEST_CASE("alternatives stand between bars") {
        CHECK(alternatives("a|bc|d") == std::vector<std::string_view>{"a", "bc", "d"});
        CHECK(alternatives("a") == std::vector<std::string_view>{"a"});
        CHECK(alternatives("").empty());
    }

    TEST_CASE("text breaks between words, within its columns") {
        CHECK(wrapped("one two three", "  ", 9) == "  one two\n  three\n");
        CHECK(wrapped("extraordinarily long", "", 5) == "extraordinarily\nlong\n");
        CHECK(wrapped("", "", 5) == "\n");
    }
}

}  // namespace
}  // namespace porchlight::agent
