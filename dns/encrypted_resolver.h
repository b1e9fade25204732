#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/address.h"
#include "core/result.h"
#include "dns/name.h"
#include "dns/svc_params.h"

namespace porchlight::dns {

/// An encrypted DNS resolver as a network tells its hosts of it: what every carrier (DHCPv4,
/// DHCPv6, Router Advertisement, DDR) renders and every receiver learns (RFC 9463 section 3.1).
struct EncryptedResolver {
    std::uint16_t priority = 1;        // Service Priority, 1 to 65535; the smaller is tried first
    Name adn;                          // authentication domain name
    std::vector<IpAddress> addresses;  // in order of preference; both families may stand here
    SvcParams params;                  // protocols, port, DoH template
    bool operator==(const EncryptedResolver&) const = default;
};

/// Neither addresses nor parameters: hosts ask for both at `_dns.<ADN>` (RFC 9463 section 3.1.6).
inline bool is_adn_only(const EncryptedResolver& resolver) {
    return resolver.addresses.empty() && resolver.params == SvcParams();
}

/// Why a host can't use what is well formed, or nothing if it can: priority 0, a name that reads as
/// an address, or what why_not_usable says of the parameters. An ADN-only entry is usable by those
/// who look it up.
std::optional<std::string> why_not_usable(const EncryptedResolver& resolver);

/// A resolver that a carrier had no way to tell hosts of.
struct LeftOut {
    std::uint16_t priority = 1;
    Name adn;
    std::string why;
    bool operator==(const LeftOut&) const = default;
};

/// Why an encoding is left out: it has `size` octets and `room` are left; its carrier can tell of
/// no more than `count_max`; the carrier's own strict parser made something else of it.
Error does_not_fit(std::size_t size, std::size_t room);
Error too_many(std::size_t count_max);
Error reads_differently();

/// By Service Priority; equal ones stay in the order they had.
std::vector<EncryptedResolver> by_priority(std::vector<EncryptedResolver> resolvers);

/// Why hosts must not be told of it at all, or nothing: not usable, no host's name, an address hint
/// among the parameters (RFC 9463 section 3.1.8). Nor of what is legal but makes systemd refuse an
/// entry, and in DHCPv4 its neighbours with it: an underscore in the name, mandatory keys, a
/// dohpath that is not plain.
std::optional<std::string> why_not_sendable(const EncryptedResolver& resolver);

/// The octets of `option`, one carrier's rendering of `resolver`. They leave only after the
/// carrier's own strict `parse` made the same of them again: a host discards what it can't read,
/// and in DHCPv4 its neighbours with it.
template <class Option, class Parse>
Result<Buffer> encode_checked(const EncryptedResolver& resolver, const Option& option,
                              Parse parse) {
    if (auto why = why_not_sendable(resolver)) return Error{Errc::refused, *std::move(why)};
    if (option.addresses.empty() && !is_adn_only(resolver))
        return Error{Errc::refused, "it has no address of this family that hosts could use"};
    Writer out;
    write(out, option);
    Result<Buffer> octets = out.take();
    if (!octets) return octets;
    const auto parsed = parse(*octets);
    if (!parsed) return parsed.error();
    if (*parsed != option) return reads_differently();
    return octets;
}

/// The addresses of one family, in order.
template <class Address>
std::vector<Address> of_family(const std::vector<IpAddress>& addresses) {
    std::vector<Address> chosen;
    for (const IpAddress& address : addresses)
        if (const auto* one = std::get_if<Address>(&address)) chosen.push_back(*one);
    return chosen;
}

/// The addresses of one family that may be announced, in order.
template <class Address>
std::vector<Address> announceable(const EncryptedResolver& resolver);

/// An authentication domain name, which must end where the reader ends (RFC 9463 section 3.1.8)
/// and be a host's name: no certificate vouches for another.
Name read_adn(Reader& in);

/// `count` addresses, at least one. Those that are not receivable are dropped in silence (RFC 9463
/// sections 4.2, 5.2 and 6.2); if none is left the reader fails.
template <class Address>
std::vector<Address> read_addresses(Reader& in, std::size_t count);

/// As above, to the reader's end.
template <class Address>
std::vector<Address> read_addresses(Reader& in) {
    constexpr std::size_t size = sizeof(Address::octets);
    return read_addresses<Address>(in, (in.size() + size - 1) / size);
}

template <class Address>
void write_addresses(Writer& out, const std::vector<Address>& addresses) {
    for (const Address& address : addresses) out.bytes(address);
}

/// Parameters to the reader's end, without the address hints that DNR forbids.
SvcParams read_dnr_params(Reader& in);

}  // namespace porchlight::dns
