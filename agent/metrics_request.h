#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace porchlight::agent {

/// What somebody asks of the metrics by HTTP/1.1 (RFC 9112), as far as it matters: the status that
/// he gets (RFC 9110 section 15), and whether without the content.
struct MetricsRequest {
    static constexpr std::size_t header_octets_max = 8192;

    unsigned status = 200;
    bool head = false;
    bool operator==(const MetricsRequest&) const = default;
};

/// From the octets that came so far; nothing while they could become a request. GET and HEAD of
/// /metrics are answered; and only who names this machine by an address or as localhost, for the
/// page of a stranger's that made its own name ours (DNS rebinding) comes with that name.
std::optional<MetricsRequest> read_metrics_request(std::string_view octets);

/// The whole answer, behind which the connection ends. `metrics` count where the status is 200.
std::string metrics_response(const MetricsRequest& request, std::string_view metrics);

}  // namespace porchlight::agent
