#include "agent/config_check.h"

#include <algorithm>
#include <numeric>

#include "agent/config_table.h"
#include "agent/config_type.h"

namespace porchlight::agent::config {
namespace {

constexpr std::size_t found_octets_max = 60;

/// Letters to add, take away, replace or swap until one is the other.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = std::exchange(last, row);
    }
    return last[b.size()];
}

/// What to say of a key that nobody knows: the one that was meant, or else which there are.
std::string unknown_key(std::string_view name, const std::vector<const Setting*>& known) {
    constexpr std::size_t name_octets_max = 64;  // beyond it nothing is near
    const Setting* nearest = nullptr;
    std::size_t nearest_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
    std::string names;
    for (const Setting* setting : known) {
        names += (names.empty() ? "" : ", ") + std::string(name_of(*setting));
        if (name.size() > name_octets_max) continue;
        const std::size_t its = distance(name, name_of(*setting));
        if (its >= nearest_distance || its >= name.size()) continue;
        nearest = setting;
        nearest_distance = its;
    }
    if (nearest != nullptr)
        return "unknown key; did you mean \"" + std::string(name_of(*nearest)) + "\"?";
    return "unknown key; known here: " + names;
}

std::string found(const Value& value) {
    switch (value.kind) {
        case Kind::list:
            return value.members.empty() ? "an empty list"
                                         : "a list of " + std::to_string(value.members.size());
        case Kind::object:
            return "an object";
        default:
            break;
    }
    std::string text = to_json_line(value);
    if (text.size() > found_octets_max) text = text.substr(0, found_octets_max) + "...";
    return text;
}

/// Where a secret belongs nothing is quoted: it may be one.
std::string found_unquoted(const Value& value) {
    switch (value.kind) {
        case Kind::text:
            return "text, which is not shown";
        case Kind::number:
            return "a number, which is not shown";
        default:
            return found(value);
    }
}

class Checker {
  public:
    explicit Checker(std::string_view file) : file_(file) {}

    void check(const Setting& setting, const Value& value, const std::string& pointer) {
        const std::string element(std::string(setting.path) + "/*");
        if (setting.shorthand && value.kind != Kind::list) {
            check_shorthand(*find_setting(element), value, pointer);
            return;
        }
        const bool guarded = setting.type == Type::secret || in_secret_;
        if (!accepts(setting, value)) {
            complain(pointer, "expected " + expectation(setting) + ", found " +
                                  (guarded ? found_unquoted(value) : found(value)));
            return;
        }
        if (value.kind == Kind::list) {
            for (std::size_t i = 0; i < value.members.size(); ++i)
                check(*find_setting(element), value.members[i].value, below(pointer, i));
        } else if (value.kind == Kind::object) {
            const bool outer = std::exchange(in_secret_, guarded);
            check_members(setting, value, pointer);
            in_secret_ = outer;
        }
    }

    std::vector<Complaint> take() { return std::move(complaints_); }

  private:
    void check_shorthand(const Setting& element, const Value& value, const std::string& pointer) {
        if (accepts(element, value)) return;
        complain(pointer,
                 "expected " + expectation(element) + ", or a list of such, found " + found(value));
    }

    void check_members(const Setting& setting, const Value& object, const std::string& pointer) {
        const std::vector<const Setting*> known = members_of(setting.path);
        for (const Member& given : object.members) {
            const auto row = std::find_if(known.begin(), known.end(), [&](const Setting* member) {
                return name_of(*member) == given.name;
            });
            if (row == known.end())
                complain(below(pointer, given.name), unknown_key(given.name, known));
            else
                check(**row, given.value, below(pointer, given.name));
        }
        for (const Setting* member : known) {
            const std::string_view name = name_of(*member);
            if (!member->missing.empty() && object.find(name) == nullptr)
                complain(below(pointer, name), "missing; " + std::string(member->missing));
        }
    }

    void complain(std::string pointer, std::string text) {
        complaints_.push_back({file_, std::move(pointer), std::move(text)});
    }

    std::string file_;
    bool in_secret_ = false;
    std::vector<Complaint> complaints_;
};

/// `root` is where defaults that are another setting's value are looked up.
class Completer {
  public:
    explicit Completer(const Value& root) : root_(root) {}

    Value complete(const Setting& setting, const Value& value) {
        const Setting* element = find_setting(std::string(setting.path) + "/*");
        if (setting.shorthand && value.kind != Kind::list) {
            Value list(Kind::list);
            list.from_file = value.from_file;
            list.members.push_back({"", complete(*element, value)});
            return list;
        }
        Value whole = value;
        if (value.kind == Kind::list) {
            for (Member& member : whole.members) {
                if (!value.from_file) member.value.from_file = false;
                member.value = complete(*element, member.value);
            }
        } else if (value.kind == Kind::object) {
            whole.members = members(setting, value);
        }
        return whole;
    }

  private:
    std::vector<Member> members(const Setting& setting, const Value& object) {
        std::vector<Member> whole;
        for (const Setting* member : members_of(setting.path)) {
            const std::string name(name_of(*member));
            const Value* given = object.find(name);
            if (given != nullptr)
                whole.push_back({name, complete(*member, *given)});
            else if (!member->fallback.empty())
                whole.push_back({name, complete(*member, fallback(*member))});
        }
        return whole;
    }

    Value fallback(const Setting& setting) {
        const Setting* from = &setting;
        while (from->fallback.starts_with('/')) {
            if (const Value* other = find(root_, from->fallback)) {
                Value same = *other;
                same.from_file = false;
                return same;
            }
            from = find_setting(from->fallback);
        }
        Value value = known_json(from->fallback);
        value.from_file = false;
        return value;
    }

    const Value& root_;
};

}  // namespace

std::vector<Complaint> check(std::string_view file_name, const Value& root) {
    Checker checker(file_name);
    checker.check(*find_setting(""), root, "");
    return checker.take();
}

Value complete(const Value& root) {
    return Completer(root).complete(*find_setting(""), root);
}

}  // namespace porchlight::agent::config
