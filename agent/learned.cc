#include "agent/learned.h"

#include <algorithm>

#include "core/escape.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds for_ever{0xffffffff};
/// How long a server's information is good where it does not say, and at least (RFC 8415 sections
/// 7.6 and 21.23: IRT_DEFAULT, IRT_MINIMUM).
constexpr std::chrono::seconds refresh_default{86400};
constexpr std::chrono::seconds refresh_min{600};
/// Of what a source told wrong no more is shown.
constexpr std::size_t discarded_max = 16;
constexpr std::size_t octets_shown_max = 64;

std::string sentence(const dhcp::RefusedOption& option) {
    if (option.octets.empty()) return option.why;
    const bool cut = option.octets.size() > octets_shown_max;
    return option.why + " (" +
           to_hex(Bytes(option.octets).first(std::min(option.octets.size(), octets_shown_max))) +
           (cut ? "..." : "") + ")";
}

/// A client asks anew when the information's time is over and not before: until an answer can be
/// there, a lost packet or two included, the offer stands.
std::chrono::seconds lasts_with_refresh(std::chrono::seconds refresh) {
    if (refresh == for_ever) return for_ever;
    refresh = std::max(refresh, refresh_min);
    return refresh + std::max<std::chrono::seconds>(std::chrono::minutes(1), refresh / 10);
}

class RecordReader {
  public:
    RecordReader(const WanRecord& record, const Config& config, const Boot& boot,
                 Clock::time_point now)
        : record_(record),
          forms_(config.announce.forms),
          // Both are cut to whole seconds where the record is written and here, so that a record
          // that is read twice has an end that wavers by a second and no more.
          received_(now - (boot.age - record.received)) {}

    Learned read() {
        learned_.wan = record_.interface;
        learned_.source = record_.source;
        learned_.told_by = record_.told_by;
        if (record_.source == OfferSource::user)
            read_user();
        else
            read_dhcp();
        return std::move(learned_);
    }

  private:
    void read_user() {
        std::uint16_t place = 1;
        for (const ResolverRecord& said : record_.resolvers) {
            if (!said.adn) {
                discard(pointer("", std::size_t{place} - 1) + "/adn: missing");
                continue;
            }
            offer({said.priority.value_or(place), *said.adn, said.addresses, said.params},
                  said.lifetime);
            ++place;
        }
    }

    void read_dhcp() {
        const dhcp::WanOptions options = record_.source == OfferSource::dhcpv4
                                             ? dhcp::read_wan_v4(record_.v4, forms_)
                                             : dhcp::read_wan_v6(record_.v6, forms_);
        std::optional<std::chrono::seconds> lifetime = record_.lifetime;
        // Without a lease, the information has a time of its own.
        if (!lifetime && record_.source == OfferSource::dhcpv6)
            lifetime = lasts_with_refresh(options.refresh.value_or(refresh_default));
        for (const dns::EncryptedResolver& resolver : options.resolvers) offer(resolver, lifetime);
        for (const dhcp::RefusedOption& option : options.refused) discard(sentence(option));
        learned_.plain = options.plain;
    }

    void offer(dns::EncryptedResolver resolver, std::optional<std::chrono::seconds> lifetime) {
        const std::chrono::seconds lasts = lifetime.value_or(for_ever);
        Offer offer{record_.interface, record_.source, std::move(resolver), std::nullopt};
        if (lasts != for_ever) offer.until = received_ + lasts;
        learned_.offers.push_back(std::move(offer));
    }

    void discard(std::string why) {
        if (learned_.discarded.size() < discarded_max) learned_.discarded.push_back(std::move(why));
    }

    const WanRecord& record_;
    const dns::Forms& forms_;
    const Clock::time_point received_;
    Learned learned_;
};

std::string names_of(const Learned& one) {
    std::string names;
    for (const Offer& offer : one.offers)
        names += (names.empty() ? "" : ", ") + dns::to_text(offer.resolver.adn);
    return names.empty() ? "none" : names;
}

const Learned* find(const std::vector<Learned>& all, const Learned& like) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Learned& one) {
        return one.wan == like.wan && one.source == like.source;
    });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Learned> learned_from(const StoredParts& records, const Config& config,
                                  const Boot& boot, Clock::time_point now) {
    std::vector<Learned> all;
    for (const auto& [name, octets] : records) {
        const auto record = parse_wan_record(octets);
        if (!record || name != wan_record_name(record->interface, record->source)) {
            log::warn(
                "what a hook noted of a WAN can't be read",
                {{"file", name}, {"error", record ? "is another's" : record.error().message}});
            continue;
        }
        if (record->boot != boot.id || !is_wan(record->interface, config)) continue;
        all.push_back(RecordReader(*record, config, boot, now).read());
    }
    return all;
}

std::vector<Offer> offers_of(const std::vector<Learned>& learned) {
    std::vector<Offer> offers;
    for (const Learned& one : learned)
        offers.insert(offers.end(), one.offers.begin(), one.offers.end());
    return offers;
}

std::vector<IpAddress> plain_of(const std::vector<Learned>& learned,
                                const std::vector<IpAddress>& advertised) {
    std::vector<IpAddress> all;
    for (const Learned& one : learned) all.insert(all.end(), one.plain.begin(), one.plain.end());
    all.insert(all.end(), advertised.begin(), advertised.end());
    return all;
}

std::vector<Learned> with_advertised(std::vector<Learned> learned,
                                     const std::vector<Offer>& advertised) {
    for (const Offer& offer : advertised) {
        const auto its = std::find_if(learned.begin(), learned.end(), [&](const Learned& one) {
            return one.source == OfferSource::ra && one.wan == offer.wan;
        });
        if (its == learned.end())
            learned.push_back({offer.wan, OfferSource::ra, "its routers", {offer}, {}, {}});
        else
            its->offers.push_back(offer);
    }
    return learned;
}

void log_learned(const std::vector<Learned>& before, const std::vector<Learned>& after) {
    for (const Learned& now : after) {
        const Learned* then = find(before, now);
        const std::string names = names_of(now);
        if (then == nullptr || names != names_of(*then))
            log::info("a WAN offers resolvers", {{"wan", now.wan},
                                                 {"source", std::string(name_of(now.source))},
                                                 {"told_by", now.told_by},
                                                 {"resolvers", names}});
        for (const std::string& why : now.discarded)
            if (then == nullptr || std::find(then->discarded.begin(), then->discarded.end(), why) ==
                                       then->discarded.end())
                log::warn(
                    "an option is discarded",
                    {{"wan", now.wan}, {"source", std::string(name_of(now.source))}, {"why", why}});
    }
    for (const Learned& then : before)
        if (find(after, then) == nullptr)
            log::info("a WAN offers nothing more",
                      {{"wan", then.wan}, {"source", std::string(name_of(then.source))}});
}

}  // namespace porchlight::agent
