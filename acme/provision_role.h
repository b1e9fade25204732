#pragma once

#include "net/channel.h"

namespace porchlight::acme {

/// Kinds of messages on the provision role's channel.
enum class ProvisionMessage : std::uint16_t {
    job = 1,
    outcome = 2,
    staple_job = 3,
    staple_outcome = 4,
};

/// The life of the short-lived process that talks to CAs: takes one Job or StapleJob from `agent`,
/// works, sends its outcome, and is done. Needs the network and no privilege. Returns the exit
/// status: 0 if an outcome was sent, whatever it says.
int run_provision(net::Channel agent);

}  // namespace porchlight::acme
