#include "agent/wan_listeners.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace porchlight::agent {
namespace {

using std::chrono::seconds;

std::optional<seconds> left(Clock::time_point until, Clock::time_point now) {
    if (until == ra::HeardOffers::never) return std::nullopt;
    return std::chrono::floor<seconds>(until - now);
}

WanStatus::Router status_of(const ra::HeardOffers::Router& heard, Clock::time_point now) {
    WanStatus::Router router;
    router.address = to_text(heard.address);
    router.heard_ago = std::chrono::floor<seconds>(now - heard.heard_at);
    for (const auto& one : heard.resolvers)
        router.resolvers.push_back({one.resolver, left(one.until, now)});
    for (const auto& one : heard.plain)
        router.plain.push_back({to_text(one.address), left(one.until, now)});
    if (heard.provisioning_domain)
        router.provisioning_domain = dns::to_host(*heard.provisioning_domain);
    return router;
}

std::vector<std::pair<std::string, std::uint64_t>> counters_of(const ra::WanListener& listener) {
    const ra::HeardOffers::Counters& counters = listener.heard().counters();
    return {{"solicitations_sent", listener.solicitations()},
            {"advertisements", counters.advertisements},
            {"malformed_advertisements", counters.malformed},
            {"malformed_options", counters.malformed_options},
            {"options_in_provisioning_domains", counters.in_provisioning_domain},
            {"advertisements_of_too_many_routers", counters.routers_left_out},
            {"options_too_many", counters.options_left_out}};
}

bool same_but_for_ends(std::vector<Offer> a, std::vector<Offer> b) {
    for (std::vector<Offer>* offers : {&a, &b})
        for (Offer& offer : *offers) offer.until.reset();
    return a == b;
}

}  // namespace

WanListeners::WanListeners(asio::any_io_executor loop, const TimeSource& time, Random& random,
                           OnChange on_change)
    : loop_(std::move(loop)), time_(time), random_(random), on_change_(std::move(on_change)) {}

void WanListeners::follow(const Config& config) {
    std::erase_if(listeners_, [&](const auto& one) {
        return std::none_of(config.wan.begin(), config.wan.end(),
                            [&](const WanConfig& wan) { return wan.interface == one.first; });
    });
    for (const WanConfig& wan : config.wan) {
        const auto [place, made] = listeners_.try_emplace(wan.interface, loop_, wan.interface,
                                                          time_, random_, [this] { on_news(); });
        place->second.set_forms(config.announce.forms);
    }
    on_news();
    if (answered_by_) return;
    answered_by_ = time_.now() + ra::WanListener::answers_within;
    asio::co_spawn(loop_, tell_after_first_answers(), asio::detached);
}

bool WanListeners::expects() const {
    if (!answered_by_ || time_.now() >= *answered_by_) return false;
    // By what is told and not by what was heard: the one follows the other in time.
    return std::any_of(listeners_.begin(), listeners_.end(), [&](const auto& listener) {
        return std::none_of(told_.begin(), told_.end(),
                            [&](const Offer& offer) { return offer.wan == listener.first; });
    });
}

void WanListeners::forget(const std::string& interface) {
    if (const auto listener = listeners_.find(interface); listener != listeners_.end())
        listener->second.forget();
}

void WanListeners::use(const std::vector<std::string>& names, std::vector<FileDescriptor> sockets) {
    for (std::size_t i = 0; i < names.size() && i < sockets.size(); ++i)
        if (const auto listener = listeners_.find(names[i]); listener != listeners_.end())
            listener->second.use(std::move(sockets[i]));
}

void WanListeners::set_links(const std::vector<net::Link>& links) {
    for (auto& [name, listener] : listeners_) {
        const auto link = std::find_if(links.begin(), links.end(),
                                       [&](const net::Link& one) { return one.name == name; });
        listener.set_link(link == links.end() ? nullptr : &*link);
    }
}

std::vector<Offer> WanListeners::offers() const {
    return still_offered(told_, time_.now());
}

std::vector<Offer> WanListeners::heard() const {
    std::vector<Offer> offers;
    for (const auto& [name, listener] : listeners_) {
        for (ra::HeardOffers::Resolver& one : listener.heard().offered(time_.now())) {
            Offer& offer = offers.emplace_back();
            offer.wan = name;
            offer.source = OfferSource::ra;
            offer.resolver = std::move(one.resolver);
            if (one.until != ra::HeardOffers::never) offer.until = one.until;
        }
    }
    return offers;
}

std::vector<IpAddress> WanListeners::heard_plain() const {
    std::vector<IpAddress> addresses;
    for (const auto& [name, listener] : listeners_)
        for (const auto& router : listener.heard().routers(time_.now()))
            for (const auto& one : router.plain)
                if (std::find(addresses.begin(), addresses.end(), IpAddress(one.address)) ==
                    addresses.end())
                    addresses.emplace_back(one.address);
    return addresses;
}

std::vector<WanStatus> WanListeners::status() const {
    std::vector<WanStatus> all;
    const Clock::time_point now = time_.now();
    for (const auto& [name, listener] : listeners_) {
        WanStatus& wan = all.emplace_back();
        wan.interface = name;
        wan.hears = listener.hears();
        for (const auto& router : listener.heard().routers(now))
            wan.routers.push_back(status_of(router, now));
        wan.counters = counters_of(listener);
    }
    return all;
}

void WanListeners::on_news() {
    if (std::exchange(waiting_, true)) return;
    asio::co_spawn(loop_, tell_in_time(), asio::detached);
}

awaitable<void> WanListeners::tell_after_first_answers() {
    asio::steady_timer timer(loop_, ra::WanListener::answers_within);
    co_await timer.async_wait(asio::use_awaitable);
    on_change_();
}

awaitable<void> WanListeners::tell_in_time() {
    const Clock::time_point now = time_.now();
    asio::steady_timer timer(loop_, pace_.next(now) - now);
    co_await timer.async_wait(asio::use_awaitable);
    waiting_ = false;
    std::vector<Offer> offers = heard();
    std::vector<IpAddress> plain = heard_plain();
    const bool changed = !same_but_for_ends(offers, told_) || plain != plain_;
    pace_.on_look(changed, time_.now());
    if (offers == told_ && plain == plain_) co_return;
    told_ = std::move(offers);
    plain_ = std::move(plain);
    on_change_();
}

}  // namespace porchlight::agent
