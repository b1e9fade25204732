#include "forwarder/rebinding.h"

#include <algorithm>
#include <array>

#include "core/reader.h"
#include "dns/query.h"
#include "dns/records.h"
#include "dns/svc_params.h"

namespace porchlight::forwarder {
namespace {

/// The first `bits` of an address.
template <std::size_t octets>
struct Prefix {
    std::array<std::uint8_t, octets> first;
    std::uint8_t bits;

    bool holds(const std::array<std::uint8_t, octets>& address) const {
        for (std::size_t i = 0; i * 8 < bits; ++i) {
            const std::size_t left = bits - i * 8;
            const unsigned mask = left >= 8 ? 0xffu : 0xff00u >> left & 0xffu;
            if ((address[i] & mask) != first[i]) return false;
        }
        return true;
    }
};

constexpr Prefix<4> inward_v4[] = {
    {{0}, 8},           // this network; to many systems 0.0.0.0 is themselves
    {{10}, 8},          // RFC 1918
    {{100, 64}, 10},    // RFC 6598
    {{127}, 8},         // loopback
    {{169, 254}, 16},   // link-local, RFC 3927
    {{172, 16}, 12},    // RFC 1918
    {{192, 0, 0}, 29},  // the two ends of a translator or tunnel, RFC 7335
    {{192, 168}, 16},   // RFC 1918
};

constexpr Prefix<16> inward_v6[] = {
    {{}, 96},                                          // unspecified, loopback, IPv4-compatible
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96},  // IPv4-mapped
    {{0xfc}, 7},                                       // unique local, RFC 4193
    {{0xfe, 0x80}, 10},                                // link-local
    {{0xfe, 0xc0}, 10},                                // site-local, RFC 3879
};

constexpr Prefix<16> six_to_four{{0x20, 0x02}, 16};
constexpr Prefix<16> nat64_well_known{{0, 0x64, 0xff, 0x9b}, 96};
constexpr Prefix<16> nat64_local{{0, 0x64, 0xff, 0x9b, 0, 1}, 48};
constexpr std::uint8_t well_known_bits = 96;
/// Of 64:ff9b:1::/48 any part may be a translator's prefix (RFC 8215). The first counts behind
/// whose IPv4 address nothing stands.
constexpr std::uint8_t local_bits[] = {48, 56, 64, 96};

/// RFC 3056 section 2.
Ipv4 embedded_in_6to4(const Ipv6& address) {
    Ipv4 inner;
    std::copy_n(address.octets.begin() + 2, inner.octets.size(), inner.octets.begin());
    return inner;
}

bool is_zero_from(const Ipv6& address, std::size_t end) {
    return std::all_of(address.octets.begin() + static_cast<std::ptrdiff_t>(end),
                       address.octets.end(), [](std::uint8_t octet) { return octet == 0; });
}

std::uint8_t local_length(const Ipv6& address) {
    return *std::find_if(std::begin(local_bits), std::end(local_bits), [&](std::uint8_t bits) {
        return is_zero_from(address, net::embedded_ipv4_end(bits));
    });
}

bool leads_inward_behind(const Ipv6& address, std::uint8_t bits) {
    return leads_inward(net::embedded_ipv4(address, bits));
}

/// The addresses of one family, one behind the other; what is left over is none.
template <class Address, class Leads>
bool any_leads_inward(Reader& in, Leads leads) {
    bool inward = false;
    while (!in.empty()) {
        Address address;
        for (std::uint8_t& octet : address.octets) octet = in.u8();
        inward = inward || in.failed() || leads(address);
    }
    return inward;
}

class Walk {
  public:
    Walk(const RebindingRules& rules, Bytes message)
        : rules_(rules), message_(message), records_(dns::records_of(message)) {}

    Judgement judge(const dns::Question& question) const {
        if (!dns::all_belong(message_, records_, question.name)) return Judgement::foreign;
        if (!rules_.block || is_allowed(question.name)) return Judgement::pass;
        Judgement judgement = Judgement::pass;
        for (const dns::Record& record : records_) {
            if (!leads_inward(record)) continue;
            if (record.section != dns::Section::additional) return Judgement::block;
            judgement = Judgement::pass_without_additional;
        }
        return judgement;
    }

  private:
    bool is_allowed(const dns::Name& name) const {
        return std::any_of(rules_.allow_domains.begin(), rules_.allow_domains.end(),
                           [&](const dns::Name& domain) { return name.is_within(domain); });
    }

    bool leads_inward(const dns::Record& record) const {
        Reader in(record.data);
        switch (record.type) {
            case dns::type::a:
                return v4(in);
            case dns::type::aaaa:
                return v6(in);
            case dns::type::svcb:
            case dns::type::https:
                return service(in);
            default:
                return false;
        }
    }

    /// Leniently, but for the hints: what a client may make of a record that is not quite in form
    /// is the client's affair.
    bool service(Reader& in) const {
        bool inward = false;
        (void)in.u16();  // priority
        (void)dns::read_name(in);
        while (!in.empty()) {
            const std::uint16_t key = in.u16();
            in.counted_u16([&](Reader& value) {
                if (key == dns::key_ipv4hint) inward = v4(value) || inward;
                if (key == dns::key_ipv6hint) inward = v6(value) || inward;
                (void)value.rest();
            });
        }
        return inward || !in.finished();
    }

    bool v4(Reader& in) const {
        return any_leads_inward<Ipv4>(
            in, [](const Ipv4& address) { return forwarder::leads_inward(address); });
    }
    bool v6(Reader& in) const {
        return any_leads_inward<Ipv6>(in, [&](const Ipv6& address) {
            return forwarder::leads_inward(address, rules_.nat64_prefixes);
        });
    }

    const RebindingRules& rules_;
    Bytes message_;
    std::vector<dns::Record> records_;
};

}  // namespace

bool leads_inward(const Ipv4& address) {
    return std::any_of(std::begin(inward_v4), std::end(inward_v4),
                       [&](const auto& prefix) { return prefix.holds(address.octets); });
}

bool leads_inward(const Ipv6& address, const std::vector<net::Nat64Prefix>& nat64_prefixes) {
    const auto& octets = address.octets;
    if (std::any_of(std::begin(inward_v6), std::end(inward_v6),
                    [&](const auto& prefix) { return prefix.holds(octets); }))
        return true;
    if (six_to_four.holds(octets)) return leads_inward(embedded_in_6to4(address));
    // Whichever of them a translator takes it by.
    if (std::any_of(nat64_prefixes.begin(), nat64_prefixes.end(), [&](const auto& prefix) {
            return prefix.holds(address) && leads_inward_behind(address, prefix.bits);
        }))
        return true;
    if (nat64_local.holds(octets)) return leads_inward_behind(address, local_length(address));
    return nat64_well_known.holds(octets) && leads_inward_behind(address, well_known_bits);
}

Judgement judge(const RebindingRules& rules, const dns::Question& question, Bytes response) {
    return Walk(rules, response).judge(question);
}

}  // namespace porchlight::forwarder
