#pragma once

#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/keeper_protocol.h"
#include "agent/offers.h"
#include "agent/wan_record.h"
#include "core/clock.h"

namespace porchlight::agent {

/// What one source told of one WAN, read.
struct Learned {
    std::string wan;
    OfferSource source = OfferSource::user;
    std::string told_by;  // "udhcpc bound"
    std::vector<Offer> offers;
    std::vector<std::string> discarded;  // what was malformed, a sentence each, with its octets
    std::vector<IpAddress> plain;        // resolvers in clear text
    bool operator==(const Learned&) const = default;
};

/// Records of another boot, and of interfaces that are not in `config.wan`, count as nothing; one
/// that can't be read discards itself alone. However often one is read, its end is the same, to a
/// second.
std::vector<Learned> learned_from(const StoredParts& records, const Config& config,
                                  const Boot& boot, Clock::time_point now);

/// All of them, in the order of `learned`.
std::vector<Offer> offers_of(const std::vector<Learned>& learned);

/// All resolvers in clear text, and behind them those of Router Advertisements.
std::vector<IpAddress> plain_of(const std::vector<Learned>& learned,
                                const std::vector<IpAddress>& advertised);

/// `learned`, and behind it what Router Advertisements offer, for each WAN.
std::vector<Learned> with_advertised(std::vector<Learned> learned,
                                     const std::vector<Offer>& advertised);

/// Tells the log what is offered otherwise than before, a line each; not when it ends.
void log_learned(const std::vector<Learned>& before, const std::vector<Learned>& after);

}  // namespace porchlight::agent
