#include "agent/discover_designated.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "core/random.h"
#include "dns/designations.h"
#include "dns/query.h"
#include "net/asio.h"
#include "net/do53_client.h"
#include "net/stub_resolver.h"

namespace porchlight::agent::discover {
namespace {

constexpr std::uint16_t do53_port = 53;
constexpr std::size_t questions_max = 64;
constexpr std::size_t targets_max = 4;  // of one answer, that are looked up
constexpr std::size_t look_ups_max = 128;

/// One resolver that is asked one thing.
struct Inquiry {
    Endpoint resolver;
    std::optional<dns::Name> of_name;  // none: for its own
    Told told{};
    std::string problem{};
};

std::vector<Inquiry> inquiries(const std::vector<Told>& told, std::uint32_t scope) {
    std::vector<IpAddress> plain;
    std::vector<dns::Name> alone;
    for (const Told& one : told) {
        for (const IpAddress& address : one.plain)
            if (std::find(plain.begin(), plain.end(), address) == plain.end())
                plain.push_back(address);
        for (const Offer& offer : one.offers)
            for (const Candidate& candidate : offer.resolvers)
                if (candidate.told.adn && candidate.told.addresses.empty() &&
                    !candidate.told.why_not_usable &&
                    std::find(alone.begin(), alone.end(), *candidate.told.adn) == alone.end())
                    alone.push_back(*candidate.told.adn);
    }
    std::vector<Inquiry> all;
    for (const IpAddress& address : plain) {
        const auto* v6 = std::get_if<Ipv6>(&address);
        const Endpoint to{address, do53_port, v6 != nullptr && is_link_local(*v6) ? scope : 0};
        all.push_back({to, std::nullopt});
        for (const dns::Name& name : alone) all.push_back({to, name});
    }
    if (all.size() > questions_max) all.resize(questions_max);
    return all;
}

ResolverRecord record_of(const dns::Designation& designation) {
    ResolverRecord record;
    record.priority = designation.svcb.priority;
    record.adn = designation.svcb.target;
    record.addresses = designation.addresses;
    record.params = designation.svcb.params;
    record.lifetime = designation.ttl;
    record.why_not_usable = dns::why_not_usable(designation.svcb);
    return record;
}

/// An address of a resolver's name that the one who designated it is asked for.
struct LookUp {
    Endpoint resolver;
    dns::Question asked;
    ResolverRecord* of;
    std::vector<IpAddress> found{};
};

/// Those that lack an address and could be used with one. False: some are left out.
bool add_look_ups(Inquiry& one, std::vector<LookUp>& all) {
    std::size_t names = 0;
    for (Offer& offer : one.told.offers)
        for (Candidate& candidate : offer.resolvers) {
            ResolverRecord& record = candidate.told;
            if (record.why_not_usable || !record.addresses.empty()) continue;
            if (++names > targets_max || all.size() >= look_ups_max) return false;
            for (const std::uint16_t type : {dns::type::aaaa, dns::type::a})
                all.push_back({one.resolver, {*record.adn, type}, &record});
        }
    return true;
}

/// All of a round at once, so that one who is silent takes no time from the others.
class Round {
  public:
    explicit Round(std::chrono::milliseconds within) : within_(within) {}

    void start(Inquiry& one) { asio::co_spawn(loop_, ask(one), asio::detached); }
    void start(LookUp& one) { asio::co_spawn(loop_, look_up(one), asio::detached); }
    void finish() { loop_.run(); }

  private:
    awaitable<void> ask(Inquiry& one) {
        one.told = {Carrier::svcb, {one.resolver.address, {}}, {}, {}, one.of_name};
        const dns::Question asked =
            one.of_name ? dns::designation_question(*one.of_name) : dns::designation_question();
        const Result<Buffer> answer = co_await net::ask_do53(one.resolver, asked, random_, within_);
        if (!answer) {
            one.problem = answer.error().message;
            co_return;
        }
        const auto designations = dns::parse_designations(*answer, asked);
        if (!designations) {
            one.problem = designations.error().message;
            co_return;
        }
        for (const dns::Designation& designation : *designations) {
            if (one.told.offers.size() >= offers_max) break;
            Offer offer{dns::Format::rfc9463, designation.rdata, designation.malformed, {}};
            if (!offer.malformed) offer.resolvers.push_back({record_of(designation), {}});
            one.told.offers.push_back(std::move(offer));
        }
    }

    /// Where a target is, as the same resolver says.
    awaitable<void> look_up(LookUp& one) {
        const Result<Buffer> answer =
            co_await net::ask_do53(one.resolver, one.asked, random_, within_);
        if (!answer) co_return;
        const auto found = net::addresses_in(*answer, one.asked);
        if (!found) co_return;
        for (const IpAddress& address : *found)
            if (is_receivable(address)) one.found.push_back(address);
    }

    std::chrono::milliseconds within_;
    SystemRandom random_;
    asio::io_context loop_;
};

void look_up_targets(std::vector<Inquiry>& inquiries, std::vector<std::string>& notes,
                     std::chrono::milliseconds within) {
    std::vector<LookUp> all;
    for (Inquiry& one : inquiries)
        if (!add_look_ups(one, all))
            notes.push_back("the plain resolver " + to_text(one.resolver.address) +
                            " names more encrypted ones without an address than are looked up");
    // Nothing moves from here on: the round holds on to all of it.
    Round round(within);
    for (LookUp& one : all) round.start(one);
    round.finish();
    for (const LookUp& one : all)
        one.of->addresses.insert(one.of->addresses.end(), one.found.begin(), one.found.end());
}

}  // namespace

void ask_designations(std::vector<Told>& told, std::vector<std::string>& notes, std::uint32_t scope,
                      std::chrono::milliseconds within) {
    std::vector<Inquiry> all = inquiries(told, scope);
    Round round(within);
    for (Inquiry& one : all) round.start(one);
    round.finish();
    look_up_targets(all, notes, within);
    for (Inquiry& one : all) {
        if (!one.problem.empty() && !one.of_name)
            notes.push_back("the plain resolver " + to_text(one.resolver.address) +
                            " does not say which encrypted one it has: " + one.problem);
        if (one.problem.empty()) told.push_back(std::move(one.told));
    }
}

}  // namespace porchlight::agent::discover
