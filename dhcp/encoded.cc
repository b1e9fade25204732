#include "dhcp/encoded.h"

#include <string>

#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"

namespace porchlight::dhcp {
namespace {

Result<V4DnrInstance> parse_one_instance(Bytes payload) {
    Result<V4Dnr> dnr = parse_v4_dnr(payload);
    if (!dnr) return dnr.error();
    if (dnr->size() != 1) return Error{Errc::internal, "it reads back as several"};
    return std::move(dnr->front());
}

Error does_not_fit(std::size_t size, std::size_t room) {
    return {Errc::refused, "its " + std::to_string(size) + " octets do not fit into the " +
                               std::to_string(room) + " left"};
}

dns::LeftOut left_out(const dns::EncryptedResolver& resolver, const Error& why) {
    return {resolver.priority, resolver.adn, why.message};
}

}  // namespace

EncodedV4 encode_v4(std::span<const dns::EncryptedResolver> resolvers, std::size_t room) {
    EncodedV4 encoded;
    for (const auto& resolver : dns::by_priority({resolvers.begin(), resolvers.end()})) {
        const std::size_t left = room - encoded.payload.size();
        Result<Buffer> octets =
            dns::encode_checked(resolver, v4_dnr_instance(resolver), parse_one_instance);
        if (octets && octets->size() > left) octets = does_not_fit(octets->size(), left);
        if (octets) {
            encoded.payload.insert(encoded.payload.end(), octets->begin(), octets->end());
        } else {
            encoded.left_out.push_back(left_out(resolver, octets.error()));
        }
    }
    return encoded;
}

EncodedV6 encode_v6(std::span<const dns::EncryptedResolver> resolvers, std::size_t count_max,
                    std::size_t room) {
    EncodedV6 encoded;
    for (const auto& resolver : dns::by_priority({resolvers.begin(), resolvers.end()})) {
        Result<Buffer> octets = dns::encode_checked(resolver, v6_dnr(resolver), parse_v6_dnr);
        if (octets && octets->size() > room) octets = does_not_fit(octets->size(), room);
        if (octets && encoded.options.size() == count_max)
            octets = Error{Errc::refused, "the DHCPv6 server can tell of no more than " +
                                              std::to_string(count_max)};
        if (octets) {
            encoded.options.push_back(std::move(*octets));
        } else {
            encoded.left_out.push_back(left_out(resolver, octets.error()));
        }
    }
    return encoded;
}

}  // namespace porchlight::dhcp
