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
    if (reads_as_address(resolver.adn)) return "its name reads as an address";
    if (is_adn_only(resolver)) return std::nullopt;
    return why_not_usable(resolver.params);
}

Error does_not_fit(std::size_t size, std::size_t room) {
    return {Errc::refused, "its " + std::to_string(size) + " octets do not fit into the " +
                               std::to_string(room) + " left"};
}

Error too_many(std::size_t count_max) {
    return {Errc::refused, "the server can tell of no more than " + std::to_string(count_max)};
}

Error reads_differently() {
    return {Errc::internal, "it reads back as something else"};
}

std::vector<EncryptedResolver> by_priority(std::vector<EncryptedResolver> resolvers) {
    std::stable_sort(resolvers.begin(), resolvers.end(),
                     [](const auto& a, const auto& b) { return a.priority < b.priority; });
    return resolvers;
}

std::optional<std::string> why_not_sendable(const EncryptedResolver& resolver) {
    if (auto why = why_not_announceable(resolver.adn)) return "its name " + *why;
    if (has_address_hint(resolver.params)) return "it carries an address hint";
    if (!resolver.params.mandatory.empty()) return "it lists mandatory keys";
    if (resolver.params.dohpath && !is_plain_dohpath(*resolver.params.dohpath))
        return "its dohpath has a character for which systemd discards the option";
    return why_not_usable(resolver);
}

template <class Address>
std::vector<Address> announceable(const EncryptedResolver& resolver) {
    std::vector<Address> chosen = of_family<Address>(resolver.addresses);
    std::erase_if(chosen, [](const Address& one) { return !is_announceable(one); });
    return chosen;
}

template std::vector<Ipv4> announceable(const EncryptedResolver&);
template std::vector<Ipv6> announceable(const EncryptedResolver&);

template <class Address>
std::vector<Address> read_addresses(Reader& in, std::size_t count) {
    std::vector<Address> kept;
    for (; count > 0 && !in.failed(); --count) {
        Address address;
        for (std::uint8_t& octet : address.octets) octet = in.u8();
        if (is_receivable(address)) kept.push_back(address);
    }
    if (kept.empty()) in.fail("has no address that a host could use");
    return kept;
}

template std::vector<Ipv4> read_addresses(Reader&, std::size_t);
template std::vector<Ipv6> read_addresses(Reader&, std::size_t);

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
