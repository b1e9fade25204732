#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "forwarder/resolver.h"
#include "net/asio.h"
#include "net/tls_stream.h"
// net/asio.h first
#include <boost/asio/steady_timer.hpp>

namespace porchlight::forwarder {

/// One question on its way, shared by whoever waits for it and the connections it went out on.
struct Exchange {
    Exchange(const asio::any_io_executor& loop, dns::Question asked)
        : question(std::move(asked)), wake(loop) {}

    dns::Question question;
    std::optional<Result<Response>> result;  // the first that came
    asio::steady_timer wake;                 // cancelled when `result` came or a connection ended
};

/// One DoT connection to one server (RFC 7858), from its dialling to its end. Queries are pipelined
/// under random IDs and answered in any order (RFC 7766 section 6.2.1.1); those of one turn of the
/// event loop leave in one record. Closes itself when idle for as long as the server granted (RFC
/// 7828), else for 10 s. Shared with its own coroutines, which end soon after stop().
class DotConnection : public std::enable_shared_from_this<DotConnection> {
  public:
    /// Called before the answer to `question` is read, and with null behind that.
    using OnReading = std::function<void(const dns::Question* question)>;
    struct Settings {
        net::ServerIdentity identity;
        Endpoint address;
        dns::TtlLimits ttls;
        OnReading on_reading;
        dns::Origin origin = dns::Origin::anybody;
    };
    static constexpr std::chrono::milliseconds connect_max{4000};
    static constexpr std::chrono::milliseconds write_max{5000};
    static constexpr std::chrono::milliseconds idle_default{10000};
    static constexpr std::chrono::milliseconds idle_max{300000};
    static constexpr std::size_t in_flight_max = 16384;      // of 65536 IDs
    static constexpr std::size_t padding_bytes_block = 128;  // RFC 8467 section 4.1

    /// Starts to dial at once.
    static std::shared_ptr<DotConnection> open(asio::any_io_executor loop,
                                               std::shared_ptr<net::TlsClient> tls,
                                               Settings settings);

    /// Sends the question, or queues it while dialling. Returns the ID to forget() it by. Only
    /// while takes_more().
    std::uint16_t ask(std::shared_ptr<Exchange> exchange);
    /// Whoever asked does not wait any more. By now the ID may be another question's.
    void forget(std::uint16_t id, const std::shared_ptr<Exchange>& exchange);
    void stop();

    bool takes_more() const;
    bool is_leaving() const { return leaving_; }
    bool is_closed() const { return closed_at_.has_value(); }
    Clock::time_point closed_at() const { return *closed_at_; }
    /// Why it ended, once it did.
    const Error& failure() const { return failure_; }
    /// Whether the server ever answered on it.
    bool has_answered() const { return has_answered_; }
    /// How long it has been silent although something was asked; 0 when nothing is owed.
    Clock::duration silence(Clock::time_point now) const;

  private:
    DotConnection(asio::any_io_executor loop, std::shared_ptr<net::TlsClient> tls,
                  Settings settings);
    static awaitable<void> run(std::shared_ptr<DotConnection> self);
    static awaitable<void> write_all(std::shared_ptr<DotConnection> self);
    awaitable<Error> live();
    void start_writing();
    std::size_t take_messages(Bytes input);
    void take_message(Bytes message);
    void read_answer(Bytes message, Exchange& exchange);
    void note_keepalive(std::optional<std::uint16_t> tenths_s);
    void watch_idle(Clock::time_point until);
    void end(Error why);

    asio::any_io_executor loop_;
    std::shared_ptr<net::TlsClient> tls_;
    Settings settings_;
    SystemRandom random_;
    std::unique_ptr<net::TlsStream> stream_;  // none while dialling
    std::map<std::uint16_t, std::shared_ptr<Exchange>> in_flight_;
    Buffer out_;  // framed queries that are not written yet
    bool writing_ = false;
    bool asked_keepalive_ = false;
    bool leaving_ = false;  // the server wants us to go once it has answered (RFC 7828 section 3.4)
    bool has_answered_ = false;
    std::chrono::milliseconds idle_ = idle_default;
    asio::steady_timer idle_timer_;
    Clock::time_point last_used_;
    std::optional<Clock::time_point> owed_since_;  // first write since the server last spoke
    std::optional<Clock::time_point> closed_at_;
    Error failure_;
};

}  // namespace porchlight::forwarder
