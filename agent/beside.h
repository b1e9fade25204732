#pragma once

#include "agent/status.h"
#include "ra/link_announcer.h"

namespace porchlight::agent {

/// Adds to the row of Router Advertisements of a link what others on the link have to do with it:
/// who has it in our place, what of ours is left to the daemon and whether hosts hear the same, who
/// tells of other resolvers.
void tell_beside(CarrierStatus& row, const ra::LinkAnnouncer::Beside& beside);

}  // namespace porchlight::agent
