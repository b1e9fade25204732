#include "agent/table_text.h"

#include "core/text.h"

namespace porchlight::agent {

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
