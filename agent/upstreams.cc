#include "agent/upstreams.h"

#include <algorithm>
#include <iterator>

#include "agent/plan.h"
#include "core/log.h"
#include "core/writer.h"

namespace porchlight::agent {
namespace {

using forwarder::UpstreamSettings;
using List = std::vector<UpstreamSettings>;

/// Servers rotate addresses; only their set means something.
bool same_in_any_order(UpstreamSettings a, UpstreamSettings b) {
    std::sort(a.addresses.begin(), a.addresses.end());
    std::sort(b.addresses.begin(), b.addresses.end());
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
    if (auto kept = forwarder::parse_upstreams(octets)) last_ = std::move(*kept);
}

void Upstreams::learn(const Config& config, std::span<const net::Link> links,
                      std::span<const Offer> offers,
                      std::span<const Designators::Designated> designated) {
    learns_ = learns_upstream(config);
    if (!learns_) {
        offered_.clear();
        return take(config.upstream, UpstreamOrigin::configuration);
    }
    drop_what_leads_back(last_, config, links);
    List now = offered_upstreams(config, links, offers);
    offered_by_ = UpstreamOrigin::offer;
    if (now.empty()) {
        offered_by_ = UpstreamOrigin::designation;
        const bool proved = std::any_of(last_.begin(), last_.end(),
                                        [](const auto& one) { return !gives_no_proof(one); });
        for (const Designators::Designated& by : designated)
            for (UpstreamSettings& one :
                 designated_upstreams(config, links, by.by, by.designations))
                if (std::find(now.begin(), now.end(), one) == now.end() &&
                    !(proved && gives_no_proof(one)))
                    now.push_back(std::move(one));
    }
    cut(now);
    offer(std::move(now));
    choose();
}

/// Who was offered before keeps what is known of him, and the order of his addresses.
void Upstreams::offer(List now) {
    std::vector<Tried> before = std::exchange(offered_, {});
    for (UpstreamSettings& one : now) {
        const auto known = std::find_if(before.begin(), before.end(), [&](const Tried& tried) {
            return same_in_any_order(tried.upstream, one);
        });
        const auto asked = std::find_if(last_.begin(), last_.end(), [&](const auto& last) {
            return same_in_any_order(last, one);
        });
        if (known != before.end())
            offered_.push_back(*known);
        else if (asked != last_.end())
            offered_.push_back({*asked, doubted_rounds_ == 0, ""});
        else
            offered_.push_back({std::move(one), false, ""});
    }
}

List Upstreams::to_try() const {
    List open;
    for (const Tried& one : offered_)
        if (!one.answered) open.push_back(one.upstream);
    if (learns_ && doubted_rounds_ > 0 && origin_ == UpstreamOrigin::before)
        open.insert(open.end(), last_.begin(), last_.end());
    return open;
}

void Upstreams::note(const UpstreamSettings& tried, const std::string& error) {
    for (Tried& one : offered_) {
        if (one.upstream != tried) continue;
        one.answered = one.answered || error.empty();
        one.error = one.answered ? "" : error;
    }
    if (error.empty() && std::find(last_.begin(), last_.end(), tried) != last_.end())
        doubted_rounds_ = 0;
    if (learns_) choose();
}

void Upstreams::end_round() {
    if (doubted_rounds_ == 0 || origin_ != UpstreamOrigin::before || --doubted_rounds_ > 0) return;
    last_.clear();
    choose();
}

void Upstreams::change_network() {
    std::erase_if(last_, gives_no_proof);
    for (Tried& one : offered_) one.answered = one.answered && !gives_no_proof(one.upstream);
    doubted_rounds_ = doubted_rounds_max;
    if (learns_) choose();
}

Buffer Upstreams::kept() const {
    List proved;
    std::copy_if(last_.begin(), last_.end(), std::back_inserter(proved),
                 [](const UpstreamSettings& one) { return !gives_no_proof(one); });
    if (proved.empty()) return {};
    Writer out;
    write(out, proved);
    auto octets = out.take();
    return octets ? std::move(*octets) : Buffer();
}

void Upstreams::choose() {
    List answering;
    for (const Tried& one : offered_)
        if (one.answered) answering.push_back(one.upstream);
    if (answering.empty())
        return take(last_, last_.empty() ? UpstreamOrigin::nobody : UpstreamOrigin::before);
    last_ = answering;
    take(std::move(answering), offered_by_);
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
