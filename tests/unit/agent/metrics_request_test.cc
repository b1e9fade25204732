#include "agent/metrics_request.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

std::string request(std::string_view line, std::string_view host = "127.0.0.1:9853") {
    return std::string(line) + " HTTP/1.1\r\nHost: " + std::string(host) +
           "\r\nUser-Agent: a scraper\r\n\r\n";
}

/// 0: more may come.
unsigned status(std::string_view octets) {
    const auto read = read_metrics_request(octets);
    return read ? read->status : 0;
}

TEST_SUITE("agent/metrics_request") {
    TEST_CASE("GET and HEAD of the metrics are answered") {
        CHECK(read_metrics_request(request("GET /metrics")) == MetricsRequest{200, false});
        CHECK(read_metrics_request(request("GET /metrics?collect=all")) ==
              MetricsRequest{200, false});
        CHECK(read_metrics_request(request("HEAD /metrics")) == MetricsRequest{200, true});
        CHECK(status("GET /metrics HTTP/1.0\r\n\r\n") == 200);
    }

    TEST_CASE("every truncation waits for more") {
        const std::string whole = request("GET /metrics");
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(size);
            CHECK(status(whole.substr(0, size)) == 0);
        }
    }

    TEST_CASE("what is not there, not allowed or not HTTP is said to be so") {
        CHECK(status(request("GET /")) == 404);
        CHECK(status(request("GET /metrics/")) == 404);
        CHECK(status(request("GET http://127.0.0.1:9853/metrics")) == 404);
        CHECK(status(request("POST /metrics")) == 405);
        CHECK(status(request("DELETE /metrics")) == 405);
        CHECK(status("GET /metrics HTTP/1.1\r\n\r\n") == 400);
        CHECK(status("GET /metrics HTTP/1.1\r\nHost: ::1\r\nHost: ::1\r\n\r\n") == 400);
        CHECK(status("GET /metrics HTTP/3.7\r\nHost: ::1\r\n\r\n") == 400);
        CHECK(status("\x16\x03\x01\x02\r\n\r\n") == 400);
        CHECK(status(" \r\n\r\n") == 400);
        CHECK(status("GET /metrics HTTP/1.1\r\nHost: ::1\r\nContent-Length: many\r\n\r\n") == 400);
    }

    TEST_CASE("content is not waited for") {
        CHECK(status("POST /metrics HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 9\r\n\r\n") == 405);
        CHECK(status(request("GET /metrics") + "and more") == 200);
    }

    TEST_CASE("a header is read up to a limit") {
        const auto padded = [](std::size_t size) {
            std::string text = "GET /metrics HTTP/1.1\r\nHost: [::1]\r\nX: ";
            return text.append(size - text.size() - 4, 'x') + "\r\n\r\n";
        };
        CHECK(status(padded(MetricsRequest::header_octets_max)) == 200);
        CHECK(status(padded(MetricsRequest::header_octets_max + 1)) == 431);
        CHECK(status(std::string(MetricsRequest::header_octets_max - 1, 'x')) == 0);
        CHECK(status(std::string(MetricsRequest::header_octets_max, 'x')) == 431);
    }

    TEST_CASE("a page of a stranger's can't lead a browser here by a name") {
        for (const char* host : {"192.168.77.1:9853", "192.168.77.1", "[fd77::1]:9853", "[::1]",
                                 "localhost", "LocalHost:9853"}) {
            CAPTURE(host);
            CHECK(status(request("GET /metrics", host)) == 200);
        }
        for (const char* host : {"rebound.example", "rebound.example:9853", "127.0.0.1.example",
                                 "localhost.example", "", "127.0.0.1:99999", "[::1"}) {
            CAPTURE(host);
            CHECK(status(request("GET /metrics", host)) == 421);
            CHECK(status(request("GET /", host)) == 421);
        }
    }

    TEST_CASE("an answer is whole, and HEAD's has no content") {
        CHECK(metrics_response({200, false}, "a 1\n") ==
              "HTTP/1.1 200 OK\r\n"
              "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
              "Content-Length: 4\r\n"
              "X-Content-Type-Options: nosniff\r\n"
              "Connection: close\r\n"
              "\r\n"
              "a 1\n");
        CHECK(metrics_response({200, true}, "a 1\n").ends_with("Connection: close\r\n\r\n"));
        CHECK(metrics_response({200, true}, "a 1\n").find("Content-Length: 4") !=
              std::string::npos);
        const std::string refused = metrics_response({405, false}, "a 1\n");
        CHECK(refused.starts_with("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"));
        CHECK(refused.ends_with("\r\n\r\n"));
        CHECK(
            metrics_response({421, false}, "").starts_with("HTTP/1.1 421 Misdirected Request\r\n"));
    }
}

}  // namespace
}  // namespace porchlight::agent
