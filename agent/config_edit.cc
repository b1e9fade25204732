#include "agent/config_edit.h"

#include "agent/config_json.h"
#include "agent/config_table.h"
#include "agent/config_type.h"

namespace porchlight::agent::config {
namespace {

/// The row for the value that `step` leads to from a value of `setting`.
const Setting* step_into(const Setting& setting, std::string_view step) {
    const std::string path(setting.path);
    return find_setting(setting.type == Type::list ? path + "/*" : below(path, step));
}

const Setting* find_row(const std::vector<std::string>& steps) {
    const Setting* setting = find_setting("");
    for (const std::string& step : steps) {
        setting = step_into(*setting, step);
        if (setting == nullptr) return nullptr;
    }
    return setting;
}

/// The value that a person wrote for `setting`; nothing if it is not even JSON where JSON is
/// needed. The table judges the rest.
std::optional<Value> read_value(const Setting& setting, std::string_view text) {
    if (setting.shorthand && !text.starts_with('[') && text != "null")
        return read_value(*find_setting(std::string(setting.path) + "/*"), text);
    if (is_textual(setting.type) && !text.starts_with('"') && text != "null")
        return text_value(text);
    return read_json("", bytes_of(text)).value;
}

/// The member of `parent` that `step` names, made where it is missing; null where a list has no
/// such place.
Value* reach(Value& parent, const Setting& setting, const std::string& step) {
    if (setting.type == Type::list) {
        if (parent.kind != Kind::list && parent.kind != Kind::null) {
            Value list(Kind::list);
            list.members.push_back({"", std::move(parent)});
            parent = std::move(list);
        }
        parent.kind = Kind::list;
        if (step != "-" && step != std::to_string(parent.members.size())) return parent.find(step);
        parent.members.emplace_back();
        return &parent.members.back().value;
    }
    if (parent.kind == Kind::null) parent.kind = Kind::object;
    if (parent.kind != Kind::object) return nullptr;
    if (Value* there = parent.find(step)) return there;
    parent.members.push_back({step, {}});
    return &parent.members.back().value;
}

void remove(Value& parent, const Value* member) {
    std::erase_if(parent.members, [&](const Member& one) { return &one.value == member; });
}

}  // namespace

Edited set_value(std::string_view file_name, Bytes json, std::string_view pointer,
                 std::string_view value) {
    const auto refuse = [&](std::string text) {
        return Edited{"", {{std::string(file_name), std::string(pointer), std::move(text)}}};
    };
    Parsed parsed = read_json(file_name, json);
    if (!parsed.value) return {"", std::move(parsed.complaints)};
    const auto steps = parse_pointer(pointer);
    if (!steps || steps->empty())
        return refuse("is no pointer to a setting, such as /resolver/adn");
    const Setting* setting = find_row(*steps);
    if (setting == nullptr) return refuse("there is no such setting");
    std::optional<Value> wanted = read_value(*setting, value);
    if (!wanted) return refuse("expected " + expectation(*setting) + " as JSON");

    Value* parent = nullptr;
    Value* at = &*parsed.value;
    const Setting* row = find_setting("");
    for (const std::string& step : *steps) {
        parent = at;
        at = reach(*parent, *row, step);
        if (at == nullptr) return refuse("there is no such place in the file");
        row = step_into(*row, step);
    }
    if (wanted->kind == Kind::null)
        remove(*parent, at);
    else
        *at = std::move(*wanted);
    Edited edited{to_json(*parsed.value) + '\n', {}};
    edited.complaints = parse_config(file_name, bytes_of(edited.json)).complaints;
    return edited;
}

}  // namespace porchlight::agent::config
