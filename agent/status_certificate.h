#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "agent/status.h"

namespace porchlight::agent {

/// The part of `porchlight status` about the certificate, in its machine-readable form.
nlohmann::ordered_json certificate_json(const CertificateStatus& certificate);
/// That a newer certificate is there and not served.
std::string passed_over_text(const std::string& why);
/// What hosts may stumble over though the certificate is fit: a sentence each.
std::vector<std::string> certificate_remarks(const CertificateStatus& certificate);
/// From the JSON form, for a terminal. Strangers' octets come out escaped.
std::string render_certificate(const nlohmann::ordered_json& json);

}  // namespace porchlight::agent
