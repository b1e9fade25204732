#include "acme/store.h"

#include <doctest/doctest.h>

namespace porchlight::acme {
namespace {

Buffer octets(std::string_view text) {
    return {text.begin(), text.end()};
}

/// A generation whose every part bears the same mark, so that a mixture shows.
Generation marked(const std::string& mark) {
    return {0, octets("chain " + mark), octets("key " + mark), "https://ca.example/" + mark,
            WallTime(std::chrono::seconds(1795255200))};
}

std::string mark_of(const Generation& generation) {
    const std::string mark(text_of(generation.chain_pem).substr(6));
    CHECK(text_of(generation.key_pem) == "key " + mark);
    CHECK(generation.directory == "https://ca.example/" + mark);
    return mark;
}

std::vector<std::string> marks(Store& store) {
    std::vector<std::string> found;
    for (const Generation& generation : store.load_generations())
        found.push_back(mark_of(generation));
    return found;
}

TEST_SUITE("acme/store") {
    TEST_CASE("an empty store holds nothing") {
        MemoryStorage files;
        Store store(files, "/state");
        CHECK(store.load_generations().empty());
    }

    TEST_CASE("generations are loaded newest first, and three are kept") {
        MemoryStorage files;
        Store store(files, "/state");
        for (const char* mark : {"a", "b", "c", "d", "e"}) REQUIRE(store.save(marked(mark)));
        CHECK(marks(store) == std::vector<std::string>{"e", "d", "c"});
        CHECK(store.load_generations().front().number == 5);
        CHECK(text_of(*files.read("/state/current")) == "5\n");
        CHECK(files.files.size() == 3 * 3 + 1);
    }

    TEST_CASE("a power cut at any write leaves the old or the new, never a mixture") {
        for (int writes = 0; writes < 12; ++writes) {
            CAPTURE(writes);
            MemoryStorage files;
            Store store(files, "/state");
            for (const char* mark : {"a", "b", "c"}) REQUIRE(store.save(marked(mark)));
            files.fail_after = writes;
            const bool saved = bool(store.save(marked("new")));
            files.fail_after = -1;  // the power is back, and a new process looks
            Store after(files, "/state");
            const std::vector<std::string> found = marks(after);
            REQUIRE(!found.empty());
            CHECK(found.front() == (saved ? "new" : "c"));
            if (!saved) CHECK(found == std::vector<std::string>{"c", "b", "a"});

            // What was left half written is not in the way of the next.
            REQUIRE(after.save(marked("next")));
            CHECK(marks(after).front() == "next");
            CHECK(marks(after).size() == 3);
        }
    }

    TEST_CASE("the very first save is whole or nothing, too") {
        for (int writes = 0; writes < 4; ++writes) {
            CAPTURE(writes);
            MemoryStorage files;
            Store store(files, "/state");
            files.fail_after = writes;
            CHECK(!store.save(marked("new")));
            files.fail_after = -1;
            for (const std::string& mark : marks(store)) CHECK(mark == "new");
        }
    }

    TEST_CASE("a lost or damaged pointer costs nothing that is whole") {
        MemoryStorage files;
        Store store(files, "/state");
        for (const char* mark : {"a", "b"}) REQUIRE(store.save(marked(mark)));
        files.files["/state/current"] = octets("rubbish");
        CHECK(marks(store) == std::vector<std::string>{"b", "a"});
        files.files.erase("/state/current");
        CHECK(marks(store) == std::vector<std::string>{"b", "a"});
        REQUIRE(store.save(marked("c")));
        CHECK(marks(store).front() == "c");
    }
}

}  // namespace
}  // namespace porchlight::acme
