#include "agent/setup_radvd.h"

namespace porchlight::agent::setup {
namespace {

/// Words, braces and semicolons of a radvd.conf, without its comments.
std::vector<std::string> tokens_of(std::string_view text) {
    std::vector<std::string> tokens;
    std::string word;
    const auto end_word = [&] {
        if (!word.empty()) tokens.push_back(std::move(word));
        word.clear();
    };
    bool comment = false;
    for (char c : text) {
        comment = (comment || c == '#') && c != '\n';
        if (comment || c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            end_word();
        } else if (c == '{' || c == '}' || c == ';') {
            end_word();
            tokens.emplace_back(1, c);
        } else if (c != '"') {
            word += c;
        }
    }
    end_word();
    return tokens;
}

}  // namespace

RadvdFound read_radvd(const std::vector<std::string>& arguments, const std::string& directory,
                      Storage& storage) {
    RadvdFound found;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        const bool next = i + 1 < arguments.size();
        if ((word == "-C" || word == "--config") && next)
            found.config_file = arguments[i + 1];
        else if (word.starts_with("--config="))
            found.config_file = word.substr(word.find('=') + 1);
        else if (word.starts_with("-C") && word.size() > 2)
            found.config_file = word.substr(2);
    }
    if (!found.config_file.starts_with('/')) {
        // A daemon has left the directory that it was started in.
        if (directory.empty() || directory == "/") return found;
        found.config_file = directory + "/" + found.config_file;
    }
    const auto text = storage.read(found.config_file);
    if (!text) return found;
    found.known = true;
    found.interfaces = advertised_by_radvd(text_of(*text));
    return found;
}

std::vector<std::string> advertised_by_radvd(std::string_view config) {
    const std::vector<std::string> tokens = tokens_of(config);
    std::vector<std::string> interfaces;
    std::string current;
    int depth = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const std::string& token = tokens[i];
        const bool next = i + 1 < tokens.size();
        if (token == "{") ++depth;
        if (token == "}") --depth;
        if (depth == 0 && token == "interface" && next) current = tokens[++i];
        if (depth == 1 && token == "AdvSendAdvert" && next && tokens[i + 1] == "on")
            interfaces.push_back(current);
    }
    return interfaces;
}

}  // namespace porchlight::agent::setup
