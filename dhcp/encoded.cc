#include "dhcp/encoded.h"

#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"

namespace porchlight::dhcp {
namespace {

/// One was written, behind its own length, so one is read.
Result<V4DnrInstance> parse_one_instance(Bytes payload) {
    Result<V4Dnr> dnr = parse_v4_dnr(payload);
    if (!dnr) return dnr.error();
    return std::move(dnr->front());
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
        if (octets && octets->size() > left) octets = dns::does_not_fit(octets->size(), left);
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
        if (octets && octets->size() > room) octets = dns::does_not_fit(octets->size(), room);
        if (octets && encoded.options.size() == count_max) octets = dns::too_many(count_max);
        if (octets) {
            encoded.options.push_back(std::move(*octets));
        } else {
            encoded.left_out.push_back(left_out(resolver, octets.error()));
        }
    }
    return encoded;
}

}  // namespace porchlight::dhcp
