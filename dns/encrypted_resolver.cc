#include "dns/encrypted_resolver.h"

#include <algorithm>

namespace porchlight::dns {
namespace {

bool has_address_hint(const SvcParams& params) {
    return params.other.contains(key_ipv4hint) || params.other.contains(key_ipv6hint);
}

}  // namespace

std::optional<std::string> why_not_usable(const EncryptedResolver& resolver) {
    if (resolver.priority == 0) return "priority 0 has no meaning for a resolver";
    if (is_adn_only(resolver)) return std::nullopt;
    return why_not_usable(resolver.params);
}

std::vector<EncryptedResolver> by_priority(std::vector<EncryptedResolver> resolvers) {
    std::stable_sort(resolvers.begin(), resolvers.end(),
                     [](const auto& a, const auto& b) { return a.priority < b.priority; });
    return resolvers;
}

std::optional<std::string> why_not_sendable(const EncryptedResolver& resolver) {
    if (!is_host_name(resolver.adn)) return "its name is no host's name";
    if (has_address_hint(resolver.params)) return "it carries an address hint";
    return why_not_usable(resolver);
}

Name read_adn(Reader& in) {
    Name adn = read_name(in);
    if (!in.failed() && adn.is_root()) in.fail("has the root as its name");
    if (!in.failed() && !is_host_name(adn)) in.fail("has a name that is no host's name");
    return adn;
}

SvcParams read_dnr_params(Reader& in) {
    SvcParams params = read_svc_params(in);
    if (has_address_hint(params)) in.fail("carries an address hint");
    return params;
}

}  // namespace porchlight::dns
