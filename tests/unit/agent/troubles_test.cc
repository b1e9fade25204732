#include "agent/troubles.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

using Lines = std::vector<std::string>;

TEST_SUITE("agent/troubles") {
    TEST_CASE("a trouble stands until the same is done well, whatever else goes well") {
        Troubles troubles;
        const Error full{Errc::internal, "no space"};
        CHECK(troubles.note("cannot store the account", full));
        CHECK(!troubles.note("cannot store the account", full));
        CHECK(!troubles.note("cannot store the schedule", {}));
        CHECK(troubles.note("cannot remember what is announced", full));
        CHECK(troubles.list() == Lines{"cannot remember what is announced: no space",
                                       "cannot store the account: no space"});
        CHECK(troubles.note("cannot store the account", {}));
        CHECK(troubles.list() == Lines{"cannot remember what is announced: no space"});
    }
}

}  // namespace
}  // namespace porchlight::agent
