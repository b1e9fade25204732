#include "acme/client.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "acme/json.h"
#include "acme/jws.h"
#include "acme/problem.h"
#include "core/log.h"

namespace porchlight::acme {
namespace {

constexpr std::size_t nonce_octets_max = 512;

awaitable<void> sleep_until(Clock::time_point until) {
    asio::steady_timer timer(co_await asio::this_coro::executor, until);
    error_code ec;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
}

}  // namespace

awaitable<std::optional<Failure>> Client::open(std::string directory_url) {
    net::HttpRequest request{"GET", std::move(directory_url)};
    const Result<net::HttpResponse> response = co_await send(std::move(request));
    if (!response) co_return failure_of("acme.directory", response.error());
    if (response->status != 200)
        co_return failure_of(parse_problem(*response),
                             retry_after(*response).value_or(std::chrono::seconds(0)));
    Result<Directory> directory = parse_directory(response->body);
    if (!directory) co_return failure_of("acme", directory.error());
    directory_ = std::move(*directory);
    co_return std::nullopt;
}

awaitable<std::optional<Failure>> Client::enter(Account account) {
    account_url_ = std::move(account.known_url);
    if (!account_url_.empty()) co_return std::nullopt;
    if (directory_.external_account_required)
        co_return Failure{"acme.externalAccountRequired", "the CA wants an account made elsewhere"};
    if (!directory_.terms_of_service.empty() && !account.terms_agreed)
        co_return Failure{"acme.terms-not-agreed",
                          "the CA's terms are not agreed to: " + directory_.terms_of_service};

    // With a key that the CA knows this finds the account (section 7.3.1).
    nlohmann::json payload = nlohmann::json::object();
    if (!account.contacts.empty()) payload["contact"] = account.contacts;
    if (account.terms_agreed) payload["termsOfServiceAgreed"] = true;
    std::string body = json_text(payload);
    const Result<net::HttpResponse> response = co_await post(directory_.new_account, body);
    if (!response) co_return failure_of("acme", response.error());
    if (response->status / 100 != 2)
        co_return failure_of(parse_problem(*response),
                             retry_after(*response).value_or(std::chrono::seconds(0)));
    account_url_ = response->header("Location");
    if (!net::parse_https_url(account_url_)) {
        account_url_.clear();
        co_return Failure{"acme.malformed", "the CA made an account without a Location"};
    }
    co_return std::nullopt;
}

awaitable<std::variant<std::string, Failure>> Client::run(Order& order, Publisher& publisher) {
    for (;;) {
        Order::Action action = order.next(Clock::now());
        if (auto* finished = std::get_if<Order::Finished>(&action))
            co_return std::move(finished->chain_pem);
        if (auto* failure = std::get_if<Failure>(&action)) co_return std::move(*failure);
        if (const auto* wait = std::get_if<Order::Wait>(&action)) {
            co_await sleep_until(wait->until);
        } else if (auto* publish = std::get_if<Order::Publish>(&action)) {
            std::optional<Failure> failure =
                co_await publisher.publish(std::move(publish->records));
            if (failure) co_return std::move(*failure);
            order.on_published(Clock::now());
        } else if (auto* request = std::get_if<Order::Post>(&action)) {
            const Result<net::HttpResponse> response =
                co_await post(std::move(request->url), std::move(request->payload));
            if (!response) co_return failure_of("acme", response.error());
            order.on_response(*response, Clock::now());
        }
    }
}

awaitable<Result<std::string>> Client::take_nonce() {
    if (nonces_.empty()) {
        net::HttpRequest request{"HEAD", directory_.new_nonce};
        const Result<net::HttpResponse> response = co_await send(std::move(request));
        if (!response) co_return response.error();
    }
    if (nonces_.empty()) co_return Error{Errc::malformed, "the CA gives no nonce"};
    std::string nonce = std::move(nonces_.back());
    nonces_.pop_back();
    co_return nonce;
}

/// Signed; signed again with the nonce that came with the refusal where the CA no longer liked the
/// first (section 6.5).
awaitable<Result<net::HttpResponse>> Client::post(std::string url, std::string payload) {
    for (int attempt = 0;; ++attempt) {
        const Result<std::string> nonce = co_await take_nonce();
        if (!nonce) co_return nonce.error();
        const JwsHeader header{*nonce, url, account_url_};
        const Result<std::string> body = write_jws(key_, header, payload);
        if (!body) co_return body.error();
        net::HttpRequest request{"POST", url, {{"Content-Type", "application/jose+json"}}, *body};
        Result<net::HttpResponse> response = co_await send(std::move(request));
        if (!response || response->status != 400 || attempt >= nonce_retries_max ||
            parse_problem(*response).type != "badNonce")
            co_return response;
        log::debug("the CA refused a nonce", {{"attempt", std::to_string(attempt + 1)}});
    }
}

awaitable<Result<net::HttpResponse>> Client::send(net::HttpRequest request) {
    request.headers.emplace_back("Accept-Language", "en");
    log::debug("asking the CA", {{"method", request.method}, {"url", request.url}});
    Result<net::HttpResponse> response = co_await http_.send(std::move(request), request_max);
    if (!response) co_return response;
    const std::string_view nonce = response->header("Replay-Nonce");
    if (!nonce.empty() && nonce.size() <= nonce_octets_max) {
        nonces_.emplace_back(nonce);  // the newest is used first: it lives longest
        if (nonces_.size() > nonces_max) nonces_.pop_front();
    }
    co_return response;
}

}  // namespace porchlight::acme
