#pragma once

#include <vector>

#include "agent/config.h"
#include "agent/status.h"
#include "net/link.h"

namespace porchlight::agent {

/// Adds to `status`, whose plan, certificate and forwarder are there already, what DNS itself tells
/// hosts: a row for each link whose hosts are to be told of this router, and whether they can
/// verify it (RFC 9462 section 4.2): the certificate must hold each address by which they may ask.
void describe_ddr(const Config& config, const std::vector<net::Link>& links, Status& status);

}  // namespace porchlight::agent
