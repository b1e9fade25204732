#include "agent/table_text.h"

#include <algorithm>

namespace porchlight::agent {
namespace {

/// Takes what stands before the next `separator` from the front of `text`.
std::string_view take_until(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
}

}  // namespace

std::vector<std::string_view> alternatives(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) words.push_back(take_until(text, '|'));
    return words;
}

std::string wrapped(std::string_view text, std::string_view indent, std::size_t columns) {
    std::string lines, line;
    while (!text.empty()) {
        const std::string_view word = take_until(text, ' ');
        if (!line.empty() && indent.size() + line.size() + 1 + word.size() > columns) {
            lines += std::string(indent) + line + '\n';
            line.clear();
        }
        if (!line.empty()) line += ' ';
        line += word;
    }
    return lines + std::string(indent) + line + '\n';
}

}  // namespace porchlight::agent
