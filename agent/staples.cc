#include "agent/staples.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "acme/provision_role.h"
#include "acme/staple.h"
#include "agent/channel_loop.h"
#include "agent/plan.h"
#include "agent/staple_schedule.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

/// Wall clocks are set and stepped, so a long wait is looked at again now and then.
constexpr std::chrono::seconds wait_max{600};
/// Between asking for the provision role and taking the request for lost.
constexpr std::chrono::seconds role_starts_within{30};

}  // namespace

struct Staples::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor executor, const TimeSource& clock, Callbacks calls)
        : loop(executor), time(clock), callbacks(std::move(calls)), timer(executor) {}

    bool can_fetch() const {
        return wall_trusted && !terms.responder.empty() && trouble.empty() && !resolvers.empty();
    }
    bool holds() const {
        return wall_trusted && history.held && time.wall() < history.held->next_update;
    }
    void take(Bytes chain);
    void plan();
    void wait(std::chrono::seconds length, std::function<void(State&)> then);
    void fetch();
    void on_outcome(const acme::StapleOutcome& outcome);
    void fail(const std::string& why);

    asio::any_io_executor loop;
    const TimeSource& time;
    Callbacks callbacks;
    asio::steady_timer timer;
    std::unique_ptr<ChannelLoop> channel;
    bool asked = false;  // the role, and it has not come yet
    bool stopped = false;

    Buffer chain_pem;
    net::StaplingTerms terms;
    std::string trouble;  // why none can be asked for
    std::vector<acme::Bootstrap> resolvers;
    Buffer roots_pem;
    bool wall_trusted = false;
    StapleHistory history;
    Buffer response_der;
    std::string last_error;
    std::uint64_t fetched = 0;
    std::uint64_t failed = 0;
};

Staples::Staples(asio::any_io_executor loop, const TimeSource& time, Callbacks callbacks)
    : state_(std::make_shared<State>(loop, time, std::move(callbacks))) {}

Staples::~Staples() {
    state_->stopped = true;
    state_->channel.reset();
    state_->timer.cancel();
}

void Staples::set(const Config& config, const World& world, const Custody& custody,
                  bool wall_trusted) {
    State& state = *state_;
    state.take(custody.identity ? Bytes(custody.identity->chain_pem) : Bytes());
    state.resolvers.clear();
    if (!learns_upstream(config))
        for (const forwarder::UpstreamSettings& upstream : config.upstream)
            state.resolvers.push_back({upstream.adn, upstream.addresses});
    state.roots_pem = world.roots_pem;
    const bool turned = std::exchange(state.wall_trusted, wall_trusted) != wall_trusted;
    if (turned && state.history.held) state.callbacks.changed();
    state.plan();
}

void Staples::on_provision(net::Channel channel) {
    State& state = *state_;
    if (!std::exchange(state.asked, false)) return;
    const std::weak_ptr<State> weak = state_;
    state.channel = std::make_unique<ChannelLoop>(
        state.loop, std::move(channel),
        [weak](net::ChannelMessage message) {
            const auto self = weak.lock();
            const auto kind = static_cast<acme::ProvisionMessage>(message.kind);
            if (!self || kind != acme::ProvisionMessage::staple_outcome) return;
            if (auto outcome = acme::parse_staple_outcome(message.body)) self->on_outcome(*outcome);
        },
        [weak] {
            const auto self = weak.lock();
            if (!self || !self->channel) return;
            self->channel.reset();
            self->fail("the provision role ended without a word");
        });
    state.timer.cancel();
    Writer out;
    acme::write(out, acme::StapleJob{state.chain_pem, state.resolvers, state.roots_pem});
    if (auto job = out.take())
        state.channel->send(static_cast<std::uint16_t>(acme::ProvisionMessage::staple_job), *job);
}

Buffer Staples::staple(Bytes chain_pem) const {
    const bool same = std::ranges::equal(chain_pem, state_->chain_pem);
    return same && state_->holds() ? state_->response_der : Buffer();
}

void Staples::describe(StapleStatus& status) const {
    const State& state = *state_;
    status.responder = state.terms.responder;
    status.required = state.terms.required;
    if (state.holds()) status.until = state.history.held->next_update;
    status.fetched = state.fetched;
    status.failed = state.failed;
    status.last_error = state.trouble.empty() ? state.last_error : state.trouble;
    if (!status.responder.empty() && state.resolvers.empty() && status.last_error.empty())
        status.last_error = "no upstream is configured by which its responder could be found";
    if (state.can_fetch() && !state.asked && !state.channel)
        status.next_attempt =
            state.time.wall() + until_fetch(state.history, state.time.wall(), state.time.now());
}

/// What was had for another certificate goes with it.
void Staples::State::take(Bytes chain) {
    if (std::ranges::equal(chain, chain_pem)) return;
    channel.reset();  // its word would be about the former one
    chain_pem.assign(chain.begin(), chain.end());
    terms = net::stapling_terms(chain_pem);
    history = {};
    response_der.clear();
    last_error.clear();
    trouble.clear();
    if (terms.responder.empty()) return;
    if (const auto request = net::staple_request(chain_pem); !request)
        trouble = request.error().message;
}

void Staples::State::wait(std::chrono::seconds length, std::function<void(State&)> then) {
    timer.expires_after(length);
    timer.async_wait([weak = weak_from_this(), then = std::move(then)](error_code cancelled) {
        const auto self = weak.lock();
        if (self && !cancelled) then(*self);
    });
}

void Staples::State::plan() {
    // Until the role that was asked for comes, the timer watches over that.
    if (stopped || asked || channel) return;
    timer.cancel();
    if (!can_fetch()) return;
    const auto pause = until_fetch(history, time.wall(), time.now());
    if (pause <= std::chrono::seconds(0)) return fetch();
    wait(std::min(pause, wait_max), [](State& self) { self.plan(); });
}

void Staples::State::fetch() {
    asked = true;
    wait(role_starts_within, [](State& self) {
        if (!std::exchange(self.asked, false)) return;
        self.fail("the provision role did not start");
    });
    callbacks.start_provision();
}

/// The role says that it checked what came. It read a stranger's octets, so this is checked again.
void Staples::State::on_outcome(const acme::StapleOutcome& outcome) {
    const auto role = std::move(channel);  // ends with this call
    if (outcome.revoked) {
        history.held.reset();
        response_der.clear();
        callbacks.changed();
    }
    if (outcome.response_der.empty()) return fail(outcome.error);
    const auto span = net::check_staple(chain_pem, outcome.response_der, time.wall());
    if (!span) return fail(span.error().message);
    log::info("the certificate is not revoked",
              {{"until", porchlight::to_text(span->next_update)}});
    ++fetched;
    history = {*span, time.wall(), 0, {}};
    response_der = outcome.response_der;
    last_error.clear();
    callbacks.changed();
    plan();
}

void Staples::State::fail(const std::string& why) {
    ++failed;
    ++history.failures;
    history.failed_at = time.now();
    last_error = why;
    log::warn("nobody says whether the certificate is revoked",
              {{"responder", terms.responder}, {"error", why}});
    plan();
}

}  // namespace porchlight::agent
