#pragma once

#include <cstdint>

#include "core/clock.h"
#include "forwarder/bucket.h"
#include "forwarder/refusals.h"
#include "forwarder/settings.h"

namespace porchlight::forwarder {

/// How much may be asked in plain DNS on loopback. There dnsmasq asks for every host of the home,
/// and nobody says which, so a host's rate would darken all of them for what one does: the rate is
/// that of a prefix, ten hosts' share. Datagrams and TCP have it each for themselves, so that who
/// floods by UDP leaves others a way. Any thread.
class Do53Rate {
  public:
    enum class Judgement : std::uint8_t {
        answer,
        truncate,  // over the rate: whoever means it asks again by TCP (RFC 2181 section 9)
        drop,      // over twice the rate
    };

    /// What is over the rate is counted in `refusals`, which outlives it.
    explicit Do53Rate(Refusals& refusals) : refusals_(refusals) {}

    /// Of one query more by a datagram.
    Judgement judge(const Limits& limits, Clock::time_point now) {
        const Rate rate = rate_of(limits);
        if (datagrams_.take(rate, now)) return Judgement::answer;
        ++refusals_.queries_do53;
        return truncated_.take(rate, now) ? Judgement::truncate : Judgement::drop;
    }
    /// Whether one query more is within the rate over TCP.
    bool admit(const Limits& limits, Clock::time_point now) {
        if (over_tcp_.take(rate_of(limits), now)) return true;
        ++refusals_.queries_do53;
        return false;
    }

  private:
    static Rate rate_of(const Limits& limits) {
        return Rate::per_second(limits.do53_queries_per_second, limits.do53_queries_burst);
    }

    Refusals& refusals_;
    Bucket datagrams_;
    Bucket truncated_;
    Bucket over_tcp_;
};

}  // namespace porchlight::forwarder
