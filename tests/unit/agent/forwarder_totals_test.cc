#include "agent/forwarder_totals.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

using List = std::vector<forwarder::Counter>;

TEST_SUITE("agent/forwarder_totals") {
    TEST_CASE("while one forwarder runs, its own counters are the sum") {
        ForwarderTotals totals;
        CHECK(totals.sum().empty());
        totals.hear({{"dot_queries", 5}});
        totals.hear({{"dot_queries", 7}});
        CHECK(totals.sum() == List{{"dot_queries", 7}});
    }

    TEST_CASE("what one counted that died is counted on") {
        ForwarderTotals totals;
        totals.hear({{"dot_queries", 5}, {"merged", 1}});
        totals.lose();
        CHECK(totals.sum() == List{{"dot_queries", 5}, {"merged", 1}});
        totals.hear({{"dot_queries", 2}, {"merged", 0}});
        CHECK(totals.sum() == List{{"dot_queries", 7}, {"merged", 1}});
        totals.lose();
        totals.lose();  // one that was never heard
        totals.hear({{"dot_queries", 1}, {"merged", 4}});
        CHECK(totals.sum() == List{{"dot_queries", 8}, {"merged", 5}});
    }
}

}  // namespace
}  // namespace porchlight::agent
