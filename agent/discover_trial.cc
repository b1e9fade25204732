#include "agent/discover_trial.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string_view>

#include "core/base64url.h"
#include "core/random.h"
#include "dns/answer.h"
#include "dns/doh_path.h"
#include "dns/draft_resolver.h"
#include "dns/edns.h"
#include "net/asio.h"
#include "net/doh_client.h"
#include "net/framed_message.h"
#include "net/tls_stream.h"

namespace porchlight::agent::discover {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t dot_port = 853;
constexpr std::uint16_t https_port = 443;
constexpr std::size_t padding_octets_block = 128;  // RFC 8467 section 4.1

/// At one address, so that a slow router is done with one handshake before the next begins.
constexpr auto between_starts = 100ms;
/// Limits of handshakes let somebody in again after so long.
constexpr std::array<std::chrono::milliseconds, 2> again_after{1s, 2s};

/// What a peer's end of TCP in the middle of a handshake is called.
constexpr const char* hangs_up =
    "it hangs up before it shows who it is, three times in three seconds: it may limit how often a "
    "host connects";

std::uint32_t scope_of(const IpAddress& address, std::uint32_t scope) {
    const auto* v6 = std::get_if<Ipv6>(&address);
    return v6 != nullptr && is_link_local(*v6) ? scope : 0;
}

/// The path to ask DoH at; empty where none was told.
std::string path_template(const ResolverRecord& resolver) {
    if (resolver.params.dohpath) return *resolver.params.dohpath;
    for (const std::string& one : resolver.templates)
        if (const auto at = dns::parse_doh_template(one)) return at->path;
    return {};
}

Buffer root_query(std::uint16_t id) {
    Writer out;
    dns::write_query(out, id, {dns::Name(), dns::type::ns},
                     {.padding_bytes_block = padding_octets_block});
    return {out.view().begin(), out.view().end()};
}

Outcome outcome_of(const Error& error) {
    if (error.code == Errc::refused) return Outcome::refused;
    if (error.code == Errc::timeout) return Outcome::silent;
    return plain_words(error) == hangs_up ? Outcome::hung_up : Outcome::unreachable;
}

void judge_answer(Trial& trial, const Result<Buffer>& answer) {
    trial.outcome = Outcome::no_answer;
    if (!answer) {
        trial.why = plain_words(answer.error());
        return;
    }
    const auto read = dns::parse_answer(*answer, {dns::Name(), dns::type::ns}, {});
    if (!read)
        trial.why = "what it answers is no DNS";
    else if (read->kind == dns::Answer::Kind::failure)
        trial.why = read->rcode == dns::rcode::server_failure
                        ? "it answers that it failed (SERVFAIL)"
                        : "it answers with code " + std::to_string(read->rcode);
    else
        trial.outcome = Outcome::works;
}

/// One connection and its question; what is alike of two resolvers is the same.
struct Contact {
    std::string alpn;
    Endpoint to;
    net::ServerIdentity identity;
    std::string path;  // of DoH, a template
    bool may_be_opportunistic = false;
    bool operator==(const Contact&) const = default;
};

/// What has to be proved at it.
net::ServerIdentity identity_of(const Told& told, const ResolverRecord& resolver,
                                const Trial& trial) {
    if (trial.proof == Proof::address) return told.from.address;
    return dns::to_host(told.of_name ? *told.of_name : *resolver.adn);
}

Contact contact_of(const Told& told, const ResolverRecord& resolver, const Trial& trial) {
    return {trial.alpn, trial.to, identity_of(told, resolver, trial),
            trial.alpn == net::doh_alpn ? path_template(resolver) : std::string(),
            may_be_opportunistic(told, trial)};
}

/// Who is asked by DoH: the name that is proved or, where an address is, that (RFC 9462 section
/// 6.3).
std::string authority_of(const Contact& contact) {
    if (const auto* address = std::get_if<IpAddress>(&contact.identity))
        return to_text(Endpoint{*address, contact.to.port});
    const std::string& name = std::get<std::string>(contact.identity);
    return contact.to.port == https_port ? name : name + ":" + std::to_string(contact.to.port);
}

/// One contact, and everybody whose trial it is.
struct Job {
    Contact contact;
    std::chrono::milliseconds after{0};
    std::vector<Trial*> trials;
};

class Attempts {
  public:
    explicit Attempts(const TrialSettings& settings) : settings_(settings) {}

    Result<void> make_clients() {
        for (const char* alpn : {"dot", net::doh_alpn}) {
            auto made = net::TlsClient::create({.roots_pem = settings_.roots_pem,
                                                .alpn = {alpn},
                                                .time = settings_.time,
                                                .may_end_unsaid = true,
                                                .finishes_unproved = true});
            if (!made) return made.error();
            (alpn == std::string_view("dot") ? dot_ : doh_) = *std::move(made);
        }
        return {};
    }

    /// `job` stays where it is until finish() is done.
    void start(const Job& job) { asio::co_spawn(loop_, run(job), asio::detached); }
    void finish() { loop_.run(); }

  private:
    awaitable<void> run(const Job& job) {
        co_await pause(job.after);
        Trial& trial = *job.trials.front();
        co_await attempt(trial, job.contact);
        for (const std::chrono::milliseconds wait : again_after) {
            if (trial.outcome != Outcome::hung_up) break;
            co_await pause(wait);
            co_await attempt(trial, job.contact);
        }
    }

    awaitable<void> pause(std::chrono::milliseconds wait) {
        asio::steady_timer timer(loop_, wait);
        co_await timer.async_wait(asio::use_awaitable);
    }

    awaitable<void> attempt(Trial& trial, const Contact& contact) {
        const Clock::time_point begun = Clock::now();
        auto stream = co_await net::TlsStream::connect(
            trial.alpn == "dot" ? *dot_ : *doh_, contact.to, contact.identity, settings_.within);
        if (!stream) {
            trial.outcome = outcome_of(stream.error());
            trial.why = plain_words(stream.error());
            co_return;
        }
        trial.why.clear();  // of an earlier try
        const std::string unproved = plain_words({Errc::refused, (*stream)->facts().why_unproved});
        if (!unproved.empty()) {
            trial.outcome = Outcome::refused;
            trial.why = unproved;
            if (!contact.may_be_opportunistic) co_return;
            trial.proof = Proof::nothing;
        }
        trial.connected_after = since(begun);
        trial.tls_version = (*stream)->facts().version;
        co_await ask(trial, contact, **stream);
        if (unproved.empty()) co_return;
        trial.why = trial.outcome == Outcome::works ? unproved : unproved + "; " + trial.why;
    }

    awaitable<void> ask(Trial& trial, const Contact& contact, net::TlsStream& stream) {
        const Clock::time_point asked = Clock::now();
        if (trial.alpn == "dot") {
            const Result<Buffer> answer = co_await ask_dot(stream);
            judge_answer(trial, answer);
        } else {
            const std::string path = dns::expand_dohpath(contact.path, base64url(root_query(0)));
            const std::string authority = authority_of(contact);
            net::DohClient client(stream);
            const Result<Buffer> answer = co_await client.ask(authority, path, settings_.within);
            judge_answer(trial, answer);
        }
        if (trial.outcome == Outcome::works) trial.answered_after = since(asked);
    }

    awaitable<Result<Buffer>> ask_dot(net::TlsStream& stream) {
        const Buffer octets =
            net::framed(root_query(static_cast<std::uint16_t>(random_.below(0x10000))));
        const Result<void> sent = co_await stream.write(octets, settings_.within);
        if (!sent) co_return sent.error();
        Buffer pending;
        co_return co_await net::read_message(stream, pending, settings_.within);
    }

    static std::chrono::milliseconds since(Clock::time_point then) {
        return std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - then);
    }

    const TrialSettings& settings_;
    SystemRandom random_;
    std::unique_ptr<net::TlsClient> dot_;
    std::unique_ptr<net::TlsClient> doh_;
    asio::io_context loop_;
};

/// Protocols that hosts may speak and we don't.
const char* why_not_tried(const std::string& alpn, const ResolverRecord& resolver) {
    if (alpn == "doq" || alpn == "h3") return "this program does not speak QUIC";
    if (alpn == "http/1.1") return "this program asks over HTTP/2 only";
    if (alpn != "dot" && alpn != net::doh_alpn) return "nobody here knows this protocol";
    return alpn == net::doh_alpn && path_template(resolver).empty() ? "no path to ask at is told"
                                                                    : nullptr;
}

/// To the job that makes this contact already, or to one more.
void add(std::vector<Job>& jobs, Contact contact, Trial& trial) {
    std::chrono::milliseconds after{0};
    for (Job& job : jobs) {
        if (job.contact == contact) {
            job.trials.push_back(&trial);
            return;
        }
        if (job.contact.to.address == contact.to.address) after += between_starts;
    }
    if (jobs.size() < trials_max)
        jobs.push_back({std::move(contact), after, {&trial}});
    else
        trial.why = "more is offered than is tried";
}

}  // namespace

std::vector<Trial> trials_of(const Told& told, const ResolverRecord& resolver,
                             std::uint32_t scope) {
    std::vector<Trial> trials;
    const bool by_address = told.carrier == Carrier::svcb && !told.of_name;
    if (resolver.why_not_usable || (!resolver.adn && !by_address)) return trials;
    for (const std::string& alpn : resolver.params.alpn) {
        const std::uint16_t usual = alpn == "dot" || alpn == "doq" ? dot_port : https_port;
        for (const IpAddress& address : resolver.addresses) {
            Trial trial;
            trial.alpn = alpn;
            trial.to = {address, resolver.params.port.value_or(usual), scope_of(address, scope)};
            trial.proof = by_address ? Proof::address : Proof::name;
            if (const char* why = why_not_tried(alpn, resolver)) trial.why = why;
            trials.push_back(std::move(trial));
        }
    }
    return trials;
}

bool may_be_opportunistic(const Told& told, const Trial& trial) {
    return trial.proof == Proof::address && trial.to.address == told.from.address &&
           is_private(told.from.address);
}

Result<void> try_all(std::vector<Told>& told, const TrialSettings& settings) {
    Attempts attempts(settings);
    if (const Result<void> made = attempts.make_clients(); !made) return made.error();
    for (Told& one : told)
        for (Offer& offer : one.offers)
            for (Candidate& candidate : offer.resolvers)
                candidate.trials = trials_of(one, candidate.told, settings.scope);
    // Nothing moves from here on: the jobs hold on to all of it.
    std::vector<Job> jobs;
    for (Told& one : told)
        for (Offer& offer : one.offers)
            for (Candidate& candidate : offer.resolvers)
                for (Trial& trial : candidate.trials)
                    if (trial.why.empty()) add(jobs, contact_of(one, candidate.told, trial), trial);
    for (const Job& job : jobs) attempts.start(job);
    attempts.finish();
    for (const Job& job : jobs)
        for (Trial* trial : job.trials) *trial = *job.trials.front();
    return {};
}

std::string plain_words(const Error& error) {
    static constexpr std::array<std::pair<std::string_view, const char*>, 10> words{{
        {"certificate has expired", "its certificate has expired"},
        {"not yet valid", "its certificate is not valid yet"},
        {"hostname mismatch", "its certificate is for another name"},
        {"IP address mismatch", "its certificate does not prove the address"},
        {"unable to get", "its certificate is signed by nobody who is trusted here"},
        {"self-signed", "its certificate is signed by nobody who is trusted here"},
        {"self signed", "its certificate is signed by nobody who is trusted here"},
        {"closed during the handshake", hangs_up},
        {"Connection refused", "nothing listens there"},
        {"Network is unreachable", "this machine has no address to reach it from"},
    }};
    for (const auto& [sign, meaning] : words)
        if (error.message.find(sign) != error.message.npos) return meaning;
    return error.message;
}

}  // namespace porchlight::agent::discover
