#include "acme/json.h"

#include <nlohmann/json.hpp>

namespace porchlight::acme {
namespace {

using nlohmann::json;

constexpr int depth_max = 16;

const json* member_of(const json& object, const char* member, json::value_t type) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(member);
    return found != object.end() && found->type() == type ? &*found : nullptr;
}

}  // namespace

Result<json> parse_json(std::string_view text) {
    bool too_deep = false;
    const auto watch = [&](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > depth_max;
        return !too_deep;
    };
    if (text.find(char{0}) != text.npos) return Error{Errc::malformed, "not JSON"};
    json value = json::parse(text, watch, false);
    if (too_deep) return Error{Errc::malformed, "JSON nested too deeply"};
    if (value.is_discarded()) return Error{Errc::malformed, "not JSON"};
    return value;
}

std::string text_in(const json& object, const char* member) {
    const json* found = member_of(object, member, json::value_t::string);
    return found != nullptr ? found->get<std::string>() : std::string();
}

std::vector<std::string> texts_in(const json& object, const char* member) {
    std::vector<std::string> texts;
    for (const json& element : array_in(object, member))
        if (element.is_string()) texts.push_back(element.get<std::string>());
    return texts;
}

const json& object_in(const json& object, const char* member) {
    static const json none = json::object();
    const json* found = member_of(object, member, json::value_t::object);
    return found != nullptr ? *found : none;
}

const json& array_in(const json& object, const char* member) {
    static const json none = json::array();
    const json* found = member_of(object, member, json::value_t::array);
    return found != nullptr ? *found : none;
}

std::string json_text(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace porchlight::acme
