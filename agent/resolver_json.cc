#include "agent/resolver_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/escape.h"

namespace porchlight::agent {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t lifetime_seconds_max = 0xffffffff;
constexpr std::size_t token_octets_max = 64;  // of a name that stands in a complaint

std::string escape_id(std::string_view id) {
    std::string text;
    for (char c : id) {
        const auto octet = static_cast<std::uint8_t>(c);
        if (octet > ' ' && octet <= '~' && octet != '\\') {
            text += c;
        } else {
            text += '\\';
            for (int unit : {100, 10, 1}) text += static_cast<char>('0' + octet / unit % 10);
        }
    }
    return text;
}

std::optional<std::string> unescape_id(std::string_view text) {
    std::string id;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\') {
            id += text[at];
            continue;
        }
        int octet = 0;
        for (int digit = 0; digit < 3; ++digit) {
            if (++at >= text.size() || text[at] < '0' || text[at] > '9') return std::nullopt;
            octet = octet * 10 + (text[at] - '0');
        }
        if (octet > 255) return std::nullopt;
        id += static_cast<char>(octet);
    }
    return id;
}

Json to_json(const ResolverRecord& record) {
    const dns::SvcParams& params = record.params;
    Json json;
    if (record.priority) json["priority"] = *record.priority;
    if (record.adn) json["adn"] = dns::to_text(*record.adn);
    for (const IpAddress& address : record.addresses) json["addresses"].push_back(to_text(address));
    for (const std::string& id : params.alpn) json["alpn"].push_back(escape_id(id));
    if (params.port) json["port"] = *params.port;
    if (params.dohpath) json["dohpath"] = *params.dohpath;
    for (const std::string& text : record.templates) json["templates"].push_back(text);
    if (record.lifetime) json["lifetime"] = record.lifetime->count();
    for (std::uint16_t key : params.mandatory) json["mandatory"].push_back(dns::key_text(key));
    if (params.no_default_alpn) json["no-default-alpn"] = true;
    for (const auto& [key, value] : params.other)
        json["params"][dns::key_text(key)] = to_hex(value);
    for (const std::string& id : record.request) json["request"].push_back(id);
    if (!record.request_of.empty()) json["of"] = record.request_of;
    json["usable"] = !record.why_not_usable;
    if (record.why_not_usable) json["why"] = *record.why_not_usable;
    return json;
}

/// Watches a text being parsed for a member that stands twice in its object. nlohmann's tree has
/// but one of the two, and what the other said would be lost in silence.
class Repetitions {
  public:
    bool operator()(Json::parse_event_t event, const Json& parsed) {
        using Event = Json::parse_event_t;
        switch (event) {
            case Event::object_start:
            case Event::array_start:
                open_.emplace_back();
                break;
            case Event::key:
                open_.back().member = parsed.get<std::string>();
                if (!open_.back().members.insert(*open_.back().member).second && !error_)
                    error_ = Error{Errc::malformed, place() + ": stands here twice"};
                break;
            case Event::object_end:
            case Event::array_end:
                open_.pop_back();
                [[fallthrough]];
            case Event::value:
                if (!open_.empty()) ++open_.back().elements;
                break;
        }
        return true;  // keep it
    }

    const std::optional<Error>& error() const { return error_; }

  private:
    /// An object or an array whose end has not come yet.
    struct Open {
        std::set<std::string> members;
        std::optional<std::string> member;  // the last one; none: an array
        std::size_t elements = 0;
    };

    std::string place() const {
        std::string at;
        for (const Open& one : open_)
            at = one.member ? pointer(at, *one.member) : pointer(at, one.elements);
        return at;
    }

    std::vector<Open> open_;
    std::optional<Error> error_;
};

/// Reads one object member by member and keeps the first complaint with its place.
class ObjectReader {
  public:
    ObjectReader(const Json& object, std::string place)
        : object_(object), place_(std::move(place)) {}

    ResolverRecord record() {
        ResolverRecord record;
        for (const auto& [name, value] : object_.items())
            read_member(record, name, value, pointer(place_, name));
        return record;
    }

    const std::optional<Error>& error() const { return error_; }

  private:
    void read_member(ResolverRecord& record, const std::string& name, const Json& value,
                     const std::string& at) {
        if (name == "priority") {
            record.priority = static_cast<std::uint16_t>(number(at, value, 0xffff));
        } else if (name == "adn") {
            record.adn = read_name(at, value);
        } else if (name == "addresses") {
            record.addresses = list<IpAddress>(at, value, parse_address, "no IPv4 or IPv6 address");
        } else if (name == "templates") {
            record.templates = texts(at, value);
        } else if (name == "lifetime") {
            record.lifetime = std::chrono::seconds(number(at, value, lifetime_seconds_max));
        } else if (name == "request") {
            record.request = texts(at, value);
        } else if (name == "of") {
            record.request_of = text(at, value);
        } else if (name != "usable" && name != "why") {
            read_param(record.params, name, value, at);
        }
    }

    void read_param(dns::SvcParams& params, const std::string& name, const Json& value,
                    const std::string& at) {
        if (name == "alpn") {
            params.alpn = list<std::string>(at, value, unescape_id,
                                            "a backslash stands before no number from 000 to 255");
        } else if (name == "port") {
            params.port = static_cast<std::uint16_t>(number(at, value, 0xffff));
        } else if (name == "dohpath") {
            params.dohpath = text(at, value);
        } else if (name == "mandatory") {
            params.mandatory = list<std::uint16_t>(at, value, dns::parse_key, "no SvcParamKey");
        } else if (name == "no-default-alpn") {
            if (!value.is_boolean()) return fail(at, "neither true nor false");
            params.no_default_alpn = value.get<bool>();
        } else if (name == "params") {
            read_params(params, value, at);
        } else {
            fail(at, "no member of a resolver");
        }
    }

    void read_params(dns::SvcParams& params, const Json& value, const std::string& place) {
        if (!value.is_object()) return fail(place, "no object");
        for (const auto& [name, hex] : value.items()) {
            const std::string at = pointer(place, name);
            const auto key = dns::parse_key(name);
            if (!key) return fail(at, "no SvcParamKey");
            if (dns::has_member(*key))
                return fail(at, "this key is the member \"" + dns::key_text(*key) + "\"");
            auto octets = octets_from_hex(text(at, hex));
            if (!octets) return fail(at, "no pairs of hexadecimal digits");
            if (!params.other.emplace(*key, *std::move(octets)).second)
                fail(at, "the same key as one before");
        }
    }

    std::optional<dns::Name> read_name(const std::string& at, const Json& value) {
        Result<dns::Name> name = dns::parse_name(text(at, value));
        if (name) return *std::move(name);
        fail(at, "no domain name");
        return std::nullopt;
    }

    std::uint64_t number(const std::string& at, const Json& value, std::uint64_t max) {
        if (value.is_number_unsigned() && value.get<std::uint64_t>() <= max)
            return value.get<std::uint64_t>();
        fail(at, "no integer from 0 to " + std::to_string(max));
        return 0;
    }

    std::string text(const std::string& at, const Json& value) {
        if (value.is_string()) return value.get<std::string>();
        fail(at, "no text");
        return {};
    }

    std::vector<std::string> texts(const std::string& at, const Json& value) {
        return list<std::string>(
            at, value, [](std::string_view item) { return std::optional(std::string(item)); }, "");
    }

    /// An array's texts as `parse` makes them; `why` is what one is where it makes nothing of it.
    template <class Item, class Parse>
    std::vector<Item> list(const std::string& at, const Json& value, Parse parse, const char* why) {
        std::vector<Item> all;
        if (!value.is_array()) {
            fail(at, "no array");
            return all;
        }
        for (std::size_t i = 0; i < value.size(); ++i) {
            const std::string here = pointer(at, i);
            if (std::optional<Item> item = parse(text(here, value[i])))
                all.push_back(*std::move(item));
            else
                fail(here, why);
        }
        return all;
    }

    void fail(const std::string& at, const std::string& why) {
        if (!error_) error_ = Error{Errc::malformed, at + ": " + why};
    }

    const Json& object_;
    std::string place_;
    std::optional<Error> error_;
};

}  // namespace

std::string resolvers_to_json(std::span<const ResolverRecord> records) {
    Json array = Json::array();
    for (const ResolverRecord& record : records) array.push_back(to_json(record));
    // Paths and templates are UTF-8 by their parsers' word; `replace` keeps those made elsewhere
    // from throwing.
    return array.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

Result<std::vector<ResolverRecord>> resolvers_from_json(std::string_view text) {
    Repetitions repetitions;
    const Json array = Json::parse(
        text,
        [&](int, Json::parse_event_t event, Json& parsed) { return repetitions(event, parsed); },
        false);
    // The library takes a NUL for the end.
    if (!array.is_array() || text.find(char{0}) != text.npos)
        return Error{Errc::malformed, "the input is no JSON array"};
    if (repetitions.error()) return *repetitions.error();
    std::vector<ResolverRecord> records;
    for (const Json& item : array) {
        const std::string place = pointer("", records.size());
        if (!item.is_object()) return Error{Errc::malformed, place + ": no object"};
        ObjectReader reader(item, place);
        records.push_back(reader.record());
        if (reader.error()) return *reader.error();
    }
    return records;
}

std::string pointer(std::string_view place, std::string_view member) {
    std::string token;
    for (char c : member.substr(0, token_octets_max))
        token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return std::string(place) + "/" + escape(token);
}

std::string pointer(std::string_view place, std::size_t element) {
    return std::string(place) + "/" + std::to_string(element);
}

std::optional<Buffer> octets_from_hex(std::string_view text) {
    Buffer octets;
    int high = -1;
    for (char c : text) {
        const bool separator = c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ':';
        if (separator && high < 0) continue;
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return std::nullopt;
        if (high < 0) {
            high = digit;
        } else {
            octets.push_back(static_cast<std::uint8_t>(high << 4 | digit));
            high = -1;
        }
    }
    if (high >= 0) return std::nullopt;
    return octets;
}

}  // namespace porchlight::agent
