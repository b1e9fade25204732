#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "acme/directory.h"
#include "acme/failure.h"
#include "acme/key.h"
#include "acme/order.h"
#include "net/asio.h"
#include "net/http_client.h"

namespace porchlight::acme {

/// Whoever puts challenge records into the DNS.
class Publisher {
  public:
    virtual ~Publisher() = default;
    virtual awaitable<std::optional<Failure>> publish(std::vector<TxtRecord> records) = 0;
};

/// Talks to one CA as one account (RFC 8555): signs, keeps nonces, and does what an Order says.
class Client {
  public:
    static constexpr int nonce_retries_max = 5;
    static constexpr std::size_t nonces_max = 8;
    static constexpr std::chrono::milliseconds request_max{30000};

    struct Account {
        std::vector<std::string> contacts;
        bool terms_agreed = false;
        std::string known_url;  // from earlier; empty: the CA knows by the key
    };

    /// Both are borrowed for the client's life.
    Client(net::HttpClient& http, const Key& key) : http_(http), key_(key) {}

    /// Fetches the directory; comes before everything else.
    awaitable<std::optional<Failure>> open(std::string directory_url);
    /// Finds or makes the account (sections 7.3, 7.3.1).
    awaitable<std::optional<Failure>> enter(Account account);
    /// Takes an order to its end: the chain in PEM, or why not.
    awaitable<std::variant<std::string, Failure>> run(Order& order, Publisher& publisher);

    const Directory& directory() const { return directory_; }
    const std::string& account_url() const { return account_url_; }

  private:
    awaitable<Result<std::string>> take_nonce();
    awaitable<Result<net::HttpResponse>> post(std::string url, std::string payload);
    awaitable<Result<net::HttpResponse>> send(net::HttpRequest request);

    net::HttpClient& http_;
    const Key& key_;
    Directory directory_;
    std::string account_url_;  // empty: requests carry the key instead
    std::deque<std::string> nonces_;
};

}  // namespace porchlight::acme
