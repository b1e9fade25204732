#include "forwarder/worker.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "forwarder/do53_listener.h"
#include "forwarder/tls_listener.h"

namespace porchlight::forwarder {
namespace {

/// Whether one of them takes connections as this one came.
bool is_served(const Leg& leg, const std::vector<ListenerInfo>& infos) {
    return std::any_of(infos.begin(), infos.end(), [&](const ListenerInfo& info) {
        if (!leg.encrypted) return info.kind == ListenerKind::do53_tcp;
        return info.kind == (leg.http ? ListenerKind::doh : ListenerKind::dot) &&
               link_name(info.interface) == leg.link;
    });
}

}  // namespace

Worker::Worker(Shared shared)
    : shared_(shared),
      serving_(shared.serving),
      poller_(loop_.get_executor()),
      lookup_(loop_.get_executor(), shared.cache, shared.failures, shared.time, serving_,
              {.workers = shared.workers, .admission = &shared.admission}),
      query_log_(shared.daily_key),
      responder_(shared.cache, lookup_, counters_, query_log_),
      sessions_(loop_.get_executor(), poller_, responder_, shared.admission, serving_, counters_,
                shared.workers) {
    poller_.start({.before_turn = [this] { sessions_.before_turn(); },
                   .after_turn = [this] { sessions_.after_turn(); },
                   .after_wake = [this] { sessions_.after_wake(); }});
}

Worker::~Worker() = default;

void Worker::stop() {
    asio::post(loop_, [this] {
        listeners_.clear();
        sessions_.leave_all([this] { loop_.stop(); });
    });
}

void Worker::apply(std::shared_ptr<const Settings> settings, Made made) {
    lookup_.apply(settings, std::move(made.trust));
    sessions_.apply(*settings);
    query_log_.apply(settings->query_log, shared_.workers);
    server_ = std::move(made.server);
}

void Worker::listen(std::vector<Listening> listening) {
    std::vector<ListenerInfo> infos;
    for (const Listening& one : listening) infos.push_back(one.info);
    listeners_.clear();
    for (Listening& one : listening) listeners_.push_back(listener(std::move(one)));
    sessions_.leave_unless([&](const Leg& leg) { return is_served(leg, infos); });
}

std::unique_ptr<Pollable> Worker::listener(Listening listening) {
    switch (listening.info.kind) {
        case ListenerKind::dot:
        case ListenerKind::doh:
            return std::make_unique<TlsListener>(
                std::move(listening.socket), link_name(listening.info.interface),
                listening.info.kind == ListenerKind::doh, poller_, sessions_, server_);
        case ListenerKind::do53_tcp:
            return std::make_unique<Do53TcpListener>(std::move(listening.socket), poller_,
                                                     sessions_);
        case ListenerKind::do53_udp:
            break;
    }
    return std::make_unique<Do53UdpListener>(std::move(listening.socket), poller_, sessions_);
}

void Worker::tell_queries(QueryReport& report, Clock::time_point now) const {
    query_log_.tell(report, now);
}

Worker::State Worker::state() const {
    return {counters_,
            lookup_.counters(),
            lookup_.upstream_failures(),
            lookup_.upstreams(),
            sessions_.dot_count(),
            sessions_.doh_count(),
            sessions_.handshakes_waiting(),
            sessions_.last_encrypted_query()};
}

}  // namespace porchlight::forwarder
