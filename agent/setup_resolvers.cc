#include "agent/setup_resolvers.h"

#include <algorithm>
#include <cctype>

namespace porchlight::agent::setup {
namespace {

/// A row holds what is published of the service: a protocol that works but is not promised is left
/// out. `porchlight setup` shows the addresses before it writes them.
const std::vector<PublicResolver>& table() {
    static const std::vector<PublicResolver> rows = {
        {"Quad9",
         "blocks malicious names",
         "dns.quad9.net",
         {"9.9.9.9", "149.112.112.112", "2620:fe::fe", "2620:fe::9"},
         true,
         {"h2", "h3"}},
        {"Cloudflare",
         "blocks nothing",
         "one.one.one.one",
         {"1.1.1.1", "1.0.0.1", "2606:4700:4700::1111", "2606:4700:4700::1001"},
         false,
         {"h2"}},
        {"Google",
         "blocks nothing",
         "dns.google",
         {"8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"},
         false,
         {"h2"}},
        {"AdGuard",
         "blocks advertisements, trackers and phishing",
         "dns.adguard-dns.com",
         {"94.140.14.14", "94.140.15.15", "2a10:50c0::ad1:ff", "2a10:50c0::ad2:ff"},
         true,
         {"h2"}},
        {"DNS4EU",
         "blocks malicious names",
         "protective.joindns4.eu",
         {"86.54.11.1", "86.54.11.201", "2a13:1001::86:54:11:1", "2a13:1001::86:54:11:201"},
         false,
         {"h2"}},
    };
    return rows;
}

bool same_but_for_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

}  // namespace

std::span<const PublicResolver> public_resolvers() {
    return table();
}

const PublicResolver* find_public_resolver(std::string_view name) {
    for (const PublicResolver& one : table())
        if (same_but_for_case(name, one.name) || same_but_for_case(name, one.adn)) return &one;
    return nullptr;
}

}  // namespace porchlight::agent::setup
