#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "acme/dns_update.h"
#include "acme/failure.h"
#include "acme/problem.h"
#include "core/clock.h"
#include "dns/name.h"
#include "net/http_client.h"

namespace porchlight::acme {

/// One certificate order by dns-01 (RFC 8555 sections 7.1.6, 7.4, 7.5, 8.4). Says what to do next;
/// Client does it and tells what came of it. Owns no socket and reads no clock.
class Order {
  public:
    struct Settings {
        std::string new_order_url;
        std::vector<dns::Name> names;
        std::string csr;         // DER, base64url
        std::string thumbprint;  // of the account key
        std::chrono::milliseconds propagation_wait{2000};
    };
    static constexpr std::chrono::seconds life_max{600};
    static constexpr int transient_failures_max = 4;  // in a row

    /// Payload empty: POST-as-GET.
    struct Post {
        std::string url;
        std::string payload;
    };
    struct Wait {
        Clock::time_point until;
    };
    /// All these records must stand in the DNS, then on_published() says so.
    struct Publish {
        std::vector<TxtRecord> records;
    };
    struct Finished {
        std::string chain_pem;
    };
    using Action = std::variant<Post, Wait, Publish, Finished, Failure>;

    Order(Settings settings, Clock::time_point now)
        : settings_(std::move(settings)), not_after_(now + life_max) {}

    Action next(Clock::time_point now) const;
    /// The response to the Post that next() asked for.
    void on_response(const net::HttpResponse& response, Clock::time_point now);
    void on_published(Clock::time_point now);

  private:
    enum class State {
        ordering,              // newOrder
        looking,               // at each authorization: is there anything to prove?
        publishing,            // the TXT records of all challenges
        answering,             // each challenge: look now
        checking,              // each authorization, until valid
        awaiting_ready,        // the order, until all authorizations count
        finalizing,            // the CSR
        awaiting_certificate,  // the order, until issued
        downloading,           // the chain
        finished,
        failed,
    };
    struct Challenge {
        std::string authorization_url;
        std::string url;
        TxtRecord record;
    };

    void on_problem(const net::HttpResponse& response, Clock::time_point now);
    void on_order(const nlohmann::json& order, const net::HttpResponse& response,
                  Clock::time_point now);
    void on_authorization(const nlohmann::json& authorization, const net::HttpResponse& response,
                          Clock::time_point now);
    void note_challenge(const nlohmann::json& authorization);
    void poll_again(const net::HttpResponse& response, Clock::time_point now);
    void enter(State state);
    void fail(Failure failure);

    Settings settings_;
    Clock::time_point not_after_;
    Clock::time_point not_before_ = Clock::time_point::min();  // of the next action
    State state_ = State::ordering;
    std::size_t index_ = 0;  // of the authorization or challenge that the state is at
    int polls_ = 0;          // of the same thing
    int transient_failures_ = 0;

    std::string order_url_;
    std::string finalize_url_;
    std::string certificate_url_;
    std::vector<std::string> authorization_urls_;
    std::vector<Challenge> challenges_;
    std::string chain_pem_;
    Failure failure_;
};

/// What proves control of a name (section 8.4): base64url(SHA-256(token "." thumbprint)).
std::string dns01_value(const std::string& token, const std::string& thumbprint);

}  // namespace porchlight::acme
