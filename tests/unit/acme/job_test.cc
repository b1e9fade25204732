#include "acme/job.h"

#include <doctest/doctest.h>

#include "core/writer.h"

namespace porchlight::acme {
namespace {

Job full_job() {
    Job job;
    job.directories = {"https://a.example/dir", "https://b.example/dir"};
    job.contacts = {"mailto:me@example.net"};
    job.terms_agreed = true;
    job.names = {*dns::parse_name("cpe1.example.net"), *dns::parse_name("cpe2.example.net")};
    job.update = {{Ipv6{{0x20, 1}}, 53, 3},
                  *dns::parse_name("example.net"),
                  {*dns::parse_name("cpe1"), "hmac-sha512", {1, 2, 3}},
                  std::chrono::milliseconds(1234)};
    job.roots_pem = {4, 5};
    job.resolvers = {{*dns::parse_name("dns.example"), {{Ipv4{{192, 0, 2, 1}}, 853}}}};
    job.upstream_roots_pem = {6};
    job.account_key_pem = Buffer{7, 8};
    job.account_url = "https://a.example/me";
    job.account_directory = "https://a.example/dir";
    job.dates_count = false;
    return job;
}

Buffer octets_of(const auto& value) {
    Writer out;
    write(out, value);
    return *out.take();
}

TEST_SUITE("acme/job") {
    TEST_CASE("a job survives the way to the role") {
        const Buffer message = octets_of(full_job());
        const auto job = parse_job(message);
        REQUIRE(job);
        CHECK(octets_of(*job) == message);
        CHECK(job->directories == full_job().directories);
        CHECK(job->names == full_job().names);
        CHECK(job->update.server == full_job().update.server);
        CHECK(job->update.key.secret == Buffer{1, 2, 3});
        CHECK(job->update.propagation_wait == std::chrono::milliseconds(1234));
        CHECK(job->resolvers[0].addresses == full_job().resolvers[0].addresses);
        CHECK(job->account_key_pem == Buffer{7, 8});
        CHECK(!job->dates_count);
    }

    TEST_CASE("a job without an account survives too") {
        Job job = full_job();
        job.account_key_pem.reset();
        const auto again = parse_job(octets_of(job));
        REQUIRE(again);
        CHECK(!again->account_key_pem);
    }

    TEST_CASE("an outcome survives the way back") {
        const Outcome outcome{
            "https://a.example/dir", {1},           "https://a.example/me",  {2, 3}, {4},
            "dns-update.badkey",     "no such key", std::chrono::seconds(60)};
        const Buffer message = octets_of(outcome);
        const auto again = parse_outcome(message);
        REQUIRE(again);
        CHECK(octets_of(*again) == message);
        CHECK(again->error_code == "dns-update.badkey");
        CHECK(again->retry_after == std::chrono::seconds(60));
    }

    TEST_CASE("every truncation is refused") {
        const Buffer job = octets_of(full_job());
        for (std::size_t size = 0; size < job.size(); ++size)
            CHECK(!parse_job(Bytes(job).first(size)));
        const Buffer outcome = octets_of(Outcome{});
        for (std::size_t size = 0; size < outcome.size(); ++size)
            CHECK(!parse_outcome(Bytes(outcome).first(size)));
    }
}

}  // namespace
}  // namespace porchlight::acme
