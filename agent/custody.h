#pragma once

#include <optional>
#include <string>
#include <vector>

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
/// served where none is. Dates count only when `dates_count`. Why a newer one was passed over
/// stands in the status.
Custody choose_certificate(const Config& config, const World& world, WallTime wall,
                           bool dates_count);

/// Whether the dates of the certificate that was chosen hold at `wall`.
bool dates_hold(const CertificateStatus& certificate, WallTime wall, bool dates_count);
/// Logs what is news. `is_needed`: hosts are to be told of this router.
void log_change(const CertificateStatus& before, const CertificateStatus& now, bool is_needed);

/// What is `read` from files takes the place of what was there `before`; but where the dates of the
/// first of it are not known to hold, the newest of those that is fit stays behind it, and is
/// served until the new one's dates hold. One for another name is what somebody wants.
void keep_former(std::vector<StoredCertificate>& read, const std::vector<StoredCertificate>& before,
                 const Config& config, WallTime wall, bool dates_count);

/// Why no TLS handshake could be done with the pair that the user's files hold, or nothing if one
/// could. A pair that is expired or for another name can be served; one of which only one half was
/// replaced yet can't.
std::optional<std::string> why_unservable(const CertificateFiles& files, Bytes chain_pem,
                                          Bytes key_pem);

}  // namespace porchlight::agent
