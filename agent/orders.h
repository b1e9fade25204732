#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/config.h"
#include "agent/custody.h"
#include "agent/keeper_protocol.h"
#include "agent/staples.h"
#include "agent/status.h"
#include "core/clock.h"
#include "core/random.h"
#include "net/asio.h"
#include "net/channel.h"

namespace porchlight::agent {

/// Orders certificates when they are due, and what says that they are not revoked: asks the keeper
/// for the provision role, hands it the job, and has what it brings stored. One order at a time.
class Orders {
  public:
    /// What it can't do by itself.
    struct Callbacks {
        std::function<void()> start_provision;             // then on_provision() is called
        std::function<void(Bytes octets)> store_account;   // as parse_account() reads it
        std::function<void(Bytes octets)> store_schedule;  // acme::write_attempts
        std::function<void(const StoredParts& parts)> store_certificate;
        std::function<void()> staple_changed;  // stapled() says another thing now
    };

    /// `time` and `random` outlive it.
    Orders(asio::any_io_executor loop, const TimeSource& time, Random& random, Callbacks callbacks);
    ~Orders();

    /// The facts that an order follows from changed. Nothing is ordered by a clock that nobody
    /// vouches for, unless there is no certificate at all. `upstream` of `config` are those who are
    /// asked now, be they named there or learned.
    void set(const Config& config, const World& world, const Custody& custody, bool wall_trusted);
    /// The channel to the provision role that was asked for.
    void on_provision(net::Channel channel);
    /// Orders at once, whatever the schedule says; tells what happens, for people. Fails with
    /// `refused` where there is no CA to order from.
    Result<std::string> order_now();
    /// The identity with a staple that says its certificate is not revoked, where there is one.
    std::optional<forwarder::TlsIdentity> stapled(
        std::optional<forwarder::TlsIdentity> identity) const;
    /// Adds what is known of past and coming orders.
    void describe(CertificateStatus& status) const;

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with timers and channels, which may end after us
    Staples staples_;
};

}  // namespace porchlight::agent
