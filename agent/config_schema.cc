#include <nlohmann/json.hpp>

#include "agent/config_reference.h"
#include "agent/config_table.h"
#include "agent/config_type.h"

namespace porchlight::agent::config {
namespace {

using Json = nlohmann::ordered_json;

Json schema_of(const Setting& setting);

Json object_schema(const Setting& setting) {
    Json schema = {{"type", "object"}};
    Json properties = Json::object(), required = Json::array();
    for (const Setting* member : members_of(setting.path)) {
        properties[std::string(name_of(*member))] = schema_of(*member);
        if (!member->missing.empty()) required.push_back(name_of(*member));
    }
    schema["properties"] = std::move(properties);
    if (!required.empty()) schema["required"] = std::move(required);
    schema["additionalProperties"] = false;
    return schema;
}

Json list_schema(const Setting& setting) {
    const Json element = schema_of(*find_setting(std::string(setting.path) + "/*"));
    Json list = {{"type", "array"}, {"items", element}};
    if (setting.min > 0) list["minItems"] = setting.min;
    if (setting.max > 0) list["maxItems"] = setting.max;
    if (!setting.shorthand) return list;
    return {{"anyOf", Json::array({list, element})}};
}

/// The regular expression that the text of `type` has to match; empty: any.
std::string_view pattern(Type type) {
    switch (type) {
        case Type::text:
            return ".";
        case Type::duration:
            return "^[0-9]+(ms|s|m|min|h|d)$";
        case Type::seconds:
            return "^[0-9]+(s|m|min|h|d|000ms)$";
        case Type::size:
            return "^[0-9]+(B|KiB|MiB|GiB)$";
        case Type::interface:
            return "^[^/: ]{1,15}$";
        case Type::path:
            return "^/";
        case Type::url:
            return "^https://";
        case Type::contact:
            return "^mailto:[^ ,?]+@[^ ,?]+$";
        case Type::tag:
            return "^[A-Za-z0-9_-]{1,16}$";
        case Type::hardware_address:
            return "^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$";
        case Type::label:
            return "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";
        case Type::user:
            return "^[A-Za-z0-9._][A-Za-z0-9._-]{0,31}$";
        default:
            return "";
    }
}

Json scalar_schema(const Setting& setting) {
    if (setting.type == Type::boolean) return {{"type", "boolean"}};
    if (setting.type == Type::integer)
        return {{"type", "integer"}, {"minimum", setting.min}, {"maximum", setting.max}};
    if (setting.type == Type::choice) return {{"enum", words_of(setting)}};
    Json schema = {{"type", "string"}};
    if (const std::string_view one = pattern(setting.type); !one.empty()) schema["pattern"] = one;
    return schema;
}

Json schema_of(const Setting& setting) {
    Json schema;
    switch (setting.type) {
        case Type::object:
        case Type::secret:
            schema = object_schema(setting);
            break;
        case Type::list:
            schema = list_schema(setting);
            break;
        default:
            schema = scalar_schema(setting);
    }
    schema["description"] = setting.help;
    const bool of_another = setting.fallback.starts_with('/');
    if (!setting.fallback.empty() && !of_another && setting.type != Type::object)
        schema["default"] = Json::parse(setting.fallback);
    return schema;
}

}  // namespace

std::string json_schema() {
    Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                   {"title", "porchlight's configuration"}};
    schema.update(schema_of(*find_setting("")));
    return schema.dump(2) + '\n';
}

}  // namespace porchlight::agent::config
