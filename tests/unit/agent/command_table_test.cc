#include "agent/command_table.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "agent/command_help.h"
#include "core/storage.h"

namespace porchlight::agent {
namespace {

/// The exit status of a command line, whose words are separated by blanks.
int status_of(std::string line) {
    std::vector<char*> words;
    for (std::size_t at = 0; at < line.size();) {
        words.push_back(line.data() + at);
        at = std::min(line.find(' ', at), line.size());
        if (at < line.size()) line[at++] = 0;
    }
    const int count = static_cast<int>(words.size());
    words.push_back(nullptr);
    return run_command_line(count, words.data());
}

TEST_SUITE("agent/command_table") {
    TEST_CASE("every command and option says what it is") {
        for (const Command& command : commands()) {
            CAPTURE(command.name);
            CHECK((command.function != nullptr));
            CHECK(!command.summary.empty());
            CHECK(!command.summary.ends_with('.'));
            CHECK(!command.help.empty());
            CHECK(!command.help.empty());
            for (const Option& option : command.options) CHECK(!option.help.empty());
            for (const Verb& verb : command.verbs) CHECK(!verb.help.empty());
        }
    }

    TEST_CASE("docs/man/porchlight.8 is what `porchlight man` prints") {
        FileStorage storage;
        const auto page = storage.read(PORCHLIGHT_SOURCE_DIR "/docs/man/porchlight.8");
        const bool equal = page && text_of(*page) == man_page();
        CHECK_MESSAGE(equal, "porchlight man > docs/man/porchlight.8");
    }

    TEST_CASE(
        "help fits a terminal, names every command and hides what is not "
        "for people") {
        std::string all = program_help();
        for (const Command& command : commands()) {
            const bool named = all.find("\n  " + std::string(command.name) + " ") != all.npos;
            CHECK(named != command.hidden);
        }
        for (const Command& command : commands()) all += command_help(command);
        for (std::size_t at = 0, end; at < all.size(); at = end + 1) {
            end = all.find('\n', at);
            CAPTURE(all.substr(at, end - at));
            CHECK(end - at < 80);
        }
    }

    TEST_CASE("three shells know every command, and no other shell does") {
        for (std::string_view shell : {"bash", "zsh", "fish"}) {
            const auto script = completion_script(shell);
            REQUIRE(script);
            for (std::string_view word : {"withdraw", "purge", "reference", "dhcpv6"})
                CHECK(script->find(word) != script->npos);
            CHECK(script->find("role") == script->npos);
        }
        CHECK(!completion_script("tcsh"));
    }

    TEST_CASE("wrong usage ends with status 2 and runs nothing") {
        for (const char* line :
             {"porchlight", "porchlight sing", "porchlight config", "porchlight config sing",
              "porchlight config get", "porchlight config get /a /b", "porchlight config set /a",
              "porchlight config schema x", "porchlight run x", "porchlight check --sing",
              "porchlight check -c", "porchlight check -x", "porchlight options decode",
              "porchlight completion", "porchlight completion tcsh", "porchlight --sing"}) {
            CAPTURE(line);
            CHECK(status_of(line) == exit_wrong);
        }
    }

    TEST_CASE("options stand before or behind words, and each can be asked for help") {
        CHECK(status_of("porchlight check -c /no/such/file") == exit_wrong);
        CHECK(status_of("porchlight config -c /no/such/file get /mode") == exit_wrong);
        CHECK(status_of("porchlight config get /mode --config=/no/such/file") == exit_wrong);
        CHECK(status_of("porchlight config get -h") == exit_done);
        CHECK(status_of("porchlight run --help") == exit_done);
        CHECK(status_of("porchlight --version") == exit_done);
    }

    TEST_CASE("of a repeated option the last counts") {
        Arguments arguments;
        CHECK(!arguments.has("config"));
        CHECK(config_file(arguments) == "/etc/porchlight/porchlight.json");
        arguments.options["config"] = {"a", "b"};
        CHECK(config_file(arguments) == "b");
    }
}

}  // namespace
}  // namespace porchlight::agent
