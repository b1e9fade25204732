#include "agent/setup_dialogue.h"

#include <array>
#include <istream>
#include <limits>
#include <ostream>

#include "core/escape.h"

namespace porchlight::agent::setup {
namespace {

std::string trimmed(const std::string& text) {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

}  // namespace

void Dialogue::say(std::string_view text) {
    out_ << text << std::flush;
}

Result<std::string> Dialogue::ask(const Question& question, const Judge& judge) {
    const std::string option(question.option);
    if (!option.empty() && arguments_.has(option)) {
        std::string answer = arguments_.value(option);
        if (const std::string why = judge(answer); !why.empty())
            return Error{Errc::malformed, "--" + option + ": " + why};
        return answer;
    }
    if (unasked()) {
        if (!question.fallback.empty()) return question.fallback;
        return Error{Errc::malformed, option.empty()
                                          ? "\"" + std::string(question.text) + "\" has no default"
                                          : "--yes needs --" + option + " too"};
    }
    for (int tries = 0; tries < tries_max; ++tries) {
        out_ << question.text;
        if (!question.fallback.empty()) out_ << " [" << escape(question.fallback) << "]";
        out_ << ": " << std::flush;
        auto line = read_line();
        if (!line) {
            out_ << '\n' << std::flush;
            return line;
        }
        const std::string answer = line->empty() ? question.fallback : *line;
        if (echo_) out_ << escape(answer) << '\n';
        const std::string why = answer.empty() ? "an answer is needed" : judge(answer);
        if (why.empty()) return answer;
        out_ << "  " << why << '\n' << std::flush;
    }
    return Error{Errc::refused, "no answer that could be taken"};
}

Result<std::size_t> Dialogue::choose(std::string_view text, const std::vector<std::string>& choices,
                                     std::size_t fallback) {
    if (unasked()) return fallback;
    out_ << '\n' << text << '\n';
    for (std::size_t i = 0; i < choices.size(); ++i)
        out_ << "  " << i + 1 << "  " << choices[i] << '\n';
    const auto index_of = [&](const std::string& answer) {
        std::size_t i = 0;
        while (i < choices.size() && std::to_string(i + 1) != answer) ++i;
        return i;
    };
    const auto answer =
        ask({"Number", std::to_string(fallback + 1)}, [&](const std::string& number) {
            if (index_of(number) < choices.size()) return std::string();
            return "expected a number from 1 to " + std::to_string(choices.size());
        });
    if (!answer) return answer.error();
    return index_of(*answer);
}

Result<bool> Dialogue::confirm(std::string_view text, bool fallback) {
    const auto is_yes = [](const std::string& answer) { return answer == "yes" || answer == "y"; };
    const auto answer = ask({text, fallback ? "yes" : "no"}, [&](const std::string& word) {
        const bool known = is_yes(word) || word == "no" || word == "n";
        return std::string(known ? "" : "expected yes or no");
    });
    if (!answer) return answer.error();
    return is_yes(*answer);
}

Result<std::string> Dialogue::read_line() {
    std::array<char, line_octets_max> line{};
    in_.getline(line.data(), static_cast<std::streamsize>(line.size()));
    if (in_.eof()) return Error{Errc::unavailable, "the input ended"};
    if (in_.fail()) {
        // Longer than any answer: what is left of it answers no other question.
        in_.clear();
        in_.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return trimmed(line.data());
}

}  // namespace porchlight::agent::setup
