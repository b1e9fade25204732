#pragma once

#include "agent/status.h"
#include "ra/link_announcer.h"

namespace porchlight::agent {

/// Adds to the row of Router Advertisements of a link what another daemon of this router has to do
/// with it: that it has the link in our place, what of ours is left to it and whether hosts hear
/// the same.
void tell_beside(CarrierStatus& row, const ra::LinkAnnouncer::Beside& beside);

}  // namespace porchlight::agent
