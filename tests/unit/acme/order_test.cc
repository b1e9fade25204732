#include "acme/order.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace porchlight::acme {
namespace {

const Clock::time_point start{};

/// A CA that answers from a script, and the clock that the test moves.
struct Scene {
    explicit Scene(std::vector<const char*> names = {"a.example"})
        : order(settings(names), start) {}

    static Order::Settings settings(const std::vector<const char*>& names) {
        Order::Settings settings{"https://ca.example/new-order", {}, "CSR", "THUMB", 2s};
        for (const char* name : names) settings.names.push_back(*dns::parse_name(name));
        return settings;
    }

    /// Waits as it is told and returns what it is told then.
    Order::Action next() {
        for (;;) {
            Order::Action action = order.next(now);
            const auto* wait = std::get_if<Order::Wait>(&action);
            if (wait == nullptr) return action;
            REQUIRE(wait->until > now);
            now = wait->until;
        }
    }

    std::string url() {
        const Order::Action action = next();
        const auto* post = std::get_if<Order::Post>(&action);
        return post != nullptr ? post->url : "no post";
    }

    std::string payload() {
        const Order::Action action = next();
        return std::get<Order::Post>(action).payload;
    }

    void answer(std::string body, unsigned status = 200, net::HttpHeaders headers = {}) {
        order.on_response({status, std::move(headers), std::move(body)}, now);
    }

    void answer_order(const std::string& status, const std::string& more = "") {
        answer(R"({"status": ")" + status + R"(", "finalize": "https://ca.example/finalize",
                   "authorizations": ["https://ca.example/authz/1"])" +
                   more + "}",
               201, {{"Location", "https://ca.example/order/1"}});
    }

    void answer_authorization(const std::string& status) {
        answer(R"({"status": ")" + status +
               R"(", "identifier": {"type": "dns", "value": "a.example"},
                   "challenges": [{"type": "http-01", "url": "https://ca.example/h", "token": "t"},
                                  {"type": "dns-01", "url": "https://ca.example/chall/1",
                                   "token": "token-1"}]})");
    }

    void publish() {
        const Order::Action action = next();
        REQUIRE(std::holds_alternative<Order::Publish>(action));
        order.on_published(now);
    }

    std::string failure_code() {
        const Order::Action action = next();
        const auto* failure = std::get_if<Failure>(&action);
        return failure != nullptr ? failure->code : "no failure";
    }

    Order order;
    Clock::time_point now = start;
};

TEST_SUITE("acme/order") {
    TEST_CASE("an order goes from names to chain") {
        Scene ca;
        CHECK(ca.url() == "https://ca.example/new-order");
        CHECK(ca.payload() == R"({"identifiers":[{"type":"dns","value":"a.example"}]})");
        ca.answer_order("pending");
        CHECK(ca.url() == "https://ca.example/authz/1");
        CHECK(ca.payload().empty());
        ca.answer_authorization("pending");

        const Order::Action action = ca.next();
        const auto& records = std::get<Order::Publish>(action).records;
        REQUIRE(records.size() == 1);
        CHECK(dns::to_host(records[0].name) == "_acme-challenge.a.example");
        CHECK(records[0].value == dns01_value("token-1", "THUMB"));
        const Clock::time_point published = ca.now;
        ca.order.on_published(ca.now);

        CHECK(ca.url() == "https://ca.example/chall/1");
        CHECK(ca.now - published == 2s);  // the propagation wait
        CHECK(ca.payload() == "{}");
        ca.answer("{}");
        CHECK(ca.url() == "https://ca.example/authz/1");
        ca.answer_authorization("pending");
        CHECK(ca.url() == "https://ca.example/authz/1");
        ca.answer_authorization("valid");
        CHECK(ca.url() == "https://ca.example/order/1");
        CHECK(ca.payload().empty());
        ca.answer_order("ready");
        CHECK(ca.url() == "https://ca.example/finalize");
        CHECK(ca.payload() == R"({"csr":"CSR"})");
        ca.answer_order("processing");
        CHECK(ca.url() == "https://ca.example/order/1");
        ca.answer_order("valid", R"(, "certificate": "https://ca.example/cert")");
        CHECK(ca.url() == "https://ca.example/cert");
        CHECK(ca.payload().empty());
        ca.answer("THE CHAIN");
        const Order::Action end = ca.next();
        CHECK(std::get<Order::Finished>(end).chain_pem == "THE CHAIN");
    }

    TEST_CASE("an authorization that is valid already is not proved again") {
        Scene ca;
        ca.next();
        ca.answer_order("pending");
        ca.answer_authorization("valid");
        CHECK(ca.url() == "https://ca.example/order/1");
        Scene reused;
        reused.next();
        reused.answer_order("ready");
        CHECK(reused.url() == "https://ca.example/finalize");
    }

    TEST_CASE("the value is the hash that RFC 8555 section 8.4 describes") {
        // printf %s a.b | openssl sha256 -binary | base64 | tr '+/' '-_' | tr -d =
        // ...
        CHECK(dns01_value("a", "b") == "LnM23I66h-9HLfVow1SCq_JXXcPl6sDFxiuP-urCyTQ");
    }

    TEST_CASE("the CA's Retry-After is kept while polling, else the wait grows to 15 s") {
        Scene ca;
        ca.next();
        ca.answer_order("pending");
        ca.answer_authorization("pending");
        ca.publish();
        ca.next();
        ca.answer("{}");
        ca.next();
        Clock::time_point before = ca.now;
        ca.answer(R"({"status": "pending"})", 200, {{"Retry-After", "7"}});
        ca.next();
        CHECK(ca.now - before == 7s);
        for (const auto wait : {2s, 4s, 8s, 15s, 15s}) {
            before = ca.now;
            ca.answer_authorization("pending");
            ca.next();
            CHECK(ca.now - before == wait);
        }
    }

    TEST_CASE("an order that never ends fails in time") {
        Scene ca;
        ca.next();
        ca.answer_order("processing");
        for (int polls = 0; polls < 100 && ca.url() != "no post"; ++polls)
            ca.answer_order("processing");
        CHECK(ca.failure_code() == "acme.timeout");
        CHECK(ca.now - start <= Order::life_max);
    }

    TEST_CASE("an invalid authorization fails with the challenge's reason") {
        Scene ca;
        ca.next();
        ca.answer_order("pending");
        ca.answer_authorization("pending");
        ca.publish();
        ca.next();
        ca.answer("{}");
        ca.answer(R"({"status": "invalid", "identifier": {"type": "dns", "value": "a.example"},
            "challenges": [{"type": "dns-01", "error":
                {"type": "urn:ietf:params:acme:error:dns", "detail": "no TXT record"}}]})");
        const Order::Action end = ca.next();
        CHECK(std::get<Failure>(end).code == "acme.dns");
        CHECK(std::get<Failure>(end).message ==
              "no authorization for a.example: dns: no TXT record");
    }

    TEST_CASE("a refusal ends the order with its code and its Retry-After") {
        Scene ca;
        ca.next();
        ca.answer(R"({"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many"})",
                  429, {{"Retry-After", "3600"}});
        const Order::Action end = ca.next();
        CHECK(std::get<Failure>(end).code == "acme.rateLimited");
        CHECK(std::get<Failure>(end).retry_after == 3600s);
    }

    TEST_CASE("a server in trouble is asked again, but not for ever") {
        Scene ca;
        for (int i = 0; i < Order::transient_failures_max; ++i) {
            CHECK(ca.url() == "https://ca.example/new-order");
            ca.answer("", 503);
        }
        CHECK(ca.url() == "https://ca.example/new-order");
        ca.answer("", 503);
        CHECK(ca.failure_code() == "acme.http-503");
    }

    TEST_CASE("finalizing too early goes back to waiting") {
        Scene ca;
        ca.next();
        ca.answer_order("ready");
        CHECK(ca.url() == "https://ca.example/finalize");
        ca.answer(R"({"type": "urn:ietf:params:acme:error:orderNotReady"})", 403);
        CHECK(ca.url() == "https://ca.example/order/1");
        ca.answer_order("ready");
        CHECK(ca.url() == "https://ca.example/finalize");
    }

    TEST_CASE("several names are published at once and proved one after the other") {
        Scene ca({"a.example", "b.example"});
        ca.next();
        ca.answer(R"({"status": "pending", "finalize": "https://ca.example/finalize",
            "authorizations": ["https://ca.example/authz/1", "https://ca.example/authz/2"]})",
                  201, {{"Location", "https://ca.example/order/1"}});
        ca.answer_authorization("pending");
        CHECK(ca.url() == "https://ca.example/authz/2");
        ca.answer(R"({"status": "pending", "identifier": {"type": "dns", "value": "b.example"},
            "challenges": [{"type": "dns-01", "url": "https://ca.example/chall/2",
                            "token": "token-2"}]})");
        const Order::Action action = ca.next();
        CHECK(std::get<Order::Publish>(action).records.size() == 2);
        ca.order.on_published(ca.now);
        CHECK(ca.url() == "https://ca.example/chall/1");
        ca.answer("{}");
        CHECK(ca.url() == "https://ca.example/chall/2");
        ca.answer("{}");
        CHECK(ca.url() == "https://ca.example/authz/1");
        ca.answer_authorization("valid");
        CHECK(ca.url() == "https://ca.example/authz/2");
        ca.answer_authorization("valid");
        CHECK(ca.url() == "https://ca.example/order/1");
    }

    TEST_CASE("answers that make no sense end the order") {
        for (const char* body :
             {"", "[]", "{}", R"({"status": "odd"})", R"({"status": "pending"})",
              R"({"status": "pending", "authorizations": ["http://ca.example/clear"]})",
              R"({"status": "pending", "authorizations": [5]})",
              R"({"status": "pending", "authorizations": ["https://ca.example/1",
                                                          "https://ca.example/2"]})"}) {
            CAPTURE(body);
            Scene ca;
            ca.next();
            ca.answer(body, 201, {{"Location", "https://ca.example/order/1"}});
            CHECK(ca.failure_code() == "acme.malformed");
        }
        Scene nowhere;
        nowhere.next();
        nowhere.answer(R"({"status": "ready", "finalize": "https://ca.example/f"})", 201);
        CHECK(nowhere.failure_code() == "acme.malformed");
    }

    TEST_CASE("no record is published for a name that was not ordered, or from an odd token") {
        for (const char* authorization :
             {R"({"status": "pending", "identifier": {"value": "evil.example"}, "challenges":
                  [{"type": "dns-01", "url": "https://ca.example/c", "token": "t"}]})",
              R"({"status": "pending", "identifier": {"value": "a.example"}, "challenges":
                  [{"type": "dns-01", "url": "https://ca.example/c", "token": "a b"}]})",
              R"({"status": "pending", "identifier": {"value": "a.example"}, "challenges":
                  [{"type": "dns-01", "url": "https://ca.example/c"}]})"}) {
            Scene ca;
            ca.next();
            ca.answer_order("pending");
            ca.answer(authorization);
            CHECK(ca.failure_code() == "acme.malformed");
        }
        Scene ca;
        ca.next();
        ca.answer_order("pending");
        ca.answer(R"({"status": "pending", "identifier": {"value": "a.example"}, "challenges":
                      [{"type": "http-01", "url": "https://ca.example/c", "token": "t"}]})");
        CHECK(ca.failure_code() == "acme.no-dns-01");
    }
}

}  // namespace
}  // namespace porchlight::acme
