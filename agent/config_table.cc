#include "agent/config_table.h"

#include "agent/config_table_parts.h"
#include "agent/table_text.h"

namespace porchlight::agent::config {
namespace {

std::vector<Setting> whole_table() {
    std::vector<Setting> whole;
    for (const auto& part : {home_settings(), resolving_settings(), guard_settings(),
                             certificate_settings(), process_settings()})
        whole.insert(whole.end(), part.begin(), part.end());
    return whole;
}

/// The row in the table with this very path.
const Setting* find_row(std::string_view path) {
    for (const Setting& setting : settings())
        if (setting.path == path) return &setting;
    return nullptr;
}

}  // namespace

std::span<const Setting> settings() {
    static const std::vector<Setting> whole = whole_table();
    return whole;
}

const Setting* find_setting(std::string_view path) {
    if (const Setting* row = find_row(path)) return row;
    for (const Setting& setting : settings())
        if (!setting.like.empty() && path.starts_with(setting.path))
            return find_row(std::string(setting.like) +
                            std::string(path.substr(setting.path.size())));
    return nullptr;
}

std::vector<const Setting*> members_of(std::string_view path) {
    std::vector<const Setting*> members;
    for (const Setting& setting : settings()) {
        if (setting.path.size() <= path.size() || !setting.path.starts_with(path)) continue;
        const std::string_view rest = setting.path.substr(path.size());
        if (rest.front() == '/' && rest.rfind('/') == 0 && rest != "/*")
            members.push_back(&setting);
    }
    return members;
}

std::string_view name_of(const Setting& setting) {
    return setting.path.substr(setting.path.rfind('/') + 1);
}

std::vector<std::string_view> words_of(const Setting& setting) {
    return alternatives(setting.choices);
}

}  // namespace porchlight::agent::config
