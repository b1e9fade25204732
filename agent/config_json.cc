#include "agent/config_json.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <nlohmann/json.hpp>

namespace porchlight::agent::config {
namespace {

using Json = nlohmann::json;

/// nlohmann's own tree keeps neither the order of keys nor those that stand twice, so this one is
/// made from its events.
class Builder : public nlohmann::json_sax<Json> {
  public:
    Builder(std::string_view file, Bytes json) : file_(file), json_(json) {}

    Parsed take() {
        if (!complaints_.empty()) return {std::nullopt, std::move(complaints_)};
        return {std::move(root_), {}};
    }

    bool null() override { return put(Value()); }
    bool boolean(bool value) override {
        return put(Value(Kind::boolean, value ? "true" : "false"));
    }
    bool number_integer(std::int64_t value) override {
        Value number(Kind::number, std::to_string(value));
        number.integer = value;
        return put(std::move(number));
    }
    bool number_unsigned(std::uint64_t value) override {
        Value number(Kind::number, std::to_string(value));
        if (std::in_range<std::int64_t>(value)) number.integer = static_cast<std::int64_t>(value);
        return put(std::move(number));
    }
    bool number_float(double, const std::string& text) override {
        return put(Value(Kind::number, text));
    }
    bool string(std::string& text) override { return put(Value(Kind::text, std::move(text))); }
    bool binary(Json::binary_t&) override { return false; }  // no JSON text has any

    bool start_object(std::size_t) override { return open(Kind::object); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(Kind::list); }
    bool end_array() override { return close(); }

    bool key(std::string& name) override {
        if (open_.back()->find(name) != nullptr) complain(below(pointer(), name), "given twice");
        key_ = std::move(name);
        return true;
    }

    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception& error) override {
        complain("", place(position) + ": " + reason(error.what()));
        return false;
    }

  private:
    Value* add(Value value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        std::vector<Member>& members = open_.back()->members;
        members.push_back({std::exchange(key_, {}), std::move(value)});
        return &members.back().value;
    }

    bool put(Value value) {
        add(std::move(value));
        return true;
    }

    bool open(Kind kind) {
        if (open_.size() == depth_max) {
            complain("", "nested deeper than " + std::to_string(depth_max) + " levels");
            return false;
        }
        // The address stays: an open value is the last of its parent, which grows only when it is
        // closed.
        open_.push_back(add(Value(kind)));
        return true;
    }

    bool close() {
        open_.pop_back();
        return true;
    }

    std::string pointer() const {
        std::string path;
        for (std::size_t level = 1; level < open_.size(); ++level) {
            const Value& parent = *open_[level - 1];
            path = parent.kind == Kind::list ? below(path, parent.members.size() - 1)
                                             : below(path, parent.members.back().name);
        }
        return path;
    }

    /// `position` counts octets, the one at fault included.
    std::string place(std::size_t position) const {
        const std::size_t at = position == 0 ? 0 : std::min(position - 1, json_.size());
        const std::string_view before = text_of(json_.first(at));
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        const std::size_t column = at - (before.rfind('\n') + 1) + 1;
        return "line " + std::to_string(line) + ", column " + std::to_string(column);
    }

    /// The reason alone: without the library's name, and without what it read last, which may be
    /// a secret in the wrong place.
    static std::string reason(std::string_view what) {
        constexpr std::string_view column = "column ", read = "; last read: '";
        if (const std::size_t at = what.find(column); at != what.npos)
            if (const std::size_t end = what.find(": ", at); end != what.npos)
                what.remove_prefix(end + 2);
        const std::size_t quoted = what.find(read);
        if (quoted == what.npos) return std::string(what);
        const std::size_t end = what.rfind('\'');
        return std::string(what.substr(0, quoted)) + std::string(what.substr(end + 1));
    }

    void complain(std::string pointer, std::string text) {
        complaints_.push_back({file_, std::move(pointer), std::move(text)});
    }

    std::string file_;
    Bytes json_;
    std::vector<Complaint> complaints_;
    Value root_;
    std::vector<Value*> open_;  // from the outermost object or list to the innermost
    std::string key_;
};

std::string quoted(const std::string& text) {
    return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// `indent` is the level's, or nothing for one line.
void append_json(std::string& out, const Value& value, std::optional<std::size_t> indent) {
    switch (value.kind) {
        case Kind::null:
            out += "null";
            return;
        case Kind::boolean:
        case Kind::number:
            out += value.text;
            return;
        case Kind::text:
            out += quoted(value.text);
            return;
        case Kind::list:
        case Kind::object:
            break;
    }
    const bool list = value.kind == Kind::list;
    const auto scalar = [](const Member& member) { return member.value.members.empty(); };
    // A list of plain values reads best in one line.
    const bool one_line =
        !indent || (list && std::all_of(value.members.begin(), value.members.end(), scalar));
    const std::size_t level = indent.value_or(0);
    const auto line = [&](std::size_t blanks) {
        if (!one_line && !value.members.empty()) out += "\n" + std::string(blanks, ' ');
    };
    out += list ? "[" : "{";
    for (std::size_t i = 0; i < value.members.size(); ++i) {
        if (i > 0) out += one_line ? ", " : ",";
        line(level + 2);
        if (!list) out += quoted(value.members[i].name) + ": ";
        append_json(out, value.members[i].value,
                    one_line ? std::nullopt : std::optional(level + 2));
    }
    line(level);
    out += list ? "]" : "}";
}

std::optional<std::size_t> parse_index(std::string_view text) {
    std::size_t index = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), index);
    const bool whole = ec == std::errc() && end == text.data() + text.size();
    if (!whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    return index;
}

}  // namespace

Value::Value() = default;

Value::Value(Kind its_kind, std::string its_text) : kind(its_kind), text(std::move(its_text)) {}

Value* Value::find(std::string_view name) {
    return const_cast<Value*>(std::as_const(*this).find(name));
}

const Value* Value::find(std::string_view name) const {
    if (kind == Kind::list) {
        const auto index = parse_index(name);
        return index && *index < members.size() ? &members[*index].value : nullptr;
    }
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const Member& member) { return member.name == name; });
    return found == members.end() ? nullptr : &found->value;
}

Parsed read_json(std::string_view file_name, Bytes json) {
    if (json.size() > file_octets_max) {
        const std::string most = std::to_string(file_octets_max >> 10);
        return {std::nullopt,
                {{std::string(file_name), "", "larger than " + most + " KiB, far beyond any use"}}};
    }
    // The library takes one for the end, and what follows would be lost at the next write.
    if (const auto nul = std::ranges::find(json, std::uint8_t{0}); nul != json.end()) {
        const std::string at = std::to_string(nul - json.begin());
        return {std::nullopt,
                {{std::string(file_name), "", "expected text, found a NUL octet at " + at}}};
    }
    Builder builder(file_name, json);
    Json::sax_parse(json.begin(), json.end(), &builder);
    return builder.take();
}

Value known_json(std::string_view text) {
    Parsed parsed = read_json("", bytes_of(text));
    assert(parsed.value);
    return std::move(*parsed.value);
}

Value text_value(std::string_view text) {
    return Value(Kind::text, std::string(text));
}

std::string to_json(const Value& value) {
    std::string out;
    append_json(out, value, 0);
    return out;
}

std::string to_json_line(const Value& value) {
    std::string out;
    append_json(out, value, std::nullopt);
    return out;
}

std::string below(std::string_view pointer, std::string_view name) {
    std::string path(pointer);
    path += '/';
    for (char c : name) {
        if (c == '~')
            path += "~0";
        else if (c == '/')
            path += "~1";
        else
            path += c;
    }
    return path;
}

std::string below(std::string_view pointer, std::size_t index) {
    return below(pointer, std::to_string(index));
}

std::optional<std::vector<std::string>> parse_pointer(std::string_view pointer) {
    std::vector<std::string> steps;
    if (!pointer.empty() && pointer.front() != '/') return std::nullopt;
    for (std::size_t at = 0; at < pointer.size(); ++at) {
        if (pointer[at] == '/') {
            steps.emplace_back();
        } else if (pointer[at] == '~') {
            if (++at == pointer.size() || (pointer[at] != '0' && pointer[at] != '1'))
                return std::nullopt;
            steps.back() += pointer[at] == '0' ? '~' : '/';
        } else {
            steps.back() += pointer[at];
        }
    }
    return steps;
}

const Value* find(const Value& root, std::string_view pointer) {
    const auto steps = parse_pointer(pointer);
    const Value* value = steps ? &root : nullptr;
    for (std::size_t i = 0; value != nullptr && i < steps->size(); ++i)
        value = value->find((*steps)[i]);
    return value;
}

}  // namespace porchlight::agent::config
