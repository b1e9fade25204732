#include "agent/hindrances.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

using Area = Hindrances::Area;
using Lines = std::vector<std::string>;

TEST_SUITE("agent/hindrances") {
    TEST_CASE("what was mended is no longer told, and other areas are left alone") {
        Hindrances hindrances;
        CHECK(hindrances.list().empty());
        hindrances.set(Area::users, {{"change users", ""}});
        hindrances.set(Area::listeners, {{"serve a", "in use"}, {"serve b", "in use"}});
        CHECK(hindrances.list() == Lines{"change users", "serve a: in use", "serve b: in use"});
        hindrances.set(Area::listeners, {{"serve b", "denied"}});
        CHECK(hindrances.list() == Lines{"change users", "serve b: denied"});
        CHECK(hindrances.holds(Area::listeners, "serve b"));
        CHECK(!hindrances.holds(Area::listeners, "serve a"));
        CHECK(!hindrances.holds(Area::firewall, "serve b"));
        hindrances.set(Area::listeners, {});
        CHECK(hindrances.list() == Lines{"change users"});
    }
}

}  // namespace
}  // namespace porchlight::agent
