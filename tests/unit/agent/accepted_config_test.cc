#include "agent/accepted_config.h"

#include <doctest/doctest.h>

#include "config_fixture.h"

namespace porchlight::agent {
namespace {

const NamedDirectories defaults{"/var/lib/porchlight", "/run/porchlight"};

Buffer octets(std::string_view text) {
    return {text.begin(), text.end()};
}

TEST_SUITE("agent/accepted_config") {
    TEST_CASE("directories are found in a file that is no JSON any more") {
        CHECK(named_directories(bytes_of(R"({"lan": [}, "state_directory" :
            "/flash/p", "runtime_directory": "/tmp/p")")) ==
              NamedDirectories{"/flash/p", "/tmp/p"});
        CHECK(named_directories(bytes_of(full_config)) ==
              NamedDirectories{"/tmp/state", "/tmp/run"});
    }

    TEST_CASE("what a file doesn't say, or says by halves, is the default") {
        for (const char* text :
             {"", "{ somebody is typing", R"({"state_directory)", R"({"state_directory")",
              R"({"state_directory": )", R"({"state_directory": 5})",
              R"({"state_directory": "state"})", R"({"state_directory": "/flash)",
              R"({"state_directory": "/a\n"})", "{\"state_directory\": \"/flash\n\"}"}) {
            CAPTURE(text);
            CHECK(named_directories(bytes_of(text)) == defaults);
        }
    }

    TEST_CASE("a good file says where to look for what was taken, which is gone by") {
        MemoryStorage files;
        files.files["/etc/p.json"] = octets(full_config);
        files.files["/tmp/state/config.json"] =
            octets(with(full_config, R"("/tmp/run")", R"("/tmp/other")"));
        const UsableConfig usable = usable_config("/etc/p.json", files);
        REQUIRE(usable.config);
        CHECK(usable.config->runtime_directory == "/tmp/other");
        CHECK(usable.runtime_directory == "/tmp/other");
        CHECK(usable.notes.empty());
    }

    TEST_CASE("a good file is gone by where nothing was taken, or what was is damaged") {
        MemoryStorage files;
        files.files["/etc/p.json"] = octets(full_config);
        files.files["/var/lib/porchlight/config.json"] =
            octets(with(full_config, R"("/tmp/run")", R"("/tmp/other")"));
        CHECK(usable_config("/etc/p.json", files).runtime_directory == "/tmp/run");
        files.files["/tmp/state/config.json"] = octets("{");
        CHECK(usable_config("/etc/p.json", files).runtime_directory == "/tmp/run");
        CHECK(usable_config("/etc/p.json", files).notes.empty());
    }

    TEST_CASE("a file that is no good is replaced by what its state directory has, in one line") {
        MemoryStorage files;
        files.files["/tmp/state/config.json"] = octets(full_config);
        for (const char* from : {R"("cache")", R"("lan": [)"}) {
            files.files["/etc/p.json"] = octets(with(full_config, from, "{"));
            const UsableConfig usable = usable_config("/etc/p.json", files);
            REQUIRE(usable.config);
            CHECK(usable.config->state_directory == "/tmp/state");
            CHECK(usable.runtime_directory == "/tmp/run");
            REQUIRE(usable.notes.size() == 1);
            CHECK(usable.notes[0].starts_with("/etc/p.json"));
            CHECK(usable.notes[0].ends_with(
                "; going by /tmp/state/config.json, which was last found good"));
        }
    }

    TEST_CASE("a file that is missing, or names a wrong place, leads to the default one") {
        MemoryStorage files;
        files.files["/var/lib/porchlight/config.json"] = octets(full_config);
        CHECK(usable_config("/etc/p.json", files).config);
        files.files["/etc/p.json"] = octets(R"({"state_directory": "/elsewhere")");
        CHECK(usable_config("/etc/p.json", files).config);
    }

    TEST_CASE("where nothing is good every complaint is told, and where was looked") {
        MemoryStorage files;
        files.files["/tmp/state/config.json"] = octets("{");
        files.files["/etc/p.json"] = octets(R"({"mode": 1, "state_directory": "/tmp/state", "x": 2,
                                               "runtime_directory": "/tmp/run"})");
        const UsableConfig usable = usable_config("/etc/p.json", files);
        CHECK(!usable.config);
        CHECK(usable.runtime_directory == "/tmp/run");
        REQUIRE(usable.notes.size() >= 3);
        CHECK(usable.notes[0].starts_with("/etc/p.json#/"));
        CHECK(usable.notes.back() == "no configuration that was found good stands in /tmp/state");
        CHECK(!usable.nothing_stands);
        files.files.erase("/tmp/state/config.json");
        CHECK(usable_config("/etc/p.json", files).nothing_stands);
        CHECK(usable_config("/etc/missing.json", files).nothing_stands);
        files.files["/etc/p.json"] = octets(R"({"mode": 1})");
        CHECK(usable_config("/etc/p.json", files).nothing_stands);
        files.files["/etc/p.json"] = octets("{ somebody is typing");
        CHECK(!usable_config("/etc/p.json", files).nothing_stands);
    }
}

}  // namespace
}  // namespace porchlight::agent
