#include "agent/upstreams.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "agent/plan.h"
#include "core/log.h"
#include "core/writer.h"

namespace porchlight::agent {
namespace {

using forwarder::UpstreamSettings;
using List = std::vector<UpstreamSettings>;

bool contains(const List& list, const UpstreamSettings& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
}

/// Lists whose order means nothing: servers rotate what they tell.
bool same_in_any_order(List a, List b) {
    const auto by_all = [](const UpstreamSettings& x, const UpstreamSettings& y) {
        return std::tie(x.adn, x.addresses, x.designated) <
               std::tie(y.adn, y.addresses, y.designated);
    };
    for (List* list : {&a, &b}) {
        for (UpstreamSettings& one : *list) std::sort(one.addresses.begin(), one.addresses.end());
        std::sort(list->begin(), list->end(), by_all);
    }
    return a == b;
}

bool gives_no_proof(const UpstreamSettings& upstream) {
    return upstream.designated &&
           std::holds_alternative<net::Unauthenticated>(*upstream.designated);
}

/// A reload may have made an address, or a name, the home's own.
void drop_what_leads_back(List& list, const Config& config, std::span<const net::Link> links) {
    for (UpstreamSettings& one : list)
        std::erase_if(one.addresses, [&](const Endpoint& at) {
            return !why_not_beyond(config, links, at.address).empty();
        });
    std::erase_if(list, [&](const UpstreamSettings& one) {
        return one.addresses.empty() || (config.resolver && config.resolver->adn == one.adn);
    });
}

void cut(List& list) {
    if (list.size() > Upstreams::offered_max) list.resize(Upstreams::offered_max);
    for (UpstreamSettings& one : list)
        if (one.addresses.size() > Upstreams::addresses_max)
            one.addresses.resize(Upstreams::addresses_max);
}

}  // namespace

void Upstreams::adopt(Bytes octets) {
    if (auto kept = forwarder::parse_upstreams(octets)) answered_ = std::move(*kept);
}

void Upstreams::learn(const Config& config, std::span<const net::Link> links,
                      std::span<const Offer> offers,
                      std::span<const Designators::Designated> designated) {
    if (!learns_upstream(config)) {
        offered_.clear();
        return take(config.upstream, UpstreamOrigin::configuration);
    }
    drop_what_leads_back(answered_, config, links);
    List now = offered_upstreams(config, links, offers);
    offered_by_ = UpstreamOrigin::offer;
    if (now.empty()) {
        offered_by_ = UpstreamOrigin::designation;
        const bool proved = std::any_of(answered_.begin(), answered_.end(),
                                        [](const auto& one) { return !gives_no_proof(one); });
        for (const Designators::Designated& by : designated)
            for (UpstreamSettings& one :
                 designated_upstreams(config, links, by.by, by.designations))
                if (!contains(now, one) && !(proved && gives_no_proof(one)))
                    now.push_back(std::move(one));
    }
    cut(now);
    if (!same_in_any_order(now, offered_)) offered_ = std::move(now);
    if (same_in_any_order(offered_, answered_)) offered_ = answered_;
    combine();
}

bool Upstreams::judge(std::span<const forwarder::UpstreamState> states) {
    if (!on_trial()) return false;
    const bool answers = std::any_of(states.begin(), states.end(), [&](const auto& state) {
        return state.answers > 0 &&
               std::any_of(offered_.begin(), offered_.end(), [&](const UpstreamSettings& one) {
                   return one.adn == state.adn &&
                          std::find(one.addresses.begin(), one.addresses.end(), state.address) !=
                              one.addresses.end();
               });
    });
    if (!answers) return false;
    answered_ = offered_;
    combine();
    return true;
}

void Upstreams::forget_unproved() {
    std::erase_if(answered_, gives_no_proof);
    if (origin_ != UpstreamOrigin::configuration) combine();
}

bool Upstreams::on_trial() const {
    return origin_ != UpstreamOrigin::configuration && !offered_.empty() && offered_ != answered_;
}

Buffer Upstreams::kept() const {
    List proved;
    std::copy_if(answered_.begin(), answered_.end(), std::back_inserter(proved),
                 [](const UpstreamSettings& one) { return !gives_no_proof(one); });
    if (proved.empty()) return {};
    Writer out;
    write(out, proved);
    auto octets = out.take();
    return octets ? std::move(*octets) : Buffer();
}

void Upstreams::combine() {
    if (offered_.empty())
        return take(answered_, answered_.empty() ? UpstreamOrigin::nobody : UpstreamOrigin::before);
    List all = offered_;
    for (const UpstreamSettings& one : answered_)
        if (!contains(all, one) && all.size() < 2 * offered_max && offered_ != answered_)
            all.push_back(one);
    take(std::move(all), offered_by_);
}

void Upstreams::take(List list, UpstreamOrigin origin) {
    if (list == list_ && origin == origin_) return;
    list_ = std::move(list);
    origin_ = origin;
    if (list_.empty() && origin == UpstreamOrigin::configuration) return;
    log::info("asking upstream", {{"resolvers", std::to_string(list_.size())},
                                  {"first", list_.empty() ? "" : dns::to_host(list_.front().adn)},
                                  {"because", std::string(to_text(origin))}});
}

}  // namespace porchlight::agent
