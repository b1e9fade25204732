#include "forwarder/doh_request.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/base64url.h"

namespace porchlight::forwarder {
namespace {

const std::vector<std::string> paths{"/dns-query", "/tv"};

/// What a request comes to before its body.
struct Head {
    std::string_view method = "GET";
    std::string_view target = "/dns-query?dns=AAAB";
    std::vector<std::pair<std::string_view, std::string_view>> fields = {};
};

std::optional<HttpStatus> judged(const Head& head, DohRequest& request) {
    request.set_method(head.method);
    request.set_target(head.target, paths);
    for (const auto& [name, value] : head.fields) request.add_field(name, value);
    return request.judge_head();
}

std::optional<HttpStatus> judged(const Head& head) {
    DohRequest request;
    return judged(head, request);
}

Head post(std::string_view type, std::string_view target = "/dns-query") {
    return {"POST", target, {{"content-type", type}}};
}

}  // namespace

TEST_SUITE("forwarder/doh_request") {
    TEST_CASE("a GET brings its message in the URL, at each path that is served") {
        // RFC 8484 section 4.1.1: www.example.com, A
        for (const char* target :
             {"/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB",
              "/tv?a=b&dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB&c=d"}) {
            CAPTURE(target);
            DohRequest request;
            CHECK(judged({"GET", target}, request) == HttpStatus::ok);
            REQUIRE(request.message().size() == 33);
            CHECK(text_of(request.message().subspan(13, 3)) == "www");
        }
    }

    TEST_CASE("a GET without one message is malformed") {
        for (const char* target : {"/dns-query", "/dns-query?", "/dns-query?dn=AAAB",
                                   "/dns-query?dns=AAAB==", "/dns-query?dns=AA+B",
                                   "/dns-query?dns=A", "/dns-query?dns=AAAB&dns=AAAB"}) {
            CAPTURE(target);
            CHECK(judged({"GET", target}) == HttpStatus::bad_request);
        }
        DohRequest without_target;
        without_target.set_method("GET");
        CHECK(without_target.judge_head() == HttpStatus::bad_request);
    }

    TEST_CASE("other paths are not found, whatever is asked there") {
        for (const char* target : {"/", "", "*", "/dns-query/", "/dns-quer?dns=AAAB",
                                   "//dns-query?dns=AAAB", "/DNS-query?dns=AAAB"})
            for (const char* method : {"GET", "POST", "PUT"}) {
                CAPTURE(target);
                CHECK(judged({method, target}) == HttpStatus::not_found);
            }
    }

    TEST_CASE("a path may say which device asks, one that is known") {
        const std::vector<std::string> devices{"tablet", "tv"};
        const auto said = [&](std::string_view target, DohRequest& request) {
            request.set_method("GET");
            request.set_target(target, paths, devices);
            return request.judge_head();
        };
        DohRequest request;
        CHECK(said("/dns-query/tablet?dns=AAAB", request) == HttpStatus::ok);
        CHECK(request.device() == "tablet");
        CHECK(request.message().size() == 3);
        request.clear();
        CHECK(said("/tv/TV?dns=AAAB", request) == HttpStatus::ok);
        CHECK(request.device() == "TV");
        request.clear();
        CHECK(said("/tv?dns=AAAB", request) == HttpStatus::ok);
        CHECK(request.device().empty());
        for (const char* target :
             {"/dns-query/radio?dns=AAAB", "/dns-query/?dns=AAAB", "/dns-query/tablet/?dns=AAAB",
              "/tablet?dns=AAAB", "/dns-query/table?dns=AAAB", "/dns-query/tv/tablet?dns=AAAB"}) {
            CAPTURE(target);
            request.clear();
            CHECK(said(target, request) == HttpStatus::not_found);
            CHECK(request.device().empty());
        }
        CHECK(judged({"GET", "/dns-query/tablet?dns=AAAB"}) == HttpStatus::not_found);
    }

    TEST_CASE("other methods are not allowed") {
        for (const char* method : {"HEAD", "PUT", "get", "POSTS", ""}) {
            CAPTURE(method);
            CHECK(judged({method}) == HttpStatus::method_not_allowed);
        }
        DohRequest without_method;
        without_method.set_target("/tv?dns=AAAB", paths);
        CHECK(without_method.judge_head() == HttpStatus::method_not_allowed);
    }

    TEST_CASE("a POST brings its message as the body, of one media type") {
        DohRequest request;
        CHECK(!judged(post("application/dns-message", "/tv?dns=AAAB"), request));
        CHECK(request.message().empty());
        CHECK(request.add_body(bytes_of("ab")));
        CHECK(request.add_body(bytes_of("c")));
        CHECK(request.judge_body() == HttpStatus::ok);
        CHECK(text_of(request.message()) == "abc");
        CHECK(!judged(post("Application/DNS-Message ; q=1")));
        for (const char* type :
             {"", "text/plain", "application/dns-messages", "application/dns-json"})
            CHECK(judged(post(type)) == HttpStatus::unsupported_media_type);
        CHECK(judged({"POST"}) == HttpStatus::unsupported_media_type);
    }

    TEST_CASE("a body above 65535 octets is too large, said or sent") {
        Head head = post("application/dns-message");
        head.fields.emplace_back("Content-Length", "65535");
        DohRequest request;
        CHECK(!judged(head, request));
        CHECK(request.add_body(Buffer(65000)));
        CHECK(request.add_body(Buffer(535)));
        CHECK(request.judge_body() == HttpStatus::ok);
        CHECK(!request.add_body(Buffer(1)));
        CHECK(request.judge_body() == HttpStatus::content_too_large);
        for (const char* length : {"65536", "99999999999999999999999"}) {
            head.fields.back().second = length;
            CHECK(judged(head) == HttpStatus::content_too_large);
        }
    }

    TEST_CASE("only who accepts something else alone gets nothing") {
        const auto accepting = [](std::string_view value) {
            return judged({.fields = {{"Accept", value}}});
        };
        for (const char* value :
             {"application/dns-message", "*/*", "application/*;q=0.1", "text/html, */*;q=0.01",
              "text/html,application/DNS-message ;q=1.000", "*/*;q=0, application/dns-message"}) {
            CAPTURE(value);
            CHECK(accepting(value) == HttpStatus::ok);
        }
        for (const char* value :
             {"", "text/html", "application/dns-json", "application/dns-message;q=0",
              "*/*; Q=0.000", "*/*, application/dns-message; a=b; q=0",
              "application/dns-message;q=0, */*"}) {
            CAPTURE(value);
            CHECK(accepting(value) == HttpStatus::not_acceptable);
        }
        CHECK(judged({.fields = {{"accept", "text/html"}, {"accept", "*/*"}}}) == HttpStatus::ok);
    }

    TEST_CASE("what is larger than all fields may be is told by what makes it so") {
        const std::string long_value(DohRequest::fields_octets_max, 'A');
        const std::string long_target = "/dns-query?dns=" + long_value;
        CHECK(judged({"GET", long_target}) == HttpStatus::uri_too_long);
        CHECK(judged({.fields = {{"cookie", long_value}}}) == HttpStatus::fields_too_large);
        // Each field counts for 32 octets more than it has; :path and :method do too.
        const std::size_t overhead = 2 * 32 + 7 + 3 + 5;
        std::string target = "/dns-query?dns=";
        target.resize(DohRequest::fields_octets_max - overhead, 'A');
        target.resize(15 + (target.size() - 15) / 4 * 4);  // whole groups of base64
        CHECK(judged({"GET", target}) == HttpStatus::ok);
        CHECK(judged({"GET", target + "AAAA"}) == HttpStatus::uri_too_long);
        CHECK(judged({"GET", target, {{"a", "b"}}}) == HttpStatus::uri_too_long);
    }

    TEST_CASE("a cleared request remembers nothing but its memory") {
        DohRequest request;
        Head head = post("application/dns-message");
        head.fields.emplace_back("accept", "text/html");
        head.fields.emplace_back("content-length", "70000");
        CHECK(judged(head, request) == HttpStatus::not_acceptable);
        CHECK(!request.add_body(Buffer(70000)));
        request.clear();
        CHECK(judged({}, request) == HttpStatus::ok);
        const std::size_t capacity = request.capacity();
        CHECK(capacity >= request.message().size());
        request.clear();
        CHECK(request.message().empty());
        CHECK(request.capacity() == capacity);
        CHECK(request.judge_head() == HttpStatus::bad_request);
    }
}

}  // namespace porchlight::forwarder
