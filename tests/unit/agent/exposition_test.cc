#include "agent/exposition.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;
using Type = Exposition::Type;

TEST_SUITE("agent/exposition") {
    TEST_CASE("a family has its heading once, and none without a sample") {
        Exposition out;
        out.family("porchlight_left_out", Type::gauge, "Nothing.");
        out.family("porchlight_orders_total", Type::counter, "Orders.");
        out.number({{"result", "success"}, {"kind", "new"}}, 3);
        out.number({{"result", "failure"}, {"kind", "new"}}, 18446744073709551615u);
        out.family("porchlight_up", Type::gauge, "Whether it is.");
        out.flag({}, true);
        CHECK(out.text() ==
              "# HELP porchlight_orders_total Orders.\n"
              "# TYPE porchlight_orders_total counter\n"
              "porchlight_orders_total{result=\"success\",kind=\"new\"} 3\n"
              "porchlight_orders_total{result=\"failure\",kind=\"new\"} 18446744073709551615\n"
              "# HELP porchlight_up Whether it is.\n"
              "# TYPE porchlight_up gauge\n"
              "porchlight_up 1\n");
    }

    TEST_CASE("times are in seconds") {
        Exposition out;
        out.family("x_seconds", Type::gauge, "X.");
        out.seconds({}, 1500us);
        out.seconds({}, 90s);
        out.moment({}, *parse_wall_time("2026-11-21T00:00:00Z"));
        CHECK(
            out.text().ends_with("x_seconds 0.001500\nx_seconds 90.000000\n"
                                 "x_seconds 1795219200\n"));
    }

    TEST_CASE("no octet of a label can end it, or be anything but text") {
        Exposition out;
        out.family("x", Type::gauge, "X.");
        out.flag({{"interface", "a\\b\"c\nd\x01\xff} 7"}}, false);
        CHECK(out.text().ends_with("x{interface=\"a\\\\b\\\"c\\nd\\\\x01\\\\xff} 7\"} 0\n"));
    }
}

}  // namespace
}  // namespace porchlight::agent
