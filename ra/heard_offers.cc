#include "ra/heard_offers.h"

#include <algorithm>
#include <utility>

#include "ra/options.h"
#include "ra/pvd_option.h"
#include "ra/rdnss_option.h"

namespace porchlight::ra {
namespace {

constexpr std::size_t shown_octets_max = 64;  // of an option, for people

std::string shown(const Buffer& option) {
    const bool whole = option.size() <= shown_octets_max;
    return to_hex(Bytes(option).first(std::min(option.size(), shown_octets_max))) +
           (whole ? "" : "...");
}

/// Of what ends, as a Lifetime counted from the clock's beginning: unlike one that is counted from
/// now it stays the same as time passes.
std::chrono::seconds since_beginning(Clock::time_point until) {
    if (until == HeardOffers::never) return std::chrono::seconds::max();
    return std::chrono::floor<std::chrono::seconds>(until.time_since_epoch());
}

Clock::time_point from_beginning(std::chrono::seconds lifetime) {
    if (lifetime == std::chrono::seconds::max()) return HeardOffers::never;
    return Clock::time_point(lifetime);
}

bool same_but_for_priority(dns::EncryptedResolver a, const dns::EncryptedResolver& b) {
    a.priority = b.priority;
    return a == b;
}

/// Where `resolver` is among `known`, whatever its priority.
auto find(std::vector<HeardOffers::Resolver>& known, const dns::EncryptedResolver& resolver) {
    return std::find_if(known.begin(), known.end(), [&](const HeardOffers::Resolver& one) {
        return same_but_for_priority(one.resolver, resolver);
    });
}

/// Whether `again` is said in place of `option`: a router that changes a priority means the same.
bool is_told_anew(DnrOption option, const DnrOption& again) {
    option.priority = again.priority;
    return option == again;
}
template <class Option>
bool is_told_anew(const Option& option, const Option& again) {
    return option == again;
}

template <class Stands>
void drop_ended(Stands& stands, Clock::time_point now) {
    std::erase_if(stands, [&](const auto& one) { return one.until <= now; });
}

}  // namespace

void HeardOffers::set_forms(const dns::Forms& forms) {
    if (forms == forms_) return;
    forms_ = forms;
    for (Heard& router : heard_) {
        router.draft_names.clear();
        router.draft_addresses.clear();
    }
}

HeardOffers::Verdict HeardOffers::on_message(Bytes icmpv6, const Envelope& envelope,
                                             Clock::time_point now) {
    Verdict verdict;
    const auto advertisement = parse_advertisement(icmpv6, envelope);
    if (!advertisement) {
        ++counters_.malformed;
        verdict.complaints.push_back(advertisement.error().message);
        return verdict;
    }
    ++counters_.advertisements;
    verdict.is_router = advertisement->header.router_lifetime.count() > 0;
    forget_ended(now);
    const bool encrypted = std::ranges::any_of(
        advertisement->options, [&](const Buffer& one) { return tells_of_encrypted(one[0]); });
    Heard* router = find_or_make(envelope.source, encrypted, now);
    if (router == nullptr) {
        ++counters_.routers_left_out;
        verdict.complaints.push_back("more than " + std::to_string(routers_max) + " routers");
        return verdict;
    }
    router->at = now;
    bool domain = false;
    for (const Buffer& option : advertisement->options) {
        if (option[0] == pvd_option_type) {
            // Of several the first counts (RFC 8801 section 3.2).
            if (!std::exchange(domain, true)) look_into_domain(*router, option, verdict);
            continue;
        }
        if (const auto learned = learn(*router, option, now); !learned) {
            ++counters_.malformed_options;
            verdict.complaints.push_back(learned.error().message + ": " + shown(option));
        }
    }
    return verdict;
}

void HeardOffers::doubt_endless(Clock::time_point at) {
    const auto doubt = [&](auto& stands) {
        for (auto& one : stands)
            if (one.until == never) one.until = at;
    };
    for (Heard& router : heard_) {
        doubt(router.encrypted);
        doubt(router.draft_names);
        doubt(router.draft_addresses);
        doubt(router.plain);
    }
}

/// The place of a router. Nothing where there is none.
HeardOffers::Heard* HeardOffers::find_or_make(const Ipv6& address, bool tells_of_encrypted,
                                              Clock::time_point now) {
    const auto known = std::find_if(heard_.begin(), heard_.end(),
                                    [&](const Heard& one) { return one.address == address; });
    if (known != heard_.end()) return &*known;
    if (heard_.size() >= routers_max) make_room(tells_of_encrypted, now);
    if (heard_.size() >= routers_max) return nullptr;
    Heard& made = heard_.emplace_back();
    made.address = address;
    made.at = now;
    return &made;
}

/// Whoever is missed least goes, if anybody may: of those who are missed alike the one that was
/// silent for longest.
void HeardOffers::make_room(bool for_encrypted, Clock::time_point now) {
    const auto missed = [](const Heard& one) {
        const bool encrypted =
            !one.encrypted.empty() || !one.draft_names.empty() || !one.draft_addresses.empty();
        return encrypted ? 2 : one.plain.empty() ? 0 : 1;
    };
    const auto least =
        std::min_element(heard_.begin(), heard_.end(), [&](const Heard& a, const Heard& b) {
            return std::pair(missed(a), a.at) < std::pair(missed(b), b.at);
        });
    const bool stays = missed(*least) == 2 && (!for_encrypted || now - least->at <= silence_max);
    if (!stays) heard_.erase(least);
}

void HeardOffers::forget_ended(Clock::time_point now) {
    for (Heard& router : heard_) {
        drop_ended(router.encrypted, now);
        drop_ended(router.draft_names, now);
        drop_ended(router.draft_addresses, now);
        drop_ended(router.plain, now);
    }
}

bool HeardOffers::knows_draft() const {
    return std::ranges::find(forms_.formats, dns::Format::draft_btw_11) != forms_.formats.end();
}

bool HeardOffers::tells_of_encrypted(std::uint8_t type) const {
    return type == dnr_option_type || (knows_draft() && (type == forms_.code_points.ra_adn ||
                                                         type == forms_.code_points.ra_addresses));
}

/// `option` has a Lifetime of 0: its own is `lifetime`.
template <class Option>
void HeardOffers::learn(Stands<Option>& known, Option option, std::chrono::seconds lifetime,
                        Clock::time_point now) {
    if (lifetime.count() == 0) {
        // Exactly this one: what was taken back with another priority may be told beside it.
        std::erase_if(known, [&](const auto& one) { return one.option == option; });
        return;
    }
    const auto old = std::find_if(known.begin(), known.end(), [&](const auto& one) {
        return is_told_anew(one.option, option);
    });
    const Clock::time_point until = lifetime == for_ever ? never : now + lifetime;
    if (old != known.end()) {
        *old = {std::move(option), until};
    } else if (known.size() < options_max) {
        known.push_back({std::move(option), until});
    } else {
        ++counters_.options_left_out;
    }
}

Result<void> HeardOffers::learn(Heard& router, const Buffer& option, Clock::time_point now) {
    const auto take = [&](auto& known, auto parsed) -> Result<void> {
        if (!parsed) return parsed.error();
        const auto lifetime = std::exchange(parsed->lifetime, {});
        learn(known, std::move(*parsed), lifetime, now);
        return {};
    };
    const std::uint8_t type = option[0];
    if (type == dnr_option_type) return take(router.encrypted, parse_dnr_option(option));
    if (type == rdnss_option_type) {
        const auto rdnss = parse_rdnss_option(option);
        if (!rdnss) return rdnss.error();
        for (const Ipv6& server : rdnss->servers) learn(router.plain, server, rdnss->lifetime, now);
        return {};
    }
    if (!tells_of_encrypted(type)) return {};
    if (type == forms_.code_points.ra_adn)
        return take(router.draft_names, parse_ra_enc_adn(option));
    return take(router.draft_addresses, parse_ra_enc_addresses(option));
}

void HeardOffers::look_into_domain(Heard& router, const Buffer& option, Verdict& verdict) {
    const auto pvd = parse_pvd_option(option);
    if (!pvd) {
        ++counters_.malformed_options;
        verdict.complaints.push_back(pvd.error().message + ": " + shown(option));
        return;
    }
    const auto inside = std::ranges::count_if(
        pvd->options, [&](const Buffer& one) { return tells_of_encrypted(one[0]); });
    router.provisioning_domain.reset();
    if (inside == 0) return;
    router.provisioning_domain = pvd->name;
    counters_.in_provisioning_domain += static_cast<std::uint64_t>(inside);
    verdict.complaints.push_back("an encrypted resolver is inside the provisioning domain " +
                                 dns::to_host(pvd->name));
}

std::vector<HeardOffers::Resolver> HeardOffers::resolvers_of(const Heard& router,
                                                             Clock::time_point now) const {
    std::vector<Resolver> found;
    for (const auto& one : router.encrypted)
        if (one.until > now) found.push_back({resolver_of(one.option), one.until});
    std::vector<dns::DraftName> names;
    std::vector<dns::DraftAddresses> addresses;
    for (const auto& [name, until] : router.draft_names)
        if (until > now) names.push_back({name.flags, name.adn, since_beginning(until)});
    for (const auto& [told, until] : router.draft_addresses)
        if (until > now)
            addresses.push_back({told.flags,
                                 told.port,
                                 {told.addresses.begin(), told.addresses.end()},
                                 since_beginning(until)});
    std::uint16_t priority = 0;
    for (const dns::DraftResolver& paired : dns::paired(names, addresses)) {
        ++priority;  // the order is the preference
        for (dns::EncryptedResolver& resolver : dns::resolvers_of({&paired, 1})) {
            resolver.priority = priority;
            if (find(found, resolver) == found.end())
                found.push_back({std::move(resolver), from_beginning(*paired.lifetime)});
        }
    }
    return found;
}

std::vector<HeardOffers::Router> HeardOffers::routers(Clock::time_point now) const {
    std::vector<Router> routers;
    for (const Heard& heard : heard_) {
        Router& router = routers.emplace_back(Router{
            heard.address, heard.at, resolvers_of(heard, now), {}, heard.provisioning_domain});
        for (const auto& [server, until] : heard.plain)
            if (until > now) router.plain.push_back({server, until});
    }
    return routers;
}

std::vector<HeardOffers::Resolver> HeardOffers::offered(Clock::time_point now) const {
    std::vector<Resolver> all;
    for (const Heard& router : heard_) {
        for (Resolver& one : resolvers_of(router, now)) {
            const auto known = find(all, one.resolver);
            if (known == all.end()) {
                all.push_back(std::move(one));
                continue;
            }
            known->until = std::max(known->until, one.until);
            known->resolver.priority = std::min(known->resolver.priority, one.resolver.priority);
        }
    }
    return all;
}

Clock::time_point HeardOffers::next_end(Clock::time_point now) const {
    Clock::time_point next = never;
    const auto look = [&](const auto& stands) {
        for (const auto& one : stands)
            if (one.until > now) next = std::min(next, one.until);
    };
    for (const Heard& router : heard_) {
        look(router.encrypted);
        look(router.draft_names);
        look(router.draft_addresses);
        look(router.plain);
    }
    return next;
}

}  // namespace porchlight::ra
