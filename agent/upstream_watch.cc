#include "agent/upstream_watch.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/plan.h"
#include "dns/query.h"
#include "net/do53_client.h"

namespace porchlight::agent {
namespace {

using std::chrono::seconds;

constexpr seconds answers_within{5};
constexpr seconds again_first{2};
constexpr seconds again_max{60};

/// Any question that goes upstream will do.
dns::Question any_question() {
    return {dns::Name(), dns::type::ns};
}

}  // namespace

struct UpstreamWatch::Trial {
    Trial(const asio::any_io_executor& loop, std::vector<Endpoint> forwarder)
        : timer(loop), at(std::move(forwarder)) {}
    asio::steady_timer timer;
    std::vector<Endpoint> at;  // where the forwarder answers in clear text, on this machine
    bool over = false;
};

UpstreamWatch::UpstreamWatch(asio::any_io_executor loop, Random& random, Callbacks callbacks)
    : loop_(loop),
      random_(random),
      callbacks_(std::move(callbacks)),
      designators_(loop, random, [this] { callbacks_.changed(); }) {}

UpstreamWatch::~UpstreamWatch() {
    end_trial();
}

void UpstreamWatch::learn(const Config& config, std::span<const net::Link> links,
                          std::span<const Offer> offers, const std::vector<IpAddress>& plain,
                          bool early) {
    notice_network(config, links);
    std::vector<IpAddress> beyond;
    if (learns_upstream(config) && !early && offered_upstreams(config, links, offers).empty())
        std::copy_if(
            plain.begin(), plain.end(), std::back_inserter(beyond),
            [&](const IpAddress& one) { return why_not_beyond(config, links, one).empty(); });
    designators_.ask(std::move(beyond));
    upstreams_.learn(config, links, offers, designators_.designated());
    if (learns_upstream(config)) keep();
    hold_trial(config);
}

void UpstreamWatch::notice_network(const Config& config, std::span<const net::Link> links) {
    std::vector<IpAddress> network;
    for (const net::Link& link : links)
        if (is_wan(link.name, config))
            for (const net::LinkAddress& own : link.addresses)
                if (std::holds_alternative<Ipv4>(own.address)) network.push_back(own.address);
    std::sort(network.begin(), network.end());
    // A link that is down has none, and may come back to the same network.
    if (network.empty() || network == network_) return;
    const bool another = !network_.empty();
    network_ = std::move(network);
    if (!another) return;
    designators_.ask({});
    upstreams_.forget_unproved();
}

void UpstreamWatch::keep() {
    Buffer now = upstreams_.kept();
    // Who gave no proof is known all the same, for as long as this process lives.
    if (now.empty() && upstreams_.known()) now = {0};
    if (kept_ == now) return;
    callbacks_.keep(now);
    kept_ = std::move(now);
}

void UpstreamWatch::hold_trial(const Config& config) {
    std::vector<Endpoint> at;
    for (const IpAddress& address : config.do53.addresses)
        at.push_back({address, config.do53.port});
    if (!upstreams_.on_trial() || at.empty()) return end_trial();
    if (trial_ && trial_->at == at) return;
    end_trial();
    trial_ = std::make_shared<Trial>(loop_, std::move(at));
    asio::co_spawn(loop_, try_until_one_answers(trial_), asio::detached);
}

void UpstreamWatch::end_trial() {
    if (!trial_) return;
    trial_->over = true;
    trial_->timer.cancel();
    trial_.reset();
}

awaitable<void> UpstreamWatch::try_until_one_answers(std::shared_ptr<Trial> trial) {
    seconds again = again_first;
    while (!trial->over) {
        for (const Endpoint& at : trial->at) {
            const auto answer = co_await net::ask_do53(at, any_question(), random_, answers_within);
            if (answer || trial->over) break;
        }
        if (trial->over) co_return;
        const auto states = co_await callbacks_.states();
        if (trial->over) co_return;
        if (upstreams_.judge(states)) {
            keep();
            co_return callbacks_.changed();
        }
        trial->timer.expires_after(again);
        again = std::min(2 * again, again_max);
        error_code cancelled;
        co_await trial->timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
}

}  // namespace porchlight::agent
