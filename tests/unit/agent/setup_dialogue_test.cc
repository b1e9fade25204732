#include "agent/setup_dialogue.h"

#include <doctest/doctest.h>

#include <sstream>

namespace porchlight::agent::setup {
namespace {

std::string one_digit(const std::string& answer) {
    return answer.size() == 1 && answer[0] >= '0' && answer[0] <= '9' ? "" : "expected a digit";
}

struct Talk {
    explicit Talk(const std::string& typed, Arguments given = {})
        : in(typed), arguments(std::move(given)), dialogue(in, out, arguments, false) {}
    std::istringstream in;
    std::ostringstream out;
    Arguments arguments;
    Dialogue dialogue;
};

Arguments with_option(const char* option, const char* value) {
    Arguments arguments;
    arguments.options[option] = {value};
    return arguments;
}

TEST_SUITE("agent/setup_dialogue") {
    TEST_CASE("an answer counts without the blanks around it") {
        Talk talk(" 7\t\r\n");
        const auto answer = talk.dialogue.ask({"Digit", "5"}, one_digit);
        REQUIRE(answer);
        CHECK(*answer == "7");
        CHECK(talk.out.str() == "Digit [5]: ");
    }

    TEST_CASE("an empty line takes the default; without one the question comes again") {
        Talk with("\n");
        CHECK(with.dialogue.ask({"Digit", "5"}, one_digit).value() == "5");
        Talk without("\n3\n");
        CHECK(without.dialogue.ask({"Digit"}, one_digit).value() == "3");
        CHECK(without.out.str() == "Digit:   an answer is needed\nDigit: ");
    }

    TEST_CASE("nonsense is asked again, three times at most") {
        Talk late("x\n77\n7\n");
        CHECK(late.dialogue.ask({"Digit"}, one_digit).value() == "7");
        Talk never("x\ny\nz\n7\n");
        const auto answer = never.dialogue.ask({"Digit"}, one_digit);
        REQUIRE(!answer);
        CHECK(answer.error().code == Errc::refused);
    }

    TEST_CASE("a line longer than any answer is nonsense once, not an answer to what follows") {
        Talk talk(std::string(5000, '1') + "\n7\n");
        CHECK(talk.dialogue.ask({"Digit"}, one_digit).value() == "7");
    }

    TEST_CASE("the end of the input ends it, even within a line") {
        for (const char* typed : {"", "7"}) {
            Talk talk(typed);
            const auto answer = talk.dialogue.ask({"Digit", "5"}, one_digit);
            REQUIRE(!answer);
            CHECK(answer.error().code == Errc::unavailable);
        }
    }

    TEST_CASE("the command line answers before a person is asked, and is held to the same") {
        Talk good("", with_option("digit", "4"));
        CHECK(good.dialogue.ask({"Digit", "", "digit"}, one_digit).value() == "4");
        CHECK(good.out.str().empty());
        Talk bad("4\n", with_option("digit", "44"));
        const auto answer = bad.dialogue.ask({"Digit", "", "digit"}, one_digit);
        REQUIRE(!answer);
        CHECK(answer.error().code == Errc::malformed);
        CHECK(answer.error().message == "--digit: expected a digit");
    }

    TEST_CASE("--yes takes every default unasked, and fails where there is none") {
        Talk talk("", with_option("yes", ""));
        CHECK(talk.dialogue.ask({"Digit", "5"}, one_digit).value() == "5");
        CHECK(talk.dialogue.choose("Which?", {"a", "b"}, 1).value() == 1);
        CHECK(!talk.dialogue.confirm("Sure?", false).value());
        const auto answer = talk.dialogue.ask({"Digit", "", "digit"}, one_digit);
        REQUIRE(!answer);
        CHECK(answer.error().message == "--yes needs --digit too");
        CHECK(talk.out.str().empty());
    }

    TEST_CASE("choices are numbered from 1") {
        Talk talk("0\n3\n2\n");
        CHECK(talk.dialogue.choose("Which?", {"a", "b"}, 0).value() == 1);
        CHECK(talk.out.str().starts_with("\nWhich?\n  1  a\n  2  b\nNumber [1]: "));
        CHECK(Talk("\n").dialogue.choose("Which?", {"a", "b"}, 1).value() == 1);
    }

    TEST_CASE("yes and no in whole words or letters") {
        CHECK(Talk("y\n").dialogue.confirm("Sure?", false).value());
        CHECK(!Talk("no\n").dialogue.confirm("Sure?", true).value());
        CHECK(Talk("perhaps\n\n").dialogue.confirm("Sure?", true).value());
    }
}

}  // namespace
}  // namespace porchlight::agent::setup
