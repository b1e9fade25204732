#pragma once

#include "net/channel.h"

namespace porchlight::agent {

/// The agent's whole life, without any privilege: gathers facts, plans, makes the announcements
/// match the plan, keeps the forwarder and the certificate supplied, and answers `status`. Ends,
/// with every Router Advertisement withdrawn, when the keeper says so or is gone. Returns the exit
/// status.
int run_agent(net::Channel keeper);

}  // namespace porchlight::agent
