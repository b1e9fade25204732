#pragma once

#include "acme/job.h"
#include "core/random.h"
#include "net/asio.h"
#include "net/stub_resolver.h"

namespace porchlight::acme {

/// Gets one certificate: the job's CAs in their order, each by dns-01. Challenge records are taken
/// out of the zone whatever happens. What comes is checked (key, names, dates, order of the chain)
/// before it is called a success. The Outcome tells of the CA that answered last, and always holds
/// the account's key.
awaitable<Outcome> obtain(Job job, const TimeSource& time, Random& random);

/// Who finds names for a job.
std::vector<net::StubResolver::Server> servers_of(const std::vector<Bootstrap>& resolvers);

}  // namespace porchlight::acme
