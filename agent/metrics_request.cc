#include "agent/metrics_request.h"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

#include "core/address.h"

// Beast parses; the octets travel elsewhere.

namespace porchlight::agent {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view end_of_header = "\r\n\r\n";
constexpr std::string_view path = "/metrics";

/// "127.0.0.1:9853", "[fd00::1]", "localhost:9853"; a name proves that somebody was led here by it.
bool names_no_stranger(std::string_view host) {
    if (parse_endpoint(host, 0)) return true;
    return boost::beast::iequals(host.substr(0, host.find(':')), "localhost");
}

unsigned status_of(const http::request<http::empty_body>& request) {
    const auto hosts = request.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && request.version() > 10)) return 400;
    const std::string_view host = request[http::field::host];
    if (hosts == 1 && !names_no_stranger(host)) return 421;
    const std::string_view target = request.target();
    if (target.substr(0, target.find('?')) != path) return 404;
    const bool reads = request.method() == http::verb::get || request.method() == http::verb::head;
    return reads ? 200 : 405;
}

}  // namespace

std::optional<MetricsRequest> read_metrics_request(std::string_view octets) {
    const std::size_t end = octets.find(end_of_header);
    if (end == octets.npos || end + end_of_header.size() > MetricsRequest::header_octets_max) {
        if (octets.size() < MetricsRequest::header_octets_max) return std::nullopt;
        return MetricsRequest{431, false};
    }
    http::request_parser<http::empty_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(MetricsRequest::header_octets_max));
    boost::system::error_code wrong;
    parser.put(boost::asio::const_buffer(octets.data(), end + end_of_header.size()), wrong);
    if (wrong || !parser.is_header_done()) return MetricsRequest{400, false};
    return MetricsRequest{status_of(parser.get()), parser.get().method() == http::verb::head};
}

std::string metrics_response(const MetricsRequest& request, std::string_view metrics) {
    const bool found = request.status == 200;
    const std::string reason(http::obsolete_reason(http::int_to_status(request.status)));
    const std::string_view content = found ? metrics : std::string_view();
    std::string text = "HTTP/1.1 " + std::to_string(request.status) + " " + reason + "\r\n";
    if (found) text += "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n";
    if (request.status == 405) text += "Allow: GET, HEAD\r\n";
    text += "Content-Length: " + std::to_string(content.size()) +
            "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
    if (!request.head) text += content;
    return text;
}

}  // namespace porchlight::agent
