#include "forwarder/doh_answer.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "hex.h"

namespace porchlight::forwarder {
namespace {

const std::string question = "03777777 076578616d706c65 00 0001 0001";  // www.example A

Buffer message(const std::string& flags, const std::string& counts, const std::string& records) {
    return hex("0000" + flags + "0001" + counts + question + records);
}

const std::string a_300 = "c00c 0001 0001 0000012c 0004 c0000201";
const std::string cname_60 = "c00c 0005 0001 0000003c 0006 0365 7874 c010";
const std::string ns_5 = "c010 0002 0001 00000005 0002 c010";
/// The root's, as a negative answer has it.
std::string soa(const std::string& ttl, const std::string& minimum) {
    return "00 0006 0001" + ttl + "0016 00 00 00000001 00000e10 00000e10 00000e10" + minimum;
}

std::map<std::string, std::string> fields_of(const DohFields& fields) {
    std::map<std::string, std::string> all;
    for (const DohFields::Field& one : fields.fields()) all.emplace(one.name, one.value);
    return all;
}

}  // namespace

TEST_SUITE("forwarder/doh_answer") {
    TEST_CASE("an answer is as fresh as the least TTL of its answer section") {
        CHECK(max_age(message("8180", "0001 0000 0000", a_300)) == 300);
        CHECK(max_age(message("8180", "0002 0000 0000", a_300 + cname_60)) == 60);
        // Servers of the zone and the OPT say nothing about it.
        const std::string opt = "00 0029 04d0 00000000 0000";
        CHECK(max_age(message("8180", "0001 0001 0001", a_300 + ns_5 + opt)) == 300);
        // Nor does one whose name is as long as an SOA.
        const std::string ns_long =
            "c010 0002 0001 00000005 0016 14 " + std::string(40, '6') + "00";
        CHECK(max_age(message("8180", "0001 0001 0000", a_300 + ns_long)) == 300);
    }

    TEST_CASE("what is not there is as fresh as its SOA says") {
        CHECK(max_age(message("8183", "0000 0001 0000", soa("00000e10", "0000000a"))) == 10);
        CHECK(max_age(message("8180", "0000 0001 0000", soa("00000014", "00000e10"))) == 20);
        const std::string none = cname_60 + soa("00000e10", "00000e10");
        CHECK(max_age(message("8183", "0001 0001 0000", none)) == 60);
        const std::string soon = cname_60 + soa("00000e10", "00000001");
        CHECK(max_age(message("8183", "0001 0001 0000", soon)) == 1);
    }

    TEST_CASE("where an alias leads to nothing, and no SOA says for how long, it is not kept") {
        CHECK(max_age(message("8183", "0001 0000 0000", cname_60)) == 0);
        CHECK(max_age(message("8180", "0001 0000 0000", cname_60)) == 0);
        CHECK(max_age(message("8183", "0001 0001 0000", cname_60 + ns_5)) == 0);
        CHECK(max_age(message("8183", "0001 0000 0000", a_300)) == 0);
        // The control: it leads somewhere, or it is what was asked for, or anything was.
        CHECK(max_age(message("8180", "0002 0000 0000", cname_60 + a_300)) == 60);
        const auto asked_for = [](std::string type) {
            const std::string same_name = "03777777 076578616d706c65 00" + type + "0001";
            return hex("0000 8180 0001 0001 0000 0000" + same_name + cname_60);
        };
        CHECK(max_age(asked_for("0005")) == 60);
        CHECK(max_age(asked_for("00ff")) == 60);
        CHECK(max_age(asked_for("001c")) == 0);
    }

    TEST_CASE("a failure is not kept, nor nothing at all, nor what is no message") {
        CHECK(max_age(message("8182", "0001 0000 0000", a_300)) == 0);
        CHECK(max_age(message("8180", "0000 0000 0000", "")) == 0);
        CHECK(max_age(message("8183", "0000 0001 0000", ns_5)) == 0);
        const Buffer whole = message("8180", "0002 0000 0000", a_300 + cname_60);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(size);
            CHECK(max_age(Bytes(whole).first(size)) == 0);
        }
        // A SOA too short to have a MINIMUM.
        const std::string stump = "00 0006 0001 00000e10 0003 000000";
        CHECK(max_age(message("8183", "0000 0001 0000", stump)) == 0);
    }

    TEST_CASE("a message travels with its type, its size and its age") {
        DohFields fields;
        const Buffer answer = message("8180", "0001 0000 0000", a_300);
        fields.set(HttpStatus::ok, answer);
        CHECK(fields.status() == "200");
        CHECK(fields_of(fields) ==
              std::map<std::string, std::string>{{"content-type", "application/dns-message"},
                                                 {"content-length", std::to_string(answer.size())},
                                                 {"cache-control", "max-age=300"}});
        const std::string longest = "c00c 0001 0001 ffffffff 0004 c0000201";
        Buffer large = message("8180", "0001 0000 0000", longest);
        large.resize(65535);
        fields.set(HttpStatus::ok, large);
        CHECK(fields_of(fields)["content-length"] == "65535");
        CHECK(fields_of(fields)["cache-control"] == "max-age=0");  // as no TTL is
        fields.set(HttpStatus::ok,
                   message("8180", "0001 0000 0000", "c00c 0001 0001 fffffffe 0004 c0000201"));
        CHECK(fields_of(fields)["cache-control"] == "max-age=4294967294");
    }

    TEST_CASE("a refusal says what would do, or when") {
        DohFields fields;
        fields.set(HttpStatus::method_not_allowed, {});
        CHECK(fields.status() == "405");
        CHECK(fields_of(fields) ==
              std::map<std::string, std::string>{{"content-length", "0"}, {"allow", "GET, POST"}});
        fields.set(HttpStatus::too_many_requests, {});
        CHECK(fields_of(fields)["retry-after"] == "1");
        fields.set(HttpStatus::unavailable, {});
        CHECK(fields_of(fields)["retry-after"] == "5");
        fields.set(HttpStatus::not_found, {});
        CHECK(fields.status() == "404");
        CHECK(fields.fields().size() == 1);
    }
}

}  // namespace porchlight::forwarder
