#include "agent/upstream_watch.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/plan.h"
#include "dns/answer.h"
#include "dns/edns.h"
#include "dns/query.h"
#include "net/exchange.h"
#include "net/framed_message.h"

namespace porchlight::agent {
namespace {

using forwarder::UpstreamSettings;
using std::chrono::seconds;

constexpr std::chrono::milliseconds answers_within{4000};
constexpr std::size_t padding_octets_block = 128;  // RFC 8467 section 4.1
constexpr seconds again_first{2};
constexpr seconds again_max{60};

/// Anybody has an answer to that.
dns::Question any_question() {
    return {dns::Name(), dns::type::ns};
}

awaitable<Result<void>> ask(net::TlsClient& tls, Endpoint at, net::ServerIdentity identity,
                            Random& random) {
    const net::Exchange exchange(answers_within);
    auto stream = co_await net::TlsStream::connect(tls, at, identity, exchange.left());
    if (!stream) co_return stream.error();
    const auto id = static_cast<std::uint16_t>(random.below(0x10000));
    Writer query;
    dns::write_query(query, id, any_question(), {.padding_bytes_block = padding_octets_block});
    const Buffer octets = net::framed(query.view());
    const Result<void> sent = co_await (*stream)->write(octets, exchange.left());
    if (!sent) co_return exchange.failed(sent.error());
    Buffer pending;
    const auto message = co_await net::read_message(**stream, pending, exchange.left());
    if (!message) co_return exchange.failed(message.error());
    const auto answer = dns::parse_answer(*message, any_question(), {});
    if (!answer) co_return answer.error();
    if (answer->id != id) co_return Error{Errc::malformed, "answers another question"};
    if (answer->kind == dns::Answer::Kind::failure)
        co_return Error{Errc::unavailable, "answered with code " + std::to_string(answer->rcode)};
    co_return Result<void>();
}

/// At whichever of its addresses; else why not at the last.
awaitable<std::string> why_no_answer(net::TlsClient& tls, UpstreamSettings upstream,
                                     Random& random) {
    const net::ServerIdentity identity = upstream.designated.value_or(dns::to_host(upstream.adn));
    std::string why = "no address";
    for (const Endpoint& at : upstream.addresses) {
        const Result<void> answered = co_await ask(tls, at, identity, random);
        if (answered) co_return "";
        why = to_text(at) + ": " + answered.error().message;
    }
    co_return why;
}

bool any_common(const std::vector<IpAddress>& a, const std::vector<IpAddress>& b) {
    return std::any_of(a.begin(), a.end(), [&](const IpAddress& one) {
        return std::find(b.begin(), b.end(), one) != b.end();
    });
}

}  // namespace

struct UpstreamWatch::Trial {
    explicit Trial(const asio::any_io_executor& loop) : timer(loop) {}
    asio::steady_timer timer;
    std::vector<UpstreamSettings> open;  // as at the last look
    seconds again = again_first;
    bool over = false;
};

UpstreamWatch::UpstreamWatch(asio::any_io_executor loop, Random& random, Callbacks callbacks)
    : loop_(loop),
      random_(random),
      callbacks_(std::move(callbacks)),
      designators_(loop, random, [this] { callbacks_.changed(); }) {}

UpstreamWatch::~UpstreamWatch() {
    if (!trial_) return;
    trial_->over = true;
    trial_->timer.cancel();
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
    auto open = upstreams_.to_try();
    if (!trial_) {
        if (open.empty()) return;
        trial_ = std::make_shared<Trial>(loop_);
        trial_->open = std::move(open);
        asio::co_spawn(loop_, try_whoever_is_open(trial_), asio::detached);
    } else if (std::exchange(trial_->open, open) != open) {
        trial_->again = again_first;
        trial_->timer.cancel();
    }
}

void UpstreamWatch::notice_network(const Config& config, std::span<const net::Link> links) {
    for (const net::Link& link : links) {
        if (!is_wan(link.name, config)) continue;
        std::vector<IpAddress> now;
        for (const net::LinkAddress& own : link.addresses)
            if (std::holds_alternative<Ipv4>(own.address) &&
                why_not_beyond(config, {}, own.address).empty())
                now.push_back(own.address);
        // A link that is down has none, and may come back to the same network.
        std::vector<IpAddress>& before = networks_[link.name];
        if (now.empty() || now == before) continue;
        const bool another = !before.empty() && !any_common(now, before);
        before = std::move(now);
        if (!another) continue;
        designators_.ask({});
        upstreams_.change_network();
    }
}

void UpstreamWatch::keep() {
    Buffer now = upstreams_.kept();
    // Who gave no proof is known all the same, for as long as this process lives.
    if (now.empty() && upstreams_.known()) now = {0};
    if (kept_ == now) return;
    callbacks_.keep(now);
    kept_ = std::move(now);
}

awaitable<void> UpstreamWatch::try_whoever_is_open(std::shared_ptr<Trial> trial) {
    while (!trial->over) {
        if (!upstreams_.to_try().empty()) co_await try_each(trial);
        if (trial->over) co_return;
        trial->open = upstreams_.to_try();
        // Who is tried in vain is told in `status` alone, so a long wait harms nobody but him.
        trial->timer.expires_after(trial->open.empty() ? seconds(86400) : trial->again);
        trial->again = std::min(2 * trial->again, again_max);
        error_code cancelled;
        co_await trial->timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
}

awaitable<void> UpstreamWatch::try_each(std::shared_ptr<Trial> trial) {
    // Made for the round: it holds all roots.
    const auto tls = callbacks_.tls();
    for (const UpstreamSettings& one : upstreams_.to_try()) {
        std::string why;
        if (tls)
            why = co_await why_no_answer(**tls, one, random_);
        else
            why = tls.error().message;
        if (trial->over) co_return;
        const bool before = upstreams_.known();
        upstreams_.note(one, why);
        if (why.empty() || before != upstreams_.known()) callbacks_.changed();
        if (trial->over) co_return;
    }
    const auto before = upstreams_.list();
    upstreams_.end_round();
    if (upstreams_.list() != before) callbacks_.changed();
}

}  // namespace porchlight::agent
