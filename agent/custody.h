#pragma once

#include <optional>
#include <string>

#include "agent/config.h"
#include "agent/keeper_protocol.h"
#include "agent/status.h"
#include "forwarder/settings.h"

namespace porchlight::agent {

/// The certificate that is served, and what is known of it.
struct Custody {
    CertificateStatus status;
    /// Nothing where no pair can be served. One that is expired or for another name is served all
    /// the same, to hosts that were told of it before, but not announced.
    std::optional<forwarder::TlsIdentity> identity;
};

/// The newest certificate that is fit for the resolver's name at `wall`; the newest that can be
/// served where none is. Dates count only when `dates_count`.
Custody choose_certificate(const Config& config, const World& world, WallTime wall,
                           bool dates_count);

/// Why no TLS handshake could be done with the pair that the user's files hold, or nothing if one
/// could. A pair that is expired or for another name can be served; one of which only one half was
/// replaced yet can't.
std::optional<std::string> why_unservable(const CertificateFiles& files, Bytes chain_pem,
                                          Bytes key_pem);

}  // namespace porchlight::agent
