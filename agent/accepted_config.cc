#include "agent/accepted_config.h"

#include "agent/config_json.h"
#include "agent/state_files.h"

namespace porchlight::agent {
namespace {

constexpr std::string_view default_runtime_directory = "/run/porchlight";

std::string_view after_blanks(std::string_view text) {
    const std::size_t at = text.find_first_not_of(" \t\r\n");
    return at == text.npos ? std::string_view() : text.substr(at);
}

/// The absolute path that stands behind a key, wherever in the text that is.
std::string path_behind(std::string_view key, std::string_view text, std::string_view fallback) {
    const std::string quoted = '"' + std::string(key) + '"';
    const std::size_t at = text.find(quoted);
    if (at == text.npos) return std::string(fallback);
    text = after_blanks(text.substr(at + quoted.size()));
    if (!text.starts_with(':')) return std::string(fallback);
    text = after_blanks(text.substr(1));
    if (!text.starts_with("\"/")) return std::string(fallback);
    text.remove_prefix(1);
    // A path that needs escapes, or lacks its closing quote, is none that can be relied on.
    const std::size_t end = text.find_first_of("\"\\\n");
    if (end == text.npos || text[end] != '"') return std::string(fallback);
    return std::string(text.substr(0, end));
}

}  // namespace

NamedDirectories named_directories(Bytes json) {
    const std::string_view text = text_of(json);
    return {path_behind("state_directory", text, default_state_directory),
            path_behind("runtime_directory", text, default_runtime_directory)};
}

std::optional<AcceptedConfig> find_accepted(Bytes json, Storage& storage) {
    for (const std::string& state :
         {named_directories(json).state, std::string(default_state_directory)}) {
        const std::string file = accepted_config(state);
        if (ConfigResult kept = load_config(file, storage); kept.config)
            return AcceptedConfig{file, std::move(*kept.config)};
    }
    return std::nullopt;
}

UsableConfig usable_config(const std::string& file, Storage& storage) {
    ConfigResult loaded = load_config(file, storage);
    Buffer json;
    if (auto content = storage.read(file)) json = std::move(*content);
    auto accepted = find_accepted(json, storage);
    // A good file knows where the daemon that took it, or what it was then, keeps things.
    if (accepted && loaded.config &&
        accepted->file != accepted_config(loaded.config->state_directory))
        accepted.reset();
    if (accepted) {
        UsableConfig usable{std::move(accepted->config), {}, {}};
        usable.runtime_directory = usable.config->runtime_directory;
        if (!loaded.config)
            usable.notes.push_back(to_text(loaded.complaints.front()) + "; going by " +
                                   accepted->file + ", which was last found good");
        return usable;
    }
    if (loaded.config) {
        std::string runtime = loaded.config->runtime_directory;
        return {std::move(loaded.config), std::move(runtime), {}};
    }
    const NamedDirectories named = named_directories(json);
    UsableConfig none{std::nullopt, named.runtime, {}};
    // It is there for as long as something may be announced; one that can't be read is no proof.
    const auto absent = [&](const std::string& state) {
        const auto kept = storage.read(accepted_config(state));
        return !kept && kept.error().code == Errc::unavailable;
    };
    // What is half typed may have named a directory that can't be known.
    const bool place_known = json.empty() || config::read_json(file, json).value ||
                             text_of(json).find("\"state_directory\"") != std::string_view::npos;
    none.nothing_stands =
        place_known && absent(named.state) && absent(std::string(default_state_directory));
    for (const Complaint& complaint : loaded.complaints) none.notes.push_back(to_text(complaint));
    none.notes.push_back("no configuration that was found good stands in " + named.state);
    return none;
}

}  // namespace porchlight::agent
