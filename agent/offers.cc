#include "agent/offers.h"

#include <algorithm>

namespace porchlight::agent {
namespace {

constexpr std::uint32_t priority_max = 65535;

Bytes octets_of(const IpAddress& address) {
    return std::visit([](const auto& one) { return Bytes(one); }, address);
}

bool is_within(const IpAddress& address, const net::LinkAddress& network) {
    if (address.index() != network.address.index()) return false;
    const Bytes a = octets_of(address), b = octets_of(network.address);
    for (unsigned bit = 0; bit < network.prefix && bit < 8 * a.size(); ++bit)
        if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
    return true;
}

bool is_link_local_of_either(const IpAddress& address) {
    if (const auto* v6 = std::get_if<Ipv6>(&address)) return is_link_local(*v6);
    const Ipv4& v4 = std::get<Ipv4>(address);
    return v4.octets[0] == 169 && v4.octets[1] == 254;  // RFC 3927
}

/// The place of `name` in the list.
std::size_t place_of(const std::string& name, const std::vector<WanConfig>& wans) {
    const auto found = std::find_if(wans.begin(), wans.end(),
                                    [&](const WanConfig& wan) { return wan.interface == name; });
    return static_cast<std::size_t>(found - wans.begin());
}

bool is_lan(const std::string& name, const std::vector<LanConfig>& lans) {
    return std::any_of(lans.begin(), lans.end(),
                       [&](const LanConfig& lan) { return lan.interface == name; });
}

class Sieve {
  public:
    Sieve(const Config& config, std::span<const net::Link> links)
        : config_(config), links_(links) {}

    void take(Offer offer) {
        if (!is_wan(offer.wan, config_)) {
            std::string why = offer.wan + " is no interface of wan";
            return refuse(std::move(offer), std::move(why));
        }
        if (auto why = dns::why_not_sendable(offer.resolver))
            return refuse(std::move(offer), *std::move(why));
        std::vector<IpAddress> kept;
        std::string why_last;
        for (const IpAddress& address : offer.resolver.addresses) {
            const std::string why = why_not_beyond(config_, links_, address);
            if (why.empty())
                kept.push_back(address);
            else
                why_last = to_text(address) + " " + why;
        }
        if (!why_last.empty() && kept.empty()) return refuse(std::move(offer), why_last);
        if (!why_last.empty()) sifted_.refused.push_back({offer, why_last});
        offer.resolver.addresses = std::move(kept);
        keep(std::move(offer));
    }

    Sifted finish() {
        order();
        number();
        return std::move(sifted_);
    }

  private:
    void keep(Offer offer) {
        std::size_t of_source = 0;
        for (Offer& other : sifted_.told) {
            if (same_resolver(other, offer)) return join(other, std::move(offer));
            if (other.wan == offer.wan && other.source == offer.source) ++of_source;
        }
        if (of_source == offers_per_source_max)
            return refuse(std::move(offer),
                          "there are " + std::to_string(offers_per_source_max) + " before it");
        sifted_.told.push_back(std::move(offer));
    }

    static bool same_resolver(const Offer& a, const Offer& b) {
        return a.resolver.adn == b.resolver.adn && a.resolver.params == b.resolver.params &&
               a.resolver.addresses == b.resolver.addresses;
    }

    /// What is told stays where the preferred of both stands.
    void join(Offer& told, Offer again) const {
        const auto later = told.until && again.until
                               ? std::optional(std::max(*told.until, *again.until))
                               : std::nullopt;
        if (group_of(again) < group_of(told)) told = std::move(again);
        told.until = later;
    }

    /// Where offers of one group are told before all of the next.
    std::pair<std::size_t, int> group_of(const Offer& offer) const {
        const bool dhcp =
            offer.source == OfferSource::dhcpv4 || offer.source == OfferSource::dhcpv6;
        return {place_of(offer.wan, config_.wan), offer.source == OfferSource::user ? 0
                                                  : dhcp                            ? 1
                                                                                    : 2};
    }

    void order() {
        std::stable_sort(sifted_.told.begin(), sifted_.told.end(),
                         [this](const Offer& a, const Offer& b) {
                             const auto first = group_of(a), second = group_of(b);
                             if (first != second) return first < second;
                             return a.resolver.priority < b.resolver.priority;
                         });
    }

    /// In their order: as offered, but those of a group behind those of the one before. Where that
    /// leaves too little room, the order alone is kept, from 1 on.
    void number() {
        std::vector<std::uint32_t> numbers;
        std::uint32_t last = 0, shift = 0;
        for (std::size_t i = 0; i < sifted_.told.size(); ++i) {
            const std::uint32_t offered = sifted_.told[i].resolver.priority;
            if (i == 0 || group_of(sifted_.told[i - 1]) != group_of(sifted_.told[i]))
                shift = offered > last ? 0 : last + 1 - offered;
            numbers.push_back(last = offered + shift);
        }
        std::uint32_t place = 0;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            if (i == 0 || numbers[i] != numbers[i - 1]) ++place;
            const std::uint32_t number = last > priority_max ? place : numbers[i];
            sifted_.told[i].resolver.priority = static_cast<std::uint16_t>(number);
        }
    }

    void refuse(Offer offer, std::string why) {
        sifted_.refused.push_back({std::move(offer), std::move(why)});
    }

    const Config& config_;
    std::span<const net::Link> links_;
    Sifted sifted_;
};

}  // namespace

Sifted sift(const Config& config, std::span<const net::Link> links, std::span<const Offer> offers) {
    // Where a source tells of too many, the preferred ones get in.
    std::vector<Offer> preferred(offers.begin(), offers.end());
    std::stable_sort(preferred.begin(), preferred.end(), [](const Offer& a, const Offer& b) {
        return a.resolver.priority < b.resolver.priority;
    });
    Sieve sieve(config, links);
    for (Offer& offer : preferred) sieve.take(std::move(offer));
    return sieve.finish();
}

std::string why_not_beyond(const Config& config, std::span<const net::Link> links,
                           const IpAddress& address) {
    if (is_link_local_of_either(address)) return "is link-local: hosts are on another link";
    if (!is_announceable(address)) return "is no address that hosts could reach";
    for (const net::Link& link : links) {
        for (const net::LinkAddress& own : link.addresses) {
            if (own.address == address) return "is this router's own";
            if (is_lan(link.name, config.lan) && is_within(address, own))
                return "is within the home, on " + link.name;
        }
    }
    return "";
}

bool is_wan(std::string_view interface, const Config& config) {
    return std::any_of(config.wan.begin(), config.wan.end(),
                       [&](const WanConfig& wan) { return wan.interface == interface; });
}

std::vector<Offer> still_offered(std::span<const Offer> offers, Clock::time_point now) {
    std::vector<Offer> left;
    for (const Offer& offer : offers)
        if (!offer.until || *offer.until > now) left.push_back(offer);
    return left;
}

std::optional<Clock::time_point> first_end(std::span<const Offer> offers) {
    std::optional<Clock::time_point> first;
    for (const Offer& offer : offers)
        if (offer.until && (!first || *offer.until < *first)) first = offer.until;
    return first;
}

}  // namespace porchlight::agent
