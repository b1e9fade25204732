#include "agent/lan_watch.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "agent/gate.h"
#include "agent/probe.h"
#include "core/log.h"
#include "net/doh_client.h"
#include "net/tls_stream.h"

namespace porchlight::agent {

struct LanWatch::State {
    State(asio::any_io_executor loop, Target what, bool was_announced, std::function<void()> change)
        : target(std::move(what)),
          gate(was_announced),
          timer(loop),
          on_change(std::move(change)),
          told(fitness(Clock::now())) {}

    static awaitable<void> watch(std::shared_ptr<State> self);
    awaitable<Result<void>> look();
    void set_client();
    void tell_change() {
        Fitness now = fitness(Clock::now());
        if (now != std::exchange(told, now)) on_change();
    }
    Fitness fitness(Clock::time_point now) {
        const bool open = gate.open(now);
        return {target.link, open, open ? "" : why, looked, target.port};
    }

    Target target;
    Gate gate;
    asio::steady_timer timer;
    std::function<void()> on_change;
    bool stopped = false;
    bool look_soon = false;
    bool looked = false;

    bool certificate_fit = false;
    std::string certificate_why = "there is no certificate yet";
    Buffer chain_pem;
    std::shared_ptr<net::TlsClient> client;  // shared with a look under way when it is replaced
    std::vector<Endpoint> listeners;
    std::vector<std::shared_ptr<Probe>> probes;
    std::string why = "not looked at yet";
    Fitness told;
};

LanWatch::LanWatch(asio::any_io_executor loop, Target target, bool was_announced,
                   std::function<void()> on_change)
    : state_(
          std::make_shared<State>(loop, std::move(target), was_announced, std::move(on_change))) {
    asio::co_spawn(loop, State::watch(state_), asio::detached);
}

LanWatch::~LanWatch() {
    state_->stopped = true;
    state_->timer.cancel();
}

const LanWatch::Target& LanWatch::target() const {
    return state_->target;
}

void LanWatch::set_certificate(const Custody& custody) {
    const bool changed = state_->certificate_fit != custody.status.fit;
    state_->certificate_fit = custody.status.fit;
    state_->certificate_why = custody.status.why;
    const Buffer& chain = custody.identity ? custody.identity->chain_pem : Buffer();
    if (chain != state_->chain_pem) {
        state_->chain_pem = chain;
        state_->set_client();
    } else if (!changed) {
        return;
    }
    look_now();
}

void LanWatch::set_links(const std::vector<net::Link>& links) {
    std::vector<Endpoint> listeners;
    for (const net::Link& link : links) {
        if (link.name != state_->target.link || !link.up) continue;
        for (const IpAddress& address : announced_addresses(link)) {
            const auto* v6 = std::get_if<Ipv6>(&address);
            const bool scoped = v6 != nullptr && is_link_local(*v6);
            listeners.push_back({address, state_->target.port, scoped ? link.index : 0});
        }
    }
    if (listeners == state_->listeners) return;
    state_->listeners = std::move(listeners);
    state_->probes.clear();
    for (const Endpoint& listener : state_->listeners)
        state_->probes.push_back(
            std::make_shared<Probe>(listener, state_->target.adn, state_->target.dohpath));
    look_now();
}

void LanWatch::look_now() {
    state_->look_soon = true;
    state_->timer.cancel();
}

Fitness LanWatch::fitness() const {
    return state_->fitness(Clock::now());
}

std::vector<LanWatch::Target> watched(const Config& config) {
    std::vector<LanWatch::Target> targets;
    for (const LanConfig& lan : config.lan) {
        if (resolve_mode(config, lan) != Mode::forwarder) continue;
        const ResolverConfig& resolver = *config.resolver;
        for (const std::uint16_t port : ports(resolver)) {
            const auto doh = std::ranges::find(resolver.doh, port, &DohConfig::port);
            targets.push_back({lan.interface, resolver.adn, port,
                               doh == resolver.doh.end() ? std::string() : doh->path});
        }
    }
    return targets;
}

/// The listener is known by its very certificate: whether hosts would trust the chain is theirs to
/// say, and whether its dates hold is judged elsewhere.
void LanWatch::State::set_client() {
    client.reset();
    for (const auto& probe : probes) probe->forget();
    if (chain_pem.empty()) return;
    net::TlsClient::Settings settings;
    settings.roots_pem = chain_pem;
    settings.alpn = {target.dohpath.empty() ? "dot" : net::doh_alpn};
    settings.dates_count = false;
    settings.partial_chain = true;
    settings.source = net::Source::same_address;
    auto made = net::TlsClient::create(settings);
    if (made)
        client = std::move(*made);
    else
        log::error("cannot look at our own listeners", {{"error", made.error().message}});
}

awaitable<void> LanWatch::State::watch(std::shared_ptr<State> self) {
    // What is known of certificate and links comes right after the construction.
    co_await asio::post(self->timer.get_executor(), asio::use_awaitable);
    while (!self->stopped) {
        self->look_soon = false;
        // The gate's time may be up, and the look that follows may take some of its own.
        self->tell_change();
        if (self->stopped) co_return;
        const auto began = Clock::now();
        const Result<void> seen = co_await self->look();
        if (self->stopped) co_return;
        const auto now = Clock::now();
        self->gate.observe(bool(seen), began, now);
        self->looked = true;
        self->why =
            seen ? "it works again, but must do so for a while first" : seen.error().message;
        self->tell_change();
        if (self->stopped) co_return;
        if (self->look_soon) continue;
        const auto change = self->gate.next_change();
        const auto next = now + (seen ? look_every : look_again_after);
        self->timer.expires_at(change ? std::min(next, *change) : next);
        error_code cancelled;
        co_await self->timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
}

awaitable<Result<void>> LanWatch::State::look() {
    if (!certificate_fit)
        co_return Error{Errc::refused, "the certificate is not fit: " + certificate_why};
    const std::shared_ptr<net::TlsClient> with = client;
    if (!with) co_return Error{Errc::internal, "the certificate cannot be read"};
    if (probes.empty())
        co_return Error{Errc::unavailable, target.link + " has no address that hosts could use"};
    const std::vector<std::shared_ptr<Probe>> asked = probes;
    for (const std::shared_ptr<Probe>& probe : asked) {
        Result<void> answered = co_await probe->ask(*with);
        if (!answered) {
            const std::string who =
                (target.dohpath.empty() ? "DNS over TLS at " : "DNS over HTTPS at ") +
                to_text(probe->listener());
            co_return answered.error().within(who);
        }
    }
    co_return Result<void>();
}

}  // namespace porchlight::agent
