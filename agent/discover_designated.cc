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

class Asking {
  public:
    Asking(std::vector<Inquiry>& all, std::chrono::milliseconds within) : within_(within) {
        for (Inquiry& one : all) asio::co_spawn(loop_, ask(one), asio::detached);
        loop_.run();
    }

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
            if (!offer.malformed) {
                ResolverRecord record = record_of(designation);
                if (!record.why_not_usable && record.addresses.empty())
                    co_await look_up(one.resolver, record);
                offer.resolvers.push_back({std::move(record), {}});
            }
            one.told.offers.push_back(std::move(offer));
        }
    }

    /// Where the target is, as the same resolver says.
    awaitable<void> look_up(Endpoint resolver, ResolverRecord& record) {
        for (const std::uint16_t type : {dns::type::aaaa, dns::type::a}) {
            const dns::Question asked{*record.adn, type};
            const Result<Buffer> answer = co_await net::ask_do53(resolver, asked, random_, within_);
            if (!answer) continue;
            const auto found = net::addresses_in(*answer, asked);
            if (!found) continue;
            for (const IpAddress& address : *found)
                if (is_receivable(address)) record.addresses.push_back(address);
        }
    }

    std::chrono::milliseconds within_;
    SystemRandom random_;
    asio::io_context loop_;
};

}  // namespace

void ask_designations(std::vector<Told>& told, std::vector<std::string>& notes, std::uint32_t scope,
                      std::chrono::milliseconds within) {
    std::vector<Inquiry> all = inquiries(told, scope);
    Asking asking(all, within);
    for (Inquiry& one : all) {
        if (!one.problem.empty() && !one.of_name)
            notes.push_back("the plain resolver " + to_text(one.resolver.address) +
                            " does not say which encrypted one it has: " + one.problem);
        if (one.problem.empty()) told.push_back(std::move(one.told));
    }
}

}  // namespace porchlight::agent::discover
