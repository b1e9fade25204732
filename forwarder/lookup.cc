#include "forwarder/lookup.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/log.h"
#include "dns/answer.h"
#include "dns/edns.h"
#include "forwarder/admission.h"
#include "forwarder/cache.h"
#include "forwarder/companion.h"
#include "forwarder/dot_upstream.h"
#include "forwarder/failover.h"
#include "forwarder/in_flight.h"
#include "forwarder/memory.h"
#include "forwarder/names.h"
#include "forwarder/nxdomain_cut.h"
#include "forwarder/rebinding.h"
#include "forwarder/recent_failures.h"

namespace porchlight::forwarder {
namespace {

/// Of the places in flight, for what no host waits for, all workers together.
constexpr std::size_t refreshing_share = 20;  // a twentieth
/// Of the failures that are remembered, those of one host.
constexpr std::size_t failures_of_one_host = 8;  // an eighth
/// How long a host keeps that there is nothing: not much longer than a person who has just made an
/// exception waits.
constexpr std::chrono::seconds blocked_ttl{60};

/// The upstreams of one set of settings, and what they were made from.
struct Upstreams {
    std::vector<UpstreamSettings> settings;
    std::shared_ptr<net::TlsClient> tls;                // shared with `servers`
    std::vector<std::shared_ptr<DotUpstream>> servers;  // shared with `failover`
    std::shared_ptr<Failover> failover;                 // shared with its probes and look-ups
};

dns::TtlLimits ttls_of(const Settings& settings) {
    return {settings.ttl_max, settings.negative_ttl_max, settings.ttl_min};
}

RecentFailures::Limits failure_limits(const Settings& settings) {
    const std::size_t questions = failures_max(settings.limits.memory_bytes_max);
    return {.first = settings.failure_ttl,
            .most = settings.failure_ttl_max,
            .covered = settings.stale.recheck,
            .questions_max = questions,
            .questions_per_host_max = std::max<std::size_t>(questions / failures_of_one_host, 1)};
}

/// Whether an upstream that is in both is asked in the same way, so that its connections can stay.
bool asked_alike(const Settings& before, const Settings& after) {
    return before.roots_pem == after.roots_pem && before.network == after.network &&
           before.dates_count == after.dates_count && ttls_of(before) == ttls_of(after);
}

/// AD is believed of a validator whose own name was proved, by a chain whose dates were judged.
dns::Origin origin_of(const UpstreamSettings& upstream, const Settings& settings) {
    const bool is_trusted = upstream.validates && !upstream.designated && settings.dates_count;
    return is_trusted ? dns::Origin::trusted_validator : dns::Origin::anybody;
}

/// One that `before` has of the same name and address.
std::shared_ptr<DotUpstream> server_of(const Upstreams& before, const UpstreamSettings& upstream,
                                       const Endpoint& address) {
    std::size_t at = 0;
    for (const UpstreamSettings& former : before.settings)
        for (const Endpoint& its_address : former.addresses) {
            const std::shared_ptr<DotUpstream>& server = before.servers[at++];
            if (former.adn == upstream.adn && former.designated == upstream.designated &&
                former.validates == upstream.validates && its_address == address)
                return server;
        }
    return nullptr;
}

/// Servers that were there `before` go on with their connections, unless there is another `trust`.
Upstreams make_upstreams(const asio::any_io_executor& loop, const Settings& settings,
                         const Upstreams& before, Lookup::Trust trust,
                         const DotConnection::OnReading& on_reading,
                         const std::shared_ptr<UpstreamFailures>& failures,
                         Failover::MayExplore may_explore) {
    const bool alike = !trust;
    Upstreams made{settings.upstreams, alike ? before.tls : std::move(trust), {}, nullptr};
    for (const UpstreamSettings& upstream : settings.upstreams)
        for (const Endpoint& address : upstream.addresses) {
            std::shared_ptr<DotUpstream> server =
                alike ? server_of(before, upstream, address) : nullptr;
            if (server)
                server->forget_failures();
            else
                server = std::make_shared<DotUpstream>(loop, made.tls, upstream, address,
                                                       ttls_of(settings), on_reading,
                                                       origin_of(upstream, settings));
            made.servers.push_back(std::move(server));
        }
    made.failover = std::make_shared<Failover>(
        loop, std::vector<std::shared_ptr<Resolver>>(made.servers.begin(), made.servers.end()),
        failures, std::move(may_explore));
    return made;
}

bool is_negative_name(Bytes response) {
    return (response[3] & dns::flag::rcode) == dns::rcode::no_name;
}

/// How a look-up failed, as clients and the memory of failures are told.
struct Failed {
    std::uint16_t extended_error;
    RecentFailures::Blame blame;
};

Failed failed(const Result<Response>& result) {
    using Blame = RecentFailures::Blame;
    if (result)  // SERVFAIL, REFUSED and the like; the upstream's own reason if it gave one
        return {result->facts.extended_error.value_or(dns::extended_error::no_reachable_authority),
                Blame::name};
    if (result.error().code == Errc::timeout)
        return {dns::extended_error::no_reachable_authority, Blame::silence};
    if (result.error().code == Errc::malformed)
        return {dns::extended_error::network_error, Blame::name};
    return {dns::extended_error::network_error, Blame::line};
}

}  // namespace

struct Lookup::State : std::enable_shared_from_this<Lookup::State> {
    State(asio::any_io_executor executor, Cache& shared_cache, RecentFailures& shared_failures,
          const TimeSource& time_source, Serving& note, const Whole& part_of)
        : loop(std::move(executor)),
          cache(shared_cache),
          failures(shared_failures),
          time(time_source),
          serving(note),
          whole(part_of),
          slow_timer(loop) {}

    void find(const dns::Question& question, Source source, Done done);
    void refresh(const dns::Question& question);
    bool may_explore();
    void note_reading(const dns::Question* question);
    void join(InFlight::Flight& flight, Done done);
    void start(InFlight::Flight& flight, Source source);
    /// `flight` lasts until end() of it, or as long as the Lookup.
    static awaitable<void> look_up(std::shared_ptr<State> self, std::shared_ptr<Resolver> resolver,
                                   Source source, InFlight::Flight* flight,
                                   std::shared_ptr<const Views> asked_by);
    void finish(Source source, InFlight::Flight& flight, const Views& asked_by,
                Result<Response> result);
    Result<Response> sift(const Views& asked_by, const dns::Question& question, Response response);
    void succeed(Source source, InFlight::Flight& flight, const Response& response);
    void fail(InFlight::Flight& flight, const Failed& how);
    void keep(const dns::Question& question, const Response& response);
    void keep_cut(const dns::Question& question, const Response& response);
    bool answer_from_cut(const dns::Question& question, const Done& done);
    bool stale(const dns::Question& question, const std::vector<Done>& waiters);
    bool has_stale(const dns::Question& question);
    void refuse(const dns::Question& question, std::optional<std::uint16_t> extended_error,
                const std::vector<Done>& waiters);
    void watch_slow();
    void serve_slow();

    asio::any_io_executor loop;
    Cache& cache;
    RecentFailures& failures;
    const TimeSource& time;
    Serving& serving;
    const Whole whole;
    bool gone = false;  // the Lookup is: nobody waits, and the cache may be gone, too
    std::shared_ptr<const Settings> settings = std::make_shared<Settings>();
    std::shared_ptr<const Views> views = std::make_shared<Views>();  // shared with look-ups
    Names names;
    Upstreams upstreams;
    std::shared_ptr<Companion> companion;  // shared with look-ups under way
    InFlight in_flight;
    std::size_t refreshing = 0;  // of those in flight
    asio::steady_timer slow_timer;
    bool slow_timer_runs = false;
    Counters counters;
    // Shared with each Failover, whose look-ups under way may end after us.
    std::shared_ptr<UpstreamFailures> upstream_failures = std::make_shared<UpstreamFailures>();
};

Lookup::Lookup(asio::any_io_executor loop, Cache& cache, RecentFailures& failures,
               const TimeSource& time, Serving& serving, Whole whole)
    : state_(std::make_shared<State>(std::move(loop), cache, failures, time, serving, whole)) {}

Lookup::Lookup(asio::any_io_executor loop, Cache& cache, RecentFailures& failures,
               const TimeSource& time, Serving& serving)
    : Lookup(std::move(loop), cache, failures, time, serving, Whole()) {}

Lookup::~Lookup() {
    state_->gone = true;
    state_->in_flight.clear();
    state_->slow_timer.cancel();
}

Result<Lookup::Trust> Lookup::trust_for(const Settings* before, const Settings& after,
                                        const TimeSource& time) {
    const bool stays =
        before != nullptr && !before->upstreams.empty() && asked_alike(*before, after);
    if (after.upstreams.empty() || stays) return Trust();
    Result<std::unique_ptr<net::TlsClient>> client =
        net::TlsClient::create({.roots_pem = after.roots_pem,
                                .alpn = {"dot"},
                                .time = &time,
                                .dates_count = after.dates_count,
                                .may_end_unsaid = true});
    if (!client) return client.error().within("upstreams");
    return Trust(std::move(*client));
}

Result<void> Lookup::apply(std::shared_ptr<const Settings> settings) {
    auto trust = trust_for(state_->settings.get(), *settings, state_->time);
    if (!trust) return trust.error();
    apply(std::move(settings), std::move(*trust));
    return {};
}

void Lookup::apply(std::shared_ptr<const Settings> settings, Trust trust) {
    State& state = *state_;
    // Connections to upstreams that stay the same stay, too.
    if (!trust && state.upstreams.failover && state.upstreams.settings == settings->upstreams) {
        for (const auto& server : state.upstreams.servers) server->forget_failures();
    } else {
        state.upstreams = make_upstreams(
            state.loop, *settings, state.upstreams, std::move(trust),
            [weak = std::weak_ptr(state_)](const dns::Question* question) {
                if (const auto self = weak.lock(); self && !self->gone)
                    self->note_reading(question);
            },
            state.upstream_failures,
            [weak = std::weak_ptr(state_)] {
                const auto self = weak.lock();
                return self && !self->gone && self->may_explore();
            });
    }
    state.names = Names(*settings);
    state.companion = settings->companion
                          ? std::make_shared<Companion>(state.loop, *settings->companion)
                          : nullptr;
    state.in_flight.set_limits({settings->limits.in_flight_max,
                                settings->limits.waiters_per_question_max,
                                settings->stale.client_timer});
    state.in_flight.supersede();
    state.failures.set_limits(failure_limits(*settings));
    state.failures.clear();
    state.views = std::make_shared<const Views>(settings->rebinding);
    state.settings = std::move(settings);
}

bool Lookup::answer_locally(const dns::Query& query, Writer& out, bool from_companion,
                            const LinkName& link) {
    const Decision decision = state_->names.decide(query.name(), query.type, from_companion);
    if (decision.source != Source::own) return false;
    state_->names.write(out, query.name(), query.type, decision, link);
    ++state_->counters.own_answers;
    return true;
}

void Lookup::find(const dns::Question& question, bool from_companion, Done done) {
    State& state = *state_;
    const Bytes name = question.name.wire();
    const Decision decision = state.names.decide(name, question.type, from_companion);
    if (decision.source != Source::own)
        return state.find(question, decision.source, std::move(done));
    Writer out;
    state.names.write(out, name, question.type, decision);
    ++state.counters.own_answers;
    done({out.view(), std::nullopt});
}

void Lookup::refresh(const dns::Question& question) {
    state_->refresh(question);
}

const Views& Lookup::views() const {
    return *state_->views;
}

const Lookup::Counters& Lookup::counters() const {
    return state_->counters;
}

const UpstreamFailures& Lookup::upstream_failures() const {
    return *state_->upstream_failures;
}

std::vector<UpstreamState> Lookup::upstreams() const {
    std::vector<UpstreamState> states;
    for (const auto& server : state_->upstreams.servers) states.push_back(server->state());
    return states;
}

void Lookup::State::find(const dns::Question& question, Source source, Done done) {
    const Clock::time_point now = time.now();
    if (source == Source::upstream && answer_from_cut(question, done)) return;
    if (InFlight::Flight* flight = in_flight.find(question)) return join(*flight, std::move(done));
    if (const auto failure = failures.find(question, now)) {
        ++counters.failures_recent;
        const std::vector<Done> one{std::move(done)};
        if (!stale(question, one)) refuse(question, failure->extended_error, one);
        return;
    }
    InFlight::Flight* flight = in_flight.start(question, serving.host(), now);
    if (flight == nullptr) {
        ++counters.refused_full;
        const std::vector<Done> one{std::move(done)};
        if (!stale(question, one)) refuse(question, std::nullopt, one);
        return;
    }
    flight->waiters.push_back(std::move(done));
    start(*flight, source);
    watch_slow();
}

void Lookup::State::start(InFlight::Flight& flight, Source source) {
    std::shared_ptr<Resolver> resolver = upstreams.failover;
    if (source == Source::companion) resolver = companion;
    ++(source == Source::companion ? counters.companion_queries : counters.upstream_questions);
    // The number of a view means what it meant when it was asked for.
    asio::co_spawn(loop, look_up(shared_from_this(), std::move(resolver), source, &flight, views),
                   asio::detached);
}

void Lookup::State::refresh(const dns::Question& question) {
    const Clock::time_point now = time.now();
    const bool is_outside =
        names.decide(question.name.wire(), question.type, false).source == Source::upstream;
    if (!is_outside || in_flight.find(question) != nullptr ||
        failures.find(question, now).has_value())
        return;
    const std::size_t refreshing_max =
        settings->limits.in_flight_max / refreshing_share / whole.workers;
    const bool has_place = refreshing < refreshing_max && may_explore();
    InFlight::Flight* flight = has_place ? in_flight.start(question, serving.host(), now) : nullptr;
    if (flight == nullptr) return cache.put_off(question, now);
    flight->refreshing = true;
    ++refreshing;
    ++counters.prefetches;
    start(*flight, Source::upstream);
    watch_slow();
}

/// Whether there are places for what no host waits for.
bool Lookup::State::may_explore() {
    if (whole.admission == nullptr || !whole.admission->is_pressed(settings->limits)) return true;
    ++counters.background_put_off;
    return false;
}

/// Whose answer is being read now, or that nobody's is any more.
void Lookup::State::note_reading(const dns::Question* question) {
    const InFlight::Flight* flight = question == nullptr ? nullptr : in_flight.find(*question);
    serving.begin(flight == nullptr ? Serving::Host() : flight->asker);
}

void Lookup::State::join(InFlight::Flight& flight, Done done) {
    ++counters.merged;
    const std::vector<Done> one{std::move(done)};
    if (flight.slow && stale(flight.question, one)) return;
    if (in_flight.has_room(flight)) {
        flight.waiters.push_back(one.front());
    } else {
        ++counters.refused_full;
        refuse(flight.question, std::nullopt, one);
    }
}

awaitable<void> Lookup::State::look_up(std::shared_ptr<State> self,
                                       std::shared_ptr<Resolver> resolver, Source source,
                                       InFlight::Flight* flight,
                                       std::shared_ptr<const Views> asked_by) {
    Result<Response> result = Error{Errc::unavailable, "no upstream is configured"};
    try {
        const std::chrono::milliseconds within = self->settings->limits.query_max;
        if (resolver) result = co_await resolver->resolve(flight->question, within);
    } catch (const std::exception& thrown) {  // the one catch: no memory, no descriptor
        result = Error{Errc::internal, thrown.what()};
    }
    if (self->gone) co_return;
    self->serving.begin(flight->asker);
    self->finish(source, *flight, *asked_by, std::move(result));
    self->note_reading(nullptr);
}

void Lookup::State::finish(Source source, InFlight::Flight& flight, const Views& asked_by,
                           Result<Response> result) {
    if (flight.refreshing) --refreshing;
    const bool from_outside = source == Source::upstream;
    const bool counts = from_outside && !flight.superseded;
    if (counts) failures.note_upstream(bool(result), flight.started, time.now());
    if (from_outside && result && result->facts.kind != dns::Answer::Kind::failure)
        result = sift(asked_by, flight.question, *std::move(result));
    if (result && result->facts.kind != dns::Answer::Kind::failure)
        return succeed(source, flight, *result);
    if (source == Source::companion) ++counters.companion_failures;
    const Failed how = failed(result);
    // The companion is next door: asking it again costs nothing.
    if (counts)
        failures.note(flight.question, flight.asker, how.blame, how.extended_error,
                      has_stale(flight.question), flight.started, time.now());
    fail(flight, how);
}

/// An answer from outside as far as hosts of the question's view may hear it. What judges answers
/// one day comes in here.
Result<Response> Lookup::State::sift(const Views& asked_by, const dns::Question& question,
                                     Response response) {
    switch (judge(asked_by.rebinding(question.view), question, response.message)) {
        case Judgement::pass:
            break;
        case Judgement::pass_without_additional:
            dns::cut_additional(response.message, response.facts);
            break;
        case Judgement::block: {
            ++counters.answers_blocked_rebinding;
            log::debug("an answer from outside leads into the home, blocked");
            Buffer message = dns::no_data_response(question, blocked_ttl);
            Result<dns::Answer> facts = dns::parse_answer(message, question, ttls_of(*settings));
            if (!facts) return facts.error();
            facts->extended_error = dns::extended_error::blocked;
            return Response{std::move(message), *facts};
        }
        case Judgement::foreign:
            ++counters.answers_foreign;
            log::debug("an answer has records that nobody asked for, refused");
            return Error{Errc::malformed, "has records that nobody asked for"};
    }
    return response;
}

void Lookup::State::succeed(Source source, InFlight::Flight& flight, const Response& response) {
    // The home's names change with every lease, and their server is next door: not kept. Nor is
    // what settings of yesterday led to.
    if (source == Source::upstream && !flight.superseded) {
        failures.forget(flight.question, time.now());
        keep(flight.question, response);
        keep_cut(flight.question, response);
    }
    const Found found{response.message, response.facts.extended_error};
    for (const Done& done : in_flight.end(flight)) done(found);
}

void Lookup::State::fail(InFlight::Flight& flight, const Failed& how) {
    const dns::Question question = flight.question;
    const std::vector<Done> waiters = in_flight.end(flight);
    if (waiters.empty() || stale(question, waiters)) return;
    refuse(question, how.extended_error, waiters);
}

void Lookup::State::keep(const dns::Question& question, const Response& response) {
    const dns::Answer& facts = response.facts;
    Storable storable{response.message, std::span(facts.ttl_at).first(facts.ttl_count), facts.ttl};
    storable.extended_error = facts.extended_error;
    std::vector<std::uint16_t> walked;
    if (facts.ttls_walk) {
        dns::for_each_ttl(response.message, [&](std::size_t at) {
            walked.push_back(static_cast<std::uint16_t>(at));
        });
        storable.ttl_offsets = walked;
    }
    cache.store(question, storable, time.now());
}

/// What an answer says of all names beneath its own.
void Lookup::State::keep_cut(const dns::Question& question, const Response& response) {
    if (!settings->nxdomain_cut || !may_be_cut(question)) return;
    const Clock::time_point now = time.now();
    if (response.facts.kind != dns::Answer::Kind::no_name) {
        // It is there, and so is all above it, whatever somebody said.
        for (const dns::Question& above : cut_questions(question)) cache.store(above, {}, now);
        return;
    }
    const std::optional<Cut> cut = cut_of(response.message, question);
    if (!cut) return;
    cache.store(cut_question(question.name, question),
                {cut->response, std::span(&cut->ttl_at, 1), response.facts.ttl}, now);
}

/// Whether a name above the question's, or it by another type, is known not to exist.
bool Lookup::State::answer_from_cut(const dns::Question& question, const Done& done) {
    if (!settings->nxdomain_cut || !may_be_cut(question)) return false;
    Writer cut;
    for (const dns::Question& above : cut_questions(question)) {
        if (!cache.answer(above, time.now(), cut)) continue;
        ++counters.answers_from_cut;
        const Buffer response = response_from_cut(cut.view(), question);
        done({response, dns::extended_error::synthesized});
        return true;
    }
    return false;
}

/// Hands `waiters` what was true before, if the cache still has it (RFC 8767).
bool Lookup::State::stale(const dns::Question& question, const std::vector<Done>& waiters) {
    Writer out;
    const std::optional<Hit> hit = cache.answer_stale(question, time.now(), out);
    if (!hit) return false;
    // Why there is nothing says more than how long that has been so.
    const std::uint16_t stale_error = is_negative_name(out.view())
                                          ? dns::extended_error::stale_nxdomain
                                          : dns::extended_error::stale_answer;
    const Found found{out.view(), hit->extended_error.value_or(stale_error)};
    counters.stale_answers += waiters.size();
    for (const Done& done : waiters) done(found);
    return true;
}

bool Lookup::State::has_stale(const dns::Question& question) {
    Writer ignored;
    return cache.answer_stale(question, time.now(), ignored).has_value();
}

void Lookup::State::refuse(const dns::Question& question,
                           std::optional<std::uint16_t> extended_error,
                           const std::vector<Done>& waiters) {
    const Buffer response = dns::empty_response(question, dns::rcode::server_failure);
    const Found found{response, extended_error};
    counters.failures += waiters.size();
    for (const Done& done : waiters) done(found);
}

void Lookup::State::watch_slow() {
    const auto next = in_flight.next_slow();
    if (slow_timer_runs || !next) return;
    slow_timer_runs = true;
    slow_timer.expires_after(*next - time.now());
    slow_timer.async_wait([weak = weak_from_this()](error_code ec) {
        const auto self = weak.lock();
        if (ec || !self || self->gone) return;
        self->slow_timer_runs = false;
        self->serve_slow();
        self->watch_slow();
    });
}

/// Flights that take too long for a client's patience: who waits gets what is stale, while the
/// look-up goes on and refreshes the cache.
void Lookup::State::serve_slow() {
    while (InFlight::Flight* flight = in_flight.take_slow(time.now())) {
        // A waiter may ask again in its callback: it must not find itself in the list.
        const dns::Question question = flight->question;
        std::vector<Done> waiters = std::exchange(flight->waiters, {});
        (stale(question, waiters) ? flight->served : flight->waiters) = std::move(waiters);
    }
}

}  // namespace porchlight::forwarder
