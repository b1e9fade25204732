#include "agent/upstreams.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/plan.h"
#include "core/log.h"
#include "core/writer.h"
#include "dns/query.h"
#include "net/do53_client.h"

namespace porchlight::agent {
namespace {

using forwarder::UpstreamSettings;

constexpr std::chrono::seconds tried_again{5};
constexpr std::chrono::seconds answers_within{5};

/// Any question that goes upstream will do.
dns::Question any_question() {
    return {dns::Name(), dns::type::ns};
}

}  // namespace

struct Upstreams::Trial {
    Trial(const asio::any_io_executor& loop, Endpoint forwarder) : timer(loop), at(forwarder) {}
    asio::steady_timer timer;
    Endpoint at;  // where the forwarder answers in clear text, on this machine
    bool over = false;
};

Upstreams::Upstreams(asio::any_io_executor loop, Random& random, Callbacks callbacks)
    : loop_(loop),
      random_(random),
      callbacks_(std::move(callbacks)),
      designators_(loop, random, [this] { callbacks_.changed(); }) {}

Upstreams::~Upstreams() {
    if (!trial_) return;
    trial_->over = true;
    trial_->timer.cancel();
}

void Upstreams::adopt(Bytes octets) {
    auto kept = forwarder::parse_upstreams(octets);
    if (!kept || kept->empty()) return;
    learned_ = std::move(*kept);
    answered_ = true;
}

void Upstreams::learn(const Config& config, std::span<const net::Link> links,
                      std::span<const Offer> offers, const std::vector<IpAddress>& plain) {
    if (!learns_upstream(config)) {
        designators_.ask({});
        return take(config.upstream, UpstreamOrigin::configuration);
    }
    auto offered = offered_upstreams(config, links, offers);
    std::vector<IpAddress> beyond;
    if (offered.empty())
        std::copy_if(
            plain.begin(), plain.end(), std::back_inserter(beyond),
            [&](const IpAddress& one) { return why_not_beyond(config, links, one).empty(); });
    designators_.ask(std::move(beyond));
    if (!offered.empty()) {
        take(std::move(offered), UpstreamOrigin::offer);
    } else {
        std::vector<UpstreamSettings> designated;
        for (const Designators::Designated& one : designators_.designated())
            for (UpstreamSettings& upstream :
                 designated_upstreams(config, links, one.by, one.designations))
                designated.push_back(std::move(upstream));
        if (!designated.empty())
            take(std::move(designated), UpstreamOrigin::designation);
        else
            take(learned_, learned_.empty() ? UpstreamOrigin::nobody : UpstreamOrigin::before);
    }
    if (answered_ || list_.empty() || trial_) return;
    if (config.do53.addresses.empty()) {  // nobody else asks in clear text whom it could harm
        answered_ = true;
        return keep_learned();
    }
    trial_ =
        std::make_shared<Trial>(loop_, Endpoint{config.do53.addresses.front(), config.do53.port});
    asio::co_spawn(loop_, try_until_one_answers(trial_), asio::detached);
}

void Upstreams::take(std::vector<UpstreamSettings> list, UpstreamOrigin origin) {
    const bool news = list != list_ || origin != origin_;
    list_ = std::move(list);
    origin_ = origin;
    if (!news || (list_.empty() && origin == UpstreamOrigin::configuration)) return;
    std::string names;
    for (const UpstreamSettings& one : list_)
        names += (names.empty() ? "" : ", ") + dns::to_host(one.adn);
    log::info("asking upstream", {{"resolvers", names}, {"because", std::string(to_text(origin))}});
    if (origin != UpstreamOrigin::offer && origin != UpstreamOrigin::designation) return;
    learned_ = list_;
    if (answered_) keep_learned();
}

void Upstreams::keep_learned() const {
    Writer out;
    write(out, learned_);
    if (auto octets = out.take()) callbacks_.keep(*octets);
}

awaitable<void> Upstreams::try_until_one_answers(std::shared_ptr<Trial> trial) {
    while (!trial->over) {
        (void)co_await net::ask_do53(trial->at, any_question(), random_, answers_within);
        if (trial->over) co_return;
        const bool answers = co_await callbacks_.one_answers();
        if (trial->over) co_return;
        if (answers) break;
        trial->timer.expires_after(tried_again);
        error_code cancelled;
        co_await trial->timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
    if (trial->over) co_return;
    answered_ = true;
    keep_learned();
    callbacks_.changed();
}

}  // namespace porchlight::agent
