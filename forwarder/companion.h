#pragma once

#include "core/address.h"
#include "core/random.h"
#include "forwarder/resolver.h"

namespace porchlight::forwarder {

/// The plain DNS server of the home's own names, dnsmasq as a rule, on this machine. Each question
/// goes from a port and with an ID of its own, both random; only what comes back from the
/// companion, with that ID and question, is an answer (RFC 5452 section 9). A truncated answer is
/// fetched again over TCP.
class Companion : public Resolver {
  public:
    /// The companion is next door and knows its answers.
    static constexpr std::chrono::milliseconds answer_max{2000};
    /// Each question has a socket of its own. Beyond so many at once they fail, so that a host that
    /// asks for the home's names in a storm can't use up the descriptors that others connect by.
    /// Twice what one host may have in flight, so that it leaves room for others.
    static constexpr std::size_t in_flight_max = 512;

    Companion(asio::any_io_executor loop, Endpoint address)
        : loop_(std::move(loop)), address_(address) {}

    awaitable<Result<Response>> resolve(dns::Question question,
                                        std::chrono::milliseconds within) override;

  private:
    awaitable<Result<Response>> ask_udp(const dns::Question& question,
                                        std::chrono::milliseconds within);
    awaitable<Result<Response>> ask_tcp(const dns::Question& question,
                                        std::chrono::milliseconds within);

    asio::any_io_executor loop_;
    Endpoint address_;
    SystemRandom random_;
    std::size_t in_flight_ = 0;
};

}  // namespace porchlight::forwarder
