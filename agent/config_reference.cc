#include "agent/config_reference.h"

#include "agent/config_table.h"
#include "agent/config_type.h"
#include "agent/table_text.h"

namespace porchlight::agent::config {
namespace {

constexpr std::size_t columns = 100;

constexpr std::string_view introduction =
    R"(# Configuration

<!-- Made by `porchlight config reference`; a test compares. -->

porchlight reads one file, `/etc/porchlight/porchlight.json` unless `-c FILE` says otherwise: one
JSON object (RFC 8259) without comments. `porchlight check` says what is wrong with each value, all at
once and each with its place; once every value is right, what does not fit together:

```text
porchlight.json#/resolver/dot/port: expected an integer from 1 to 65535, found "853"
porchlight.json#/upstream/0/adn: missing; a strict upstream needs the name on its certificate
porchlight.json#/announce/dhcpv5: unknown key; did you mean "dhcpv4"?
```

The smallest file for a router that is its home's resolver:

```json
{
  "lan": [{"interface": "br-lan"}],
  "resolver": {"adn": "cpe1.example.net"},
  "upstream": [{"adn": "dns.example.org", "addresses": "192.0.2.53"}],
  "certificate": {"files": {"chain": "/etc/porchlight/chain.pem", "key": "/etc/porchlight/key.pem"}}
}
```

`porchlight config print` shows every value in force and where it comes from, `porchlight config set
POINTER VALUE` changes one, `porchlight config schema` prints a JSON Schema for editors. A running
daemon takes a changed file at SIGHUP, whole or, if anything is wrong with it, not at all.

A duration is a whole number with its unit: `"500ms"`, `"90s"`, `"10min"` (or `"10m"`), `"12h"`,
`"7d"`. A size is one with `B`, `KiB`, `MiB` or `GiB`. Where a list may be given as its only element,
`"directory": "https://ca.example/directory"` means the same as with `[` and `]` around the URL.
In the pointers below `*` stands for the number of an element, from 0.
)";

std::string upper_first(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
        text[0] = static_cast<char>(text[0] - 32);
    return text;
}

std::string default_text(const Setting& setting) {
    if (!setting.missing.empty())
        return setting.path.rfind('/') == 0 ? " Required." : " Required where its parent is given.";
    if (setting.fallback.empty()) return setting.path.ends_with("/*") ? "" : " No default.";
    if (setting.type == Type::object) return "";
    if (setting.fallback.starts_with('/'))
        return " Default: that of `" + std::string(setting.fallback) + "`.";
    return " Default: `" + std::string(setting.fallback) + "`.";
}

/// Headings: a section of the file, and a setting in it.
std::string entry(const Setting& setting) {
    const bool section = setting.path.rfind('/') == 0;
    const std::string like =
        setting.like.empty() ? "" : " Its elements are as in `" + std::string(setting.like) + "`.";
    return std::string(section ? "\n## `" : "\n### `") + std::string(setting.path) + "`\n\n" +
           wrapped(upper_first(expectation(setting)) + '.' + default_text(setting) + like, "",
                   columns) +
           '\n' + wrapped(setting.help, "", columns);
}

}  // namespace

std::string reference_page() {
    std::string page(introduction);
    for (const Setting& setting : settings())
        if (!setting.path.empty()) page += entry(setting);
    return page;
}

}  // namespace porchlight::agent::config
