#include "forwarder/forwarder.h"

#include <openssl/ssl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "core/log.h"
#include "forwarder/control.h"
#include "forwarder/memory.h"
#include "forwarder/seccomp.h"
#include "forwarder/worker.h"

// The first worker's loop is also where keeper and agent are heard. What they say is checked and
// built here, whole, and then handed to every worker on its own thread; the answer goes back when
// the last of them is through.

namespace porchlight::forwarder {
namespace {

/// A channel within an event loop. Its handlers may destroy it.
class Correspondent {
  public:
    using OnMessage = std::function<void(net::ChannelMessage)>;
    using OnGone = std::function<void(const Error&)>;

    Correspondent(asio::io_context& loop, net::Channel channel, OnMessage on_message,
                  OnGone on_gone)
        : channel_(std::move(channel)),
          descriptor_(loop, channel_.descriptor()),
          on_message_(std::move(on_message)),
          on_gone_(std::move(on_gone)) {
        wait();
    }
    ~Correspondent() {
        *alive_ = false;
        descriptor_.release();  // the channel closes it
    }

    void send(Control kind, Bytes body = {}) {
        if (auto sent = channel_.send(static_cast<std::uint16_t>(kind), body); !sent)
            log::warn("a message was lost", {{"error", sent.error().message}});
    }

  private:
    void wait() {
        descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                               [this, alive = alive_](error_code ec) {
                                   if (!ec && *alive) read(alive);
                               });
    }

    void read(std::shared_ptr<bool> alive) {
        for (;;) {
            auto message = channel_.receive();
            if (!message) {
                const OnGone on_gone = on_gone_;
                return on_gone(message.error());
            }
            if (!*message) return wait();
            const OnMessage on_message = on_message_;
            on_message(std::move(**message));
            if (!*alive) return;
        }
    }

    net::Channel channel_;
    asio::posix::stream_descriptor descriptor_;
    OnMessage on_message_;
    OnGone on_gone_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

std::vector<Counter> lookup_counters(const Worker::State& state) {
    const Lookup::Counters& counters = state.lookup;
    const UpstreamFailures& failed = state.upstream_failures;
    return {{"own_answers", counters.own_answers},
            {"companion_queries", counters.companion_queries},
            {"companion_failures", counters.companion_failures},
            {"upstream_questions", counters.upstream_questions},
            {"merged", counters.merged},
            {"refused_full", counters.refused_full},
            {"stale_answers", counters.stale_answers},
            {"failures", counters.failures},
            {"failures_recent", counters.failures_recent},
            {"answers_blocked_rebinding", counters.answers_blocked_rebinding},
            {"answers_foreign", counters.answers_foreign},
            {"answers_from_cut", counters.answers_from_cut},
            {"prefetches", counters.prefetches},
            {"background_put_off", counters.background_put_off},
            {"upstream_timeouts", failed.timeouts},
            {"upstream_unproved", failed.unproved},
            {"upstream_unreachable", failed.unreachable},
            {"upstream_malformed", failed.malformed},
            {"upstream_internal", failed.internal},
            {"upstream_unhelpful", failed.unhelpful}};
}

/// Adds `part` to what is known of the same upstreams.
void merge(std::vector<UpstreamState>& sum, const std::vector<UpstreamState>& part) {
    for (const UpstreamState& one : part) {
        const auto same = std::find_if(sum.begin(), sum.end(), [&](const UpstreamState& other) {
            return other.adn == one.adn && other.address == one.address;
        });
        if (same == sum.end()) {
            sum.push_back(one);
            continue;
        }
        // A worker that never asked thinks well of every upstream.
        if (one.queries + one.failures != 0)
            same->reachable = same->queries + same->failures == 0
                                  ? one.reachable
                                  : same->reachable || one.reachable;
        if (same->last_error.empty()) same->last_error = one.last_error;
        same->queries += one.queries;
        same->failures += one.failures;
        same->round_trip_us = std::max(same->round_trip_us, one.round_trip_us);
    }
}

void merge(std::vector<Counter>& sum, const std::vector<Counter>& part) {
    if (sum.empty()) {
        sum = part;
        return;
    }
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i].value += part[i].value;
}

/// Whether answers that the old settings led to are right under the new ones: those of an upstream
/// that is still asked are, wherever it is asked now.
bool answers_hold(const Settings& before, const Settings& after) {
    const auto is_still_asked = [&](const UpstreamSettings& former) {
        return std::any_of(
            after.upstreams.begin(), after.upstreams.end(), [&](const UpstreamSettings& one) {
                return one.adn == former.adn && one.designated == former.designated &&
                       one.validates == former.validates;
            });
    };
    return std::all_of(before.upstreams.begin(), before.upstreams.end(), is_still_asked) &&
           before.companion == after.companion && before.local_domains == after.local_domains &&
           before.adn == after.adn && before.addresses == after.addresses &&
           before.rebinding == after.rebinding;
}

std::uint64_t memory_of_machine() {
    const long pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGESIZE);
    // Where nobody says, as for a small one.
    return pages > 0 && page_bytes > 0 ? std::uint64_t(pages) * std::uint64_t(page_bytes)
                                       : 128u << 20;
}

class Forwarder {
  public:
    explicit Forwarder(Start start);
    int run();

  private:
    void on_keeper(net::ChannelMessage message);
    void on_agent(net::ChannelMessage message);
    void hear_agent(net::Channel channel);
    void take_listeners(net::ChannelMessage message);
    void answer_alive();
    void flush_cache();
    void take_settings(Bytes body);
    /// All that can fail to be made of settings.
    struct Made {
        std::vector<Worker::Made> each;  // one a worker
        std::shared_ptr<TicketKeys> ticket_keys;
    };
    Result<Made> made_of(const Settings& settings);
    Result<void> make_servers(const Settings& settings, Made& made);
    void send_status();
    void send_queries();
    void tell_agent(Control kind, Bytes body = {});

    /// Runs `task` on every worker's thread, then `then` on the first one's.
    template <class Task, class Then>
    void on_all_workers(Task task, Then then) {
        auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            asio::post(workers_[i]->loop(), [this, i, task, then, left] {
                task(i, *workers_[i]);
                if (left->fetch_sub(1) == 1) asio::post(first().loop(), then);
            });
        }
    }
    Worker& first() { return *workers_.front(); }

    SystemRandom random_;
    SystemTime time_;
    const std::uint64_t machine_bytes_ = memory_of_machine();  // asked before any filter
    Cache cache_{{}, random_};
    RecentFailures failures_;
    Admission admission_{random_};
    DailyKey daily_key_{random_};
    std::shared_ptr<TicketKeys> ticket_keys_ =
        std::make_shared<TicketKeys>(random_, Limits().ticket_rotation);
    std::shared_ptr<const Settings> settings_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::unique_ptr<Correspondent> keeper_;
    std::unique_ptr<Correspondent> agent_;
};

Forwarder::Forwarder(Start start) {
    const ServingPage serving(start.serving);
    const unsigned workers = std::max(start.workers, 1u);
    for (unsigned i = 0; i < workers; ++i)
        workers_.push_back(std::make_unique<Worker>(Worker::Shared{
            cache_, failures_, admission_, time_, daily_key_, workers, serving.place(i)}));
    keeper_ = std::make_unique<Correspondent>(
        first().loop(), std::move(start.keeper),
        [this](net::ChannelMessage message) { on_keeper(std::move(message)); },
        [this](const Error&) {
            log::info("the keeper is gone, so are we");
            for (auto& worker : workers_) worker->stop();
        });
    if (start.agent) hear_agent(std::move(start.agent));
}

int Forwarder::run() {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < workers_.size(); ++i)
        threads.emplace_back([&worker = *workers_[i]] { worker.run(); });
    // Now, when every thread there will be exists: the filter is for all of them.
    if (auto restricted = restrict_system_calls(); !restricted)
        log::warn("running without a filter", {{"error", restricted.error().message}});
    first().run();
    for (std::size_t i = 1; i < workers_.size(); ++i) workers_[i]->stop();
    return 0;
}

void Forwarder::on_keeper(net::ChannelMessage message) {
    switch (static_cast<Control>(message.kind)) {
        case Control::listeners:
            return take_listeners(std::move(message));
        case Control::alive:
            return answer_alive();
        case Control::refused:
            if (const auto hosts = parse_refused(message.body))
                admission_.refuse(*hosts, Clock::now());
            return;
        case Control::agent_channel:
            if (message.descriptors.size() == 1)
                hear_agent(net::Channel(std::move(message.descriptors.front())));
            return;
        default:
            log::warn("an unknown message from the keeper",
                      {{"kind", std::to_string(message.kind)}});
    }
}

void Forwarder::hear_agent(net::Channel channel) {
    agent_ = std::make_unique<Correspondent>(
        first().loop(), std::move(channel),
        [this](net::ChannelMessage message) { on_agent(std::move(message)); },
        [this](const Error&) {
            log::info("the agent is gone, serving on");
            agent_.reset();
        });
}

void Forwarder::on_agent(net::ChannelMessage message) {
    switch (static_cast<Control>(message.kind)) {
        case Control::settings:
            return take_settings(message.body);
        case Control::ask_status:
            return send_status();
        case Control::ask_queries:
            return send_queries();
        case Control::flush_cache:
            return cache_.flush();
        case Control::neighbours:
            if (auto told = parse_neighbours(message.body))
                admission_.set_neighbours(Neighbours(std::move(*told)),
                                          settings_ ? settings_->limits : Limits());
            return;
        case Control::let_in_again:
            return admission_.let_in_again();
        default:
            log::warn("an unknown message from the agent",
                      {{"kind", std::to_string(message.kind)}});
    }
}

void Forwarder::take_listeners(net::ChannelMessage message) {
    const auto infos = parse_listeners(message.body);
    if (!infos || infos->size() != message.descriptors.size())
        return log::error("listeners came damaged");
    // std::function and asio copy what they hold, so what can only be moved is shared.
    auto shares = std::make_shared<std::vector<std::vector<Worker::Listening>>>(workers_.size());
    for (std::size_t i = 0; i < infos->size(); ++i) {
        const ListenerInfo& info = (*infos)[i];
        (*shares)[info.worker % workers_.size()].push_back(
            {info, std::move(message.descriptors[i])});
    }
    on_all_workers(
        [shares](std::size_t i, Worker& worker) { worker.listen(std::move((*shares)[i])); },
        [this, count = infos->size()] {
            log::info("listening", {{"sockets", std::to_string(count)}});
            // Without settings they answer nobody yet; that those are applied will be said.
            if (settings_) tell_agent(Control::listening);
        });
}

/// Every worker has to show a sign of life, or nothing is said. It comes often enough to forget by.
void Forwarder::answer_alive() {
    on_all_workers([](std::size_t, Worker& worker) { worker.forget_old_queries(Clock::now()); },
                   [this] { keeper_->send(Control::alive); });
}

Result<Forwarder::Made> Forwarder::made_of(const Settings& settings) {
    Made made{std::vector<Worker::Made>(workers_.size()), ticket_keys_};
    for (Worker::Made& one : made.each) {
        auto trust = Lookup::trust_for(settings_.get(), settings, time_);
        if (!trust) return trust.error();
        one.trust = std::move(*trust);
    }
    if (!settings.identity) return made;
    if (auto servers = make_servers(settings, made); !servers) return servers.error();
    return made;
}

Result<void> Forwarder::make_servers(const Settings& settings, Made& made) {
    const bool key_stays =
        settings_ && settings_->identity && same_key(*settings_->identity, *settings.identity);
    if (!key_stays)
        made.ticket_keys = std::make_shared<TicketKeys>(random_, settings.limits.ticket_rotation);
    const auto lifetime =
        std::chrono::duration_cast<std::chrono::seconds>(settings.limits.ticket_lifetime);
    for (Worker::Made& one : made.each) {
        auto server = TlsServer::create(*settings.identity, made.ticket_keys, lifetime, time_);
        if (!server) return server.error().within("TLS identity");
        one.server = std::move(*server);
    }
    return {};
}

/// All or nothing: what can fail is made, for every worker, before anything changes.
void Forwarder::take_settings(Bytes body) {
    const auto reject = [this](const Error& error) {
        log::warn("settings rejected", {{"error", error.message}});
        tell_agent(Control::rejected, bytes_of(error.message));
    };
    auto parsed = parse_settings(body);
    if (!parsed) return reject(parsed.error());
    fit(*parsed, machine_bytes_);
    const auto settings = std::make_shared<const Settings>(std::move(*parsed));
    auto all = made_of(*settings);
    if (!all) return reject(all.error());
    const auto made = std::make_shared<Made>(std::move(*all));
    first().apply(settings, std::move(made->each.front()));

    const bool keep_answers = settings_ && answers_hold(*settings_, *settings);
    settings_ = settings;
    ticket_keys_ = made->ticket_keys;
    ticket_keys_->set_rotation(settings->limits.ticket_rotation);
    // What is set may be more than 32 bits can address.
    const auto cache_bytes_max = std::min<std::uint64_t>(settings->cache_bytes_max, SIZE_MAX);
    cache_.resize(
        {static_cast<std::size_t>(cache_bytes_max), settings->stale.max, settings->stale.ttl});
    on_all_workers(
        [settings, made](std::size_t i, Worker& worker) {
            if (i != 0) worker.apply(settings, std::move(made->each[i]));
        },
        [this, keep_answers] {
            // Only now does nobody store what the former settings led to.
            if (!keep_answers) cache_.flush();
            log::info("settings applied");
            tell_agent(Control::applied);
        });
}

void Forwarder::send_status() {
    auto states = std::make_shared<std::vector<Worker::State>>(workers_.size());
    on_all_workers([states](std::size_t i, Worker& worker) { (*states)[i] = worker.state(); },
                   [this, states] {
                       const Clock::time_point now = Clock::now();
                       Status status;
                       status.serving = settings_ != nullptr;
                       Counters sum;
                       std::vector<Counter> lookups;
                       std::optional<Clock::time_point> last;
                       for (const Worker::State& state : *states) {
                           add(sum, state.counters);
                           merge(lookups, lookup_counters(state));
                           merge(status.upstreams, state.upstreams);
                           status.dot_connections += state.dot_connections;
                           status.doh_connections += state.doh_connections;
                           status.handshakes_waiting += state.handshakes_waiting;
                           last = std::max(last, state.last_encrypted_query);
                       }
                       append(status.counters, sum);
                       status.counters.insert(status.counters.end(), lookups.begin(),
                                              lookups.end());
                       append(status.counters, admission_.refusals());
                       const Cache::Counts kept = cache_.counts();
                       status.cache_entries = kept.entries;
                       status.cache_octets = kept.octets;
                       status.connection_octets = admission_.octets();
                       if (settings_)
                           status.connection_octets_max =
                               shares_of(settings_->limits.memory_bytes_max).connections;
                       status.clients_today = admission_.clients_today(now);
                       status.bans = admission_.bans(now);
                       if (last)
                           status.since_last_dot_query =
                               std::chrono::duration_cast<std::chrono::seconds>(now - *last);
                       Writer out;
                       write(out, status);
                       tell_agent(Control::status, out.view());
                   });
}

void Forwarder::send_queries() {
    auto reports = std::make_shared<std::vector<QueryReport>>(workers_.size());
    const Clock::time_point now = Clock::now();
    on_all_workers(
        [reports, now](std::size_t i, Worker& worker) { worker.tell_queries((*reports)[i], now); },
        [this, reports] {
            Writer out;
            write(out, merged(std::move(*reports)));
            tell_agent(Control::queries, out.view());
        });
}

void Forwarder::tell_agent(Control kind, Bytes body) {
    if (agent_) agent_->send(kind, body);
}

}  // namespace

int run(Start start) {
    // A peer that is gone is an error of a write, not a reason to die.
    std::signal(SIGPIPE, SIG_IGN);
    // Libraries that look for their files once do so before none can be opened any more.
    OPENSSL_init_ssl(0, nullptr);
    ::tzset();
    Forwarder forwarder(std::move(start));
    return forwarder.run();
}

}  // namespace porchlight::forwarder
