#include "acme/staple.h"

#include <doctest/doctest.h>

namespace porchlight::acme {
namespace {

template <class Message>
Buffer octets_of(const Message& message) {
    Writer out;
    write(out, message);
    return *out.take();
}

StapleJob full_job() {
    return {
        {1, 2}, {{*dns::parse_name("dns.example"), {{*parse_address("192.0.2.53"), 853}}}}, {3}};
}

TEST_SUITE("acme/staple") {
    TEST_CASE("a job survives the way to the role") {
        const Buffer message = octets_of(full_job());
        const auto job = parse_staple_job(message);
        REQUIRE(job);
        CHECK(octets_of(*job) == message);
        CHECK(job->chain_pem == Buffer{1, 2});
        CHECK(job->resolvers[0].addresses == full_job().resolvers[0].addresses);
        CHECK(job->upstream_roots_pem == Buffer{3});
    }

    TEST_CASE("an outcome survives the way back") {
        const auto outcome = parse_staple_outcome(octets_of(StapleOutcome{{4, 5}, "why", true}));
        REQUIRE(outcome);
        CHECK(outcome->response_der == Buffer{4, 5});
        CHECK(outcome->error == "why");
        CHECK(outcome->revoked);
    }

    TEST_CASE("every truncation is refused") {
        const Buffer job = octets_of(full_job());
        for (std::size_t size = 0; size < job.size(); ++size)
            CHECK(!parse_staple_job(Bytes(job).first(size)));
        const Buffer outcome = octets_of(StapleOutcome{});
        for (std::size_t size = 0; size < outcome.size(); ++size)
            CHECK(!parse_staple_outcome(Bytes(outcome).first(size)));
    }
}

}  // namespace
}  // namespace porchlight::acme
