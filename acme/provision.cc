#include "acme/provision.h"

#include "acme/certificate.h"
#include "acme/client.h"
#include "acme/csr.h"
#include "acme/dns_update.h"
#include "acme/jws.h"
#include "acme/key.h"
#include "core/base64url.h"
#include "core/log.h"

namespace porchlight::acme {
namespace {

constexpr std::chrono::milliseconds update_max{10000};

/// Puts challenge records into the zone and remembers which to take out again.
class ZonePublisher : public Publisher {
  public:
    ZonePublisher(const DnsUpdate& update, const TimeSource& time, Random& random)
        : update_(update), time_(time), random_(random) {}

    awaitable<std::optional<Failure>> publish(std::vector<TxtRecord> records) override {
        std::optional<Failure> failure =
            co_await send_update(update_, UpdateKind::add, records, time_, random_, update_max);
        if (!failure || may_have_been_done(*failure)) published_ = std::move(records);
        co_return failure;
    }

    awaitable<void> clean_up() {
        if (published_.empty()) co_return;
        const std::optional<Failure> failure = co_await send_update(
            update_, UpdateKind::remove, std::move(published_), time_, random_, update_max);
        published_.clear();
        if (failure)
            log::warn("a challenge record may be left in the zone",
                      {{"code", failure->code}, {"error", failure->message}});
    }

  private:
    /// Where the answer was lost or not to be believed, the zone may have changed all the same.
    static bool may_have_been_done(const Failure& failure) {
        for (const char* code : {"timeout", "unreachable", "unsigned", "malformed", "servfail"})
            if (failure.code == std::string("dns-update.") + code) return true;
        return false;
    }

    const DnsUpdate& update_;
    const TimeSource& time_;
    Random& random_;
    std::vector<TxtRecord> published_;
};

/// A whole attempt with one CA, clean-up excepted.
awaitable<std::optional<Failure>> attempt(const Job& job, const std::string& directory,
                                          net::HttpClient& http, const Key& account_key,
                                          Publisher& publisher, const TimeSource& time,
                                          Outcome& outcome) {
    Client client(http, account_key);
    std::optional<Failure> failure = co_await client.open(directory);
    if (failure) co_return failure;
    Client::Account account{job.contacts, job.terms_agreed,
                            directory == job.account_directory ? job.account_url : ""};
    failure = co_await client.enter(account);
    if (failure) co_return failure;
    outcome.account_url = client.account_url();

    // A new key each time: a stolen one is of no use after the next renewal.
    const Result<Key> key = Key::generate();
    if (!key) co_return failure_of("key", key.error());
    const Result<Buffer> csr = make_csr(*key, job.names);
    if (!csr) co_return failure_of("csr", csr.error());
    const auto new_order = [&] {
        return Order({client.directory().new_order, job.names, base64url(*csr),
                      thumbprint(account_key), job.update.propagation_wait},
                     Clock::now());
    };
    Order order = new_order();
    std::variant<std::string, Failure> result = co_await client.run(order, publisher);
    const auto* refused = std::get_if<Failure>(&result);
    if (refused != nullptr && refused->code == "acme.accountDoesNotExist" &&
        !account.known_url.empty()) {
        // The CA forgot the account, as test CAs do; its key can make another.
        account.known_url.clear();
        failure = co_await client.enter(account);
        if (failure) co_return failure;
        outcome.account_url = client.account_url();
        order = new_order();
        result = co_await client.run(order, publisher);
    }
    if (auto* failed = std::get_if<Failure>(&result)) co_return std::move(*failed);

    const std::string& chain = std::get<std::string>(result);
    const Buffer key_pem = key->pem();
    if (auto why = check_pair(bytes_of(chain), key_pem, job.names, time.wall(), job.dates_count))
        co_return Failure{"certificate.unfit", "the CA sent a certificate of no use: " + *why};
    outcome.chain_pem.assign(chain.begin(), chain.end());
    outcome.key_pem = key_pem;
    co_return std::nullopt;
}

/// The one place that catches: what a library throws ends the attempt, not the clean-up after it.
awaitable<std::optional<Failure>> guarded_attempt(const Job& job, const std::string& directory,
                                                  net::HttpClient& http, const Key& account_key,
                                                  Publisher& publisher, const TimeSource& time,
                                                  Outcome& outcome) {
    try {
        co_return co_await attempt(job, directory, http, account_key, publisher, time, outcome);
    } catch (const std::exception& thrown) {
        co_return Failure{"acme.internal", thrown.what()};
    }
}

Result<Key> account_key_of(const Job& job) {
    return job.account_key_pem ? Key::parse(*job.account_key_pem) : Key::generate();
}

void note(Outcome& outcome, const Failure& failure) {
    outcome.error_code = failure.code;
    outcome.error = failure.message;
    const auto none = std::chrono::seconds(0);
    if (failure.retry_after == none) return;
    // Of several CAs the one that may be asked soonest counts.
    if (outcome.retry_after == none || failure.retry_after < outcome.retry_after)
        outcome.retry_after = failure.retry_after;
}

}  // namespace

std::vector<net::StubResolver::Server> servers_of(const std::vector<Bootstrap>& resolvers) {
    std::vector<net::StubResolver::Server> servers;
    for (const Bootstrap& one : resolvers) servers.push_back({one.adn, one.addresses});
    return servers;
}

awaitable<Outcome> obtain(Job job, const TimeSource& time, Random& random) {
    Outcome outcome;
    if (job.account_key_pem) outcome.account_key_pem = *job.account_key_pem;
    const Result<Key> account_key = account_key_of(job);
    if (!account_key) {
        note(outcome, failure_of("account-key", account_key.error()));
        co_return outcome;
    }
    outcome.account_key_pem = account_key->pem();

    const auto ca_tls =
        net::TlsClient::create({job.roots_pem, {"http/1.1"}, &time, job.dates_count});
    const auto dns_tls =
        net::TlsClient::create({job.upstream_roots_pem, {"dot"}, &time, job.dates_count});
    if (!ca_tls || !dns_tls) {
        const Error& error = ca_tls ? dns_tls.error() : ca_tls.error();
        note(outcome, failure_of("trust-anchors", error));
        co_return outcome;
    }
    net::StubResolver resolver(**dns_tls, random, servers_of(job.resolvers));
    net::HttpClient http(**ca_tls, resolver);
    note(outcome, {"acme.no-directory", "no CA is configured"});
    for (const std::string& directory : job.directories) {
        outcome.directory = directory;
        outcome.account_url.clear();
        ZonePublisher publisher(job.update, time, random);
        const std::optional<Failure> failure =
            co_await guarded_attempt(job, directory, http, *account_key, publisher, time, outcome);
        co_await publisher.clean_up();
        if (!failure) {
            outcome.error_code.clear();
            outcome.error.clear();
            outcome.retry_after = std::chrono::seconds(0);
            co_return outcome;
        }
        note(outcome, *failure);
        log::warn("no certificate from this CA",
                  {{"directory", directory}, {"code", failure->code}, {"error", failure->message}});
        // Another CA would look for its record in the same zone.
        if (failure->code.starts_with("dns-update.")) break;
    }
    co_return outcome;
}

}  // namespace porchlight::acme
