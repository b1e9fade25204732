#include "agent/orders.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>

#include "acme/job.h"
#include "acme/provision_role.h"
#include "acme/schedule.h"
#include "agent/channel_loop.h"
#include "agent/plan.h"
#include "core/base64url.h"
#include "core/fields.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

/// Wall clocks are set and stepped, so a long wait is looked at again now and then.
constexpr std::chrono::minutes wait_max{10};
/// Between asking for the provision role and taking the request for lost.
constexpr std::chrono::seconds role_starts_within{30};

/// Who we are at a CA.
struct Account {
    std::string directory;
    std::string url;
    Buffer key_pem;
};

Account parse_account(Bytes octets) {
    Reader in(octets);
    Account account;
    account.directory = read_text_field(in);
    account.url = read_text_field(in);
    account.key_pem = read_octets_field(in);
    return in.finished() ? account : Account();
}

Buffer octets_of(const Account& account) {
    Writer out;
    write_field(out, account.directory);
    write_field(out, account.url);
    write_field(out, account.key_pem);
    return *out.take();
}

}  // namespace

struct Orders::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor executor, const TimeSource& clock, Random& dice, Callbacks calls)
        : loop(executor), time(clock), random(dice), callbacks(std::move(calls)), timer(executor) {}

    bool under_way() const { return asked || channel; }
    WallTime due() const {
        return acme::next_attempt(forced ? std::nullopt : validity,
                                  forced ? acme::Attempts() : attempts, time.wall());
    }
    void plan();
    void order();
    acme::Job job() const;
    void on_outcome(const acme::Outcome& outcome);
    void on_lost();
    void fail(std::chrono::seconds retry_after, const std::string& code, const std::string& error);

    asio::any_io_executor loop;
    const TimeSource& time;
    Random& random;
    Callbacks callbacks;
    asio::steady_timer timer;
    std::unique_ptr<ChannelLoop> channel;
    bool asked = false;   // the role, and it has not come yet
    bool forced = false;  // by a person: no schedule holds it
    bool stopped = false;

    std::optional<Config> config;
    World world;
    bool wall_trusted = false;
    std::optional<acme::Validity> validity;  // of the certificate in use, if it is fit
    Buffer awaited_chain;                    // of the certificate that came, until it is stored
    acme::Attempts attempts;
    bool read = false;  // `attempts` came from the store
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    Account account;
};

Orders::Orders(asio::any_io_executor loop, const TimeSource& time, Random& random,
               Callbacks callbacks)
    : state_(std::make_shared<State>(loop, time, random, callbacks)),
      staples_(loop, time, {callbacks.start_provision, callbacks.staple_changed}) {}

Orders::~Orders() {
    state_->stopped = true;
    state_->channel.reset();
    state_->timer.cancel();
}

void Orders::set(const Config& config, const World& world, const Custody& custody,
                 bool wall_trusted) {
    staples_.set(config, world, custody, wall_trusted);
    State& state = *state_;
    const bool changed = state.config && (state.config->certificate != config.certificate ||
                                          state.world.secrets != world.secrets);
    state.config = config;
    state.world = world;
    state.wall_trusted = wall_trusted;
    // A certificate that can't be stored must not be ordered again and again.
    const auto& stored = world.certificates;
    if (changed || std::any_of(stored.begin(), stored.end(), [&](const StoredCertificate& one) {
            return one.chain_pem == state.awaited_chain;
        }))
        state.awaited_chain.clear();
    if (state.awaited_chain.empty()) state.validity.reset();
    if (state.awaited_chain.empty() && custody.status.fit && custody.status.not_before &&
        custody.status.not_after)
        state.validity = acme::Validity{*custody.status.not_before, *custody.status.not_after};
    if (!state.read) {
        state.read = true;
        state.account = parse_account(world.account);
        if (auto attempts = acme::parse_attempts(text_of(world.schedule)))
            state.attempts = std::move(*attempts);
    }
    // What failed before may well succeed with another configuration.
    if (changed) state.attempts.failures = 0;
    state.plan();
}

void Orders::on_provision(net::Channel channel) {
    State& state = *state_;
    // Whoever asked first: one role is as good as the other.
    if (!std::exchange(state.asked, false)) return staples_.on_provision(std::move(channel));
    if (!state.config || !state.config->certificate.acme) return;
    const std::weak_ptr<State> weak = state_;
    state.channel = std::make_unique<ChannelLoop>(
        state.loop, std::move(channel),
        [weak](net::ChannelMessage message) {
            const auto self = weak.lock();
            if (!self ||
                message.kind != static_cast<std::uint16_t>(acme::ProvisionMessage::outcome))
                return;
            if (auto outcome = acme::parse_outcome(message.body)) self->on_outcome(*outcome);
        },
        [weak] {
            if (const auto self = weak.lock()) self->on_lost();
        });
    Writer out;
    acme::write(out, state.job());
    if (auto job = out.take())
        state.channel->send(static_cast<std::uint16_t>(acme::ProvisionMessage::job), *job);
}

Result<std::string> Orders::order_now() {
    if (!state_->config || !state_->config->certificate.acme)
        return Error{Errc::refused, "no certificate authority is configured (certificate.acme)"};
    if (state_->under_way()) return std::string("an order is under way already");
    state_->forced = true;
    state_->plan();
    return std::string("ordering a new certificate");
}

std::optional<forwarder::TlsIdentity> Orders::stapled(
    std::optional<forwarder::TlsIdentity> identity) const {
    if (identity) identity->staple_der = staples_.staple(identity->chain_pem);
    return identity;
}

void Orders::describe(CertificateStatus& status) const {
    staples_.describe(status.staple);
    const State& state = *state_;
    status.orders_succeeded = state.succeeded;
    status.orders_failed = state.failed;
    if (!state.config || !state.config->certificate.acme) return;
    if (!state.under_way()) status.next_attempt = state.due();
    if (state.attempts.failures == 0) return;
    status.last_error_code = state.attempts.error_code;
    status.last_error = state.attempts.error;
}

void Orders::State::plan() {
    // Until the role that was asked for comes, the timer watches over that.
    if (stopped || asked) return;
    timer.cancel();
    if (channel || !config || !config->certificate.acme || !config->resolver) return;
    if (learns_upstream(*config)) return;  // nobody is known yet who would know the CA's name
    if (!wall_trusted && validity && !forced) return;
    const auto wait = due() - time.wall();
    if (wait <= std::chrono::seconds(0)) return order();
    timer.expires_after(std::min<std::chrono::seconds>(wait, wait_max));
    timer.async_wait([weak = weak_from_this()](error_code cancelled) {
        const auto self = weak.lock();
        if (self && !cancelled) self->plan();
    });
}

void Orders::State::order() {
    log::info("ordering a certificate", {{"name", to_text(config->resolver->adn)}});
    asked = true;
    forced = false;
    timer.expires_after(role_starts_within);
    timer.async_wait([weak = weak_from_this()](error_code cancelled) {
        const auto self = weak.lock();
        if (!self || cancelled || !self->asked) return;
        self->asked = false;
        self->fail({}, "provision.lost", "the provision role did not start");
    });
    callbacks.start_provision();
}

acme::Job Orders::State::job() const {
    const AcmeConfig& ca = *config->certificate.acme;
    acme::Job job;
    job.directories = ca.directories;
    job.contacts = ca.contacts;
    job.terms_agreed = ca.agree_to_terms;
    job.names = {config->resolver->adn};
    job.update.server = ca.update.server;
    job.update.zone = ca.update.zone;
    job.update.key.name = ca.update.tsig.name;
    job.update.key.algorithm = ca.update.tsig.algorithm;
    job.update.propagation_wait = ca.update.propagation_wait;
    for (const auto& [pointer, secret] : world.secrets)
        if (pointer == tsig_secret_pointer)
            // One that is no base64 makes a wrong key, which the name server will name.
            job.update.key.secret = parse_base64(text_of(secret)).value_or(secret);
    job.roots_pem = world.acme_roots_pem;
    for (const forwarder::UpstreamSettings& upstream : config->upstream)
        job.resolvers.push_back({upstream.adn, upstream.addresses});
    job.upstream_roots_pem = world.roots_pem;
    if (!account.key_pem.empty()) job.account_key_pem = account.key_pem;
    job.account_url = account.url;
    job.account_directory = account.directory;
    job.dates_count = wall_trusted;
    return job;
}

void Orders::State::on_outcome(const acme::Outcome& outcome) {
    const auto role = std::move(channel);  // ends with this call
    if (!outcome.account_key_pem.empty()) {
        account = {outcome.directory, outcome.account_url, outcome.account_key_pem};
        callbacks.store_account(octets_of(account));
    }
    if (outcome.chain_pem.empty())
        return fail(outcome.retry_after, outcome.error_code, outcome.error);
    log::info("a certificate came", {{"from", outcome.directory}});
    ++succeeded;
    attempts = acme::after_success(random);
    callbacks.store_schedule(bytes_of(acme::write_attempts(attempts)));
    callbacks.store_certificate(
        {{"chain.pem", outcome.chain_pem},
         {"key.pem", outcome.key_pem},
         {"directory", Buffer(outcome.directory.begin(), outcome.directory.end())}});
    // The certificate comes back with the world, and set() plans its renewal. Should storing fail,
    // it is tried again after a while, not at once.
    awaited_chain = outcome.chain_pem;
    validity = acme::Validity{time.wall(), time.wall() + std::chrono::hours(1)};
    plan();
}

void Orders::State::on_lost() {
    if (!channel) return;
    channel.reset();
    fail({}, "provision.lost", "the provision role ended without a word");
}

void Orders::State::fail(std::chrono::seconds retry_after, const std::string& code,
                         const std::string& error) {
    ++failed;
    attempts = acme::after_failure(attempts, time.wall(), retry_after, code, error, random);
    log::warn("no certificate was had",
              {{"code", code}, {"error", error}, {"next", porchlight::to_text(due())}});
    callbacks.store_schedule(bytes_of(acme::write_attempts(attempts)));
    plan();
}

}  // namespace porchlight::agent
