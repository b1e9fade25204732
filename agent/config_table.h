#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace porchlight::agent::config {

/// What a value of the configuration is. All but the first five are texts in JSON.
enum class Type {
    object,
    list,
    boolean,
    integer,
    secret,    // {"file": path}
    text,      // at least one character
    choice,    // one of `choices`
    duration,  // "90s", to the millisecond
    seconds,   // "90s", whole seconds
    size,      // "8MiB"
    host,      // a name that a server can have
    domain,    // any domain name but the root
    address,   // an IP address
    ipv6,
    nat64_prefix,  // "2001:db8:64::/96"
    loopback,      // an IP address of this machine's own
    endpoint,      // "127.0.0.1:53"
    interface,
    path,     // absolute
    url,      // https
    contact,  // mailto
    tag,      // that dnsmasq knows hosts by
    hardware_address,
    label,  // of a host's name, one of it
    user,   // a name or a number
};

/// One row of the table that the configuration is: the parser, `config print`, the schema and the
/// reference page all come from it.
struct Setting {
    /// A JSON pointer whose step "*" stands for each element of a list.
    std::string_view path{};
    Type type = Type::object;
    /// Bounds of an integer, of a duration in milliseconds, of a size in octets, of the number of
    /// elements of a list. Both 0: none.
    std::int64_t min = 0;
    std::int64_t max = 0;
    /// Words that are accepted, separated by '|'; with a type other than `choice` beside it.
    std::string_view choices{};
    /// JSON that counts where nothing is given; or the pointer of another setting, whose value
    /// counts then. Empty: nothing does. An object with "{}" is filled with its members' defaults.
    std::string_view fallback{};
    /// Why the file must have it, wherever it has the object around it. Empty: it need not.
    std::string_view missing{};
    /// The pointer of another list, whose elements this one's are like. Empty: they have rows of
    /// their own.
    std::string_view like{};
    /// A list that may be given as its only element.
    bool shorthand = false;
    /// Two sentences or more for the manual: the effect, and the unit or what the default means.
    std::string_view help{};
};

/// The whole table: each object before its members, each list before its elements.
std::span<const Setting> settings();

/// The row of a path; null where there is none.
const Setting* find_setting(std::string_view path);
/// The rows directly below an object's path, in the table's order.
std::vector<const Setting*> members_of(std::string_view path);
/// The last step of a setting's path.
std::string_view name_of(const Setting& setting);
/// The words in `choices`.
std::vector<std::string_view> words_of(const Setting& setting);

}  // namespace porchlight::agent::config
