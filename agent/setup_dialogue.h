#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "agent/command_line.h"
#include "core/result.h"

namespace porchlight::agent::setup {

/// Asks a person, a line each, unless the command line has answered already. Fails with
/// - `malformed` where the command line's answer can't be taken, or "--yes" finds no default;
/// - `refused` after `tries_max` answers to one question that can't be taken;
/// - `unavailable` at the end of the input.
class Dialogue {
  public:
    static constexpr int tries_max = 3;
    static constexpr std::size_t line_octets_max = 1024;

    struct Question {
        std::string_view text;         // without colon
        std::string fallback = {};     // taken for an empty line; empty: there must be an answer
        std::string_view option = {};  // of the command line, which answers it; empty: none does
    };
    /// Why an answer can't be taken; empty: it can.
    using Judge = std::function<std::string(const std::string& answer)>;

    /// All are borrowed. `echo`: answers come from no terminal, so that they are not to be seen
    /// unless repeated.
    Dialogue(std::istream& in, std::ostream& out, const Arguments& arguments, bool echo)
        : in_(in), out_(out), arguments_(arguments), echo_(echo) {}

    const Arguments& arguments() const { return arguments_; }
    /// Defaults are taken unasked.
    bool unasked() const { return arguments_.has("yes"); }

    void say(std::string_view text);
    Result<std::string> ask(const Question& question, const Judge& judge);
    /// The index of one of `choices`, shown numbered; `fallback` too is an index.
    Result<std::size_t> choose(std::string_view text, const std::vector<std::string>& choices,
                               std::size_t fallback);
    Result<bool> confirm(std::string_view text, bool fallback);

  private:
    Result<std::string> read_line();

    std::istream& in_;
    std::ostream& out_;
    const Arguments& arguments_;
    bool echo_;
};

}  // namespace porchlight::agent::setup
