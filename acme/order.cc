#include "acme/order.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "acme/json.h"
#include "core/base64url.h"

namespace porchlight::acme {
namespace {

using nlohmann::json;

constexpr std::size_t token_octets_max = 256;
constexpr std::chrono::seconds poll_first{1};
constexpr std::chrono::seconds poll_max{15};

json identifiers(const std::vector<dns::Name>& names) {
    json list = json::array();
    for (const dns::Name& name : names)
        list.push_back({{"type", "dns"}, {"value", dns::to_host(name)}});
    return list;
}

/// 1, 2, 4, 8, 15, 15 ... seconds, for a CA that doesn't say how long.
std::chrono::seconds poll_wait(int polls) {
    return std::min(poll_first * (1 << std::min(polls, 4)), poll_max);
}

Failure nonsense(const std::string& what) {
    return {"acme.malformed", "the CA's answer makes no sense: " + what};
}

bool is_https(const std::string& url) {
    return bool(net::parse_https_url(url));
}

/// Only the alphabet counts: a token is never decoded (section 8.1).
bool is_token(const std::string& text) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    };
    return !text.empty() && text.size() <= token_octets_max && std::ranges::all_of(text, is_plain);
}

/// The reason that an invalid order or authorization gives, the challenge's first.
Failure reason_in(const json& object, const std::string& what) {
    const json* error = &object_in(object, "error");
    for (const json& challenge : array_in(object, "challenges"))
        if (!object_in(challenge, "error").empty()) error = &object_in(challenge, "error");
    if (error->empty()) return {"acme.invalid", what};
    Failure failure = failure_of(problem_in(*error));
    failure.message = what + ": " + failure.message;
    return failure;
}

}  // namespace

std::string dns01_value(const std::string& token, const std::string& thumbprint) {
    const std::string text = token + "." + thumbprint;
    const Bytes octets = bytes_of(text);
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> hash{};
    SHA256(octets.data(), octets.size(), hash.data());
    return base64url(hash);
}

Order::Action Order::next(Clock::time_point now) const {
    if (state_ == State::finished) return Finished{chain_pem_};
    if (state_ == State::failed) return failure_;
    if (std::max(now, not_before_) > not_after_)
        return Failure{"acme.timeout", "the order was not done within " + to_text(life_max)};
    if (now < not_before_) return Wait{not_before_};

    switch (state_) {
        case State::ordering:
            return Post{settings_.new_order_url,
                        json_text({{"identifiers", identifiers(settings_.names)}})};
        case State::looking:
            return Post{authorization_urls_[index_], ""};
        case State::publishing: {
            Publish publish;
            for (const Challenge& challenge : challenges_)
                publish.records.push_back(challenge.record);
            return publish;
        }
        case State::answering:
            return Post{challenges_[index_].url, "{}"};
        case State::checking:
            return Post{challenges_[index_].authorization_url, ""};
        case State::finalizing:
            return Post{finalize_url_, json_text({{"csr", settings_.csr}})};
        case State::downloading:
            return Post{certificate_url_, ""};
        default:  // awaiting_ready, awaiting_certificate
            return Post{order_url_, ""};
    }
}

void Order::on_response(const net::HttpResponse& response, Clock::time_point now) {
    if (response.status / 100 != 2) return on_problem(response, now);
    transient_failures_ = 0;
    if (state_ == State::downloading) {
        chain_pem_ = response.body;
        return enter(State::finished);
    }
    const auto body = parse_json(response.body);
    if (!body || !body->is_object()) return fail(nonsense("no JSON object"));
    switch (state_) {
        case State::ordering:
            order_url_ = response.header("Location");
            if (!is_https(order_url_)) return fail(nonsense("an order without a Location"));
            return on_order(*body, response, now);
        case State::looking:
        case State::checking:
            return on_authorization(*body, response, now);
        case State::answering:
            if (++index_ == challenges_.size()) {
                enter(State::checking);
                not_before_ = now + poll_first;
            }
            return;
        default:  // finalizing, awaiting_ready, awaiting_certificate
            return on_order(*body, response, now);
    }
}

void Order::on_published(Clock::time_point now) {
    enter(State::answering);
    not_before_ = now + settings_.propagation_wait;
}

void Order::on_problem(const net::HttpResponse& response, Clock::time_point now) {
    const Problem problem = parse_problem(response);
    const std::chrono::seconds asked = retry_after(response).value_or(std::chrono::seconds(0));
    // The CA's parts may disagree for a moment on what is ready (section 7.4).
    if (state_ == State::finalizing && problem.type == "orderNotReady") {
        enter(State::awaiting_ready);
        return poll_again(response, now);
    }
    if (is_transient(problem) && ++transient_failures_ <= transient_failures_max &&
        now + asked <= not_after_)
        return poll_again(response, now);
    fail(failure_of(problem, asked));
}

void Order::on_order(const json& order, const net::HttpResponse& response, Clock::time_point now) {
    const std::string status = text_in(order, "status");
    finalize_url_ = text_in(order, "finalize");
    certificate_url_ = text_in(order, "certificate");
    if (status == "invalid") return fail(reason_in(order, "the order is invalid"));
    if (status == "valid" && is_https(certificate_url_)) return enter(State::downloading);
    // Once the CSR was sent, "ready" is only an answer that lags behind.
    const bool requested = state_ == State::finalizing || state_ == State::awaiting_certificate;
    if (status == "processing" || (status == "ready" && requested)) {
        if (state_ != State::awaiting_certificate) enter(State::awaiting_certificate);
        return poll_again(response, now);
    }
    if (status == "ready" && is_https(finalize_url_)) return enter(State::finalizing);
    if (status != "pending") return fail(nonsense("an order with status '" + status + "'"));
    if (state_ != State::ordering) return poll_again(response, now);

    authorization_urls_ = texts_in(order, "authorizations");
    if (authorization_urls_.empty() || authorization_urls_.size() > settings_.names.size() ||
        !std::ranges::all_of(authorization_urls_, is_https))
        return fail(nonsense("an order whose authorizations are not those of its names"));
    enter(State::looking);
}

void Order::on_authorization(const json& authorization, const net::HttpResponse& response,
                             Clock::time_point now) {
    const std::string status = text_in(authorization, "status");
    const std::string name = text_in(object_in(authorization, "identifier"), "value");
    if (status != "valid" && status != "pending" && status != "processing")
        return fail(reason_in(authorization, "no authorization for " + name));

    if (state_ == State::checking) {
        if (status != "valid") return poll_again(response, now);
        polls_ = 0;
        not_before_ = now;
        if (++index_ == challenges_.size()) enter(State::awaiting_ready);
        return;
    }
    if (status != "valid") {
        note_challenge(authorization);
        if (state_ == State::failed) return;
    }
    if (++index_ < authorization_urls_.size()) return;
    enter(challenges_.empty() ? State::awaiting_ready : State::publishing);
}

void Order::note_challenge(const json& authorization) {
    const std::string value = text_in(object_in(authorization, "identifier"), "value");
    const Result<dns::Name> name = dns::parse_name(value);
    if (!name || std::ranges::find(settings_.names, *name) == settings_.names.end())
        return fail(nonsense("an authorization for a name that was not ordered"));
    const Result<dns::Name> owner = dns::parse_name("_acme-challenge." + value);
    for (const json& challenge : array_in(authorization, "challenges")) {
        if (text_in(challenge, "type") != "dns-01") continue;
        const std::string url = text_in(challenge, "url");
        const std::string token = text_in(challenge, "token");
        if (!owner || !is_https(url) || !is_token(token))
            return fail(nonsense("a dns-01 challenge without URL or token"));
        challenges_.push_back(
            {authorization_urls_[index_], url, {*owner, dns01_value(token, settings_.thumbprint)}});
        return;
    }
    fail({"acme.no-dns-01", "the CA offers no dns-01 challenge for " + value});
}

void Order::poll_again(const net::HttpResponse& response, Clock::time_point now) {
    not_before_ = now + retry_after(response).value_or(poll_wait(polls_));
    ++polls_;
}

void Order::enter(State state) {
    state_ = state;
    index_ = 0;
    polls_ = 0;
}

void Order::fail(Failure failure) {
    failure_ = std::move(failure);
    state_ = State::failed;
}

}  // namespace porchlight::acme
