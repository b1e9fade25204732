#include "dns/doh_path.h"

#include <doctest/doctest.h>

namespace porchlight::dns {
namespace {

TEST_SUITE("dns/doh_path") {
    TEST_CASE("RFC 6570 section 3.2: each operator, the variable dns alone has a value") {
        CHECK(expand_dohpath("/dns-query{?dns}", "AAAB") == "/dns-query?dns=AAAB");
        CHECK(expand_dohpath("/q?a=1{&dns}", "AAAB") == "/q?a=1&dns=AAAB");
        CHECK(expand_dohpath("/q/{dns}", "AAAB") == "/q/AAAB");
        CHECK(expand_dohpath("/q{/dns}", "AAAB") == "/q/AAAB");
        CHECK(expand_dohpath("/q{+dns}", "AAAB") == "/qAAAB");
        CHECK(expand_dohpath("/q{.dns}", "AAAB") == "/q.AAAB");
        CHECK(expand_dohpath("/q{;dns}", "AAAB") == "/q;dns=AAAB");
        CHECK(expand_dohpath("/q{?a,dns*,b}", "AAAB") == "/q?dns=AAAB");
        CHECK(expand_dohpath("/q{?a}{?dnssec}", "AAAB") == "/q");
    }

    TEST_CASE("the path of a template is what stands before its one query") {
        CHECK(path_of("/dns-query{?dns}") == "/dns-query");
        CHECK(path_of("/a b{?dns}") == "/a%20b");
        for (const char* other :
             {"/q", "/dns-query", "/q{?dns,a}", "/q?a=1{&dns}", "/q?a=1{?dns}", "/{x}{?dns}"})
            CHECK(path_of(other) == std::nullopt);
    }

    TEST_CASE("what a URI can't hold is percent-encoded; braces that close nothing end nothing") {
        CHECK(expand_dohpath("/\xc3\xa4 {?dns}", "A") == "/%C3%A4%20?dns=A");
        CHECK(expand_dohpath("/{", "A") == "/{");
        CHECK(expand_dohpath("/{}", "A") == "/{}");
    }
}

}  // namespace
}  // namespace porchlight::dns
