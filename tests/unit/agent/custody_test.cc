#include "agent/custody.h"

#include "config_fixture.h"
#include "some_pair.h"

namespace porchlight::agent {
namespace {

constexpr WallTime now{std::chrono::seconds(1'795'000'000)};

StoredCertificate stored(const SomePair& pair, std::string origin = "chain.pem") {
    const auto octets = [](const std::string& text) {
        return Buffer(bytes_of(text).begin(), bytes_of(text).end());
    };
    return {std::move(origin), octets(pair.chain), octets(pair.key)};
}

struct Certificates {
    const StoredCertificate good = stored({now - day, now + day});
    const StoredCertificate newer = stored({now - day, now + 2 * day});
    const StoredCertificate expired = stored({now - 2 * day, now - day});
    const StoredCertificate early = stored({now + day, now + 3 * day});
    const StoredCertificate foreign = stored({now - day, now + day, "other.example.net"});
};
const char* const kept_origin = "chain.pem, as it was before";

Config config() {
    const ConfigResult parsed =
        parse(R"({"mode": "off", "resolver": {"adn": "cpe1.example.net"}})");
    REQUIRE(parsed.config);
    return *parsed.config;
}

/// What is there after files were read that hold `read`.
std::vector<StoredCertificate> after(const StoredCertificate& read,
                                     const std::vector<StoredCertificate>& before,
                                     bool dates_count = true) {
    std::vector<StoredCertificate> held{read};
    keep_former(held, before, config(), now, dates_count);
    return held;
}

Custody chosen(std::vector<StoredCertificate> held, WallTime wall = now, bool dates_count = true) {
    World world;
    world.certificates = std::move(held);
    return choose_certificate(config(), world, wall, dates_count);
}

TEST_SUITE("agent/custody") {
    TEST_CASE_FIXTURE(
        Certificates,
        "a good certificate takes the place of a good one, and nothing stays of that") {
        CHECK(after(newer, {good}) == std::vector{newer});
        const Custody custody = chosen(after(newer, {good}));
        CHECK(custody.status.fit);
        CHECK(custody.status.passed_over.empty());
        CHECK(custody.identity->chain_pem == newer.chain_pem);
    }

    TEST_CASE_FIXTURE(Certificates,
                      "one whose dates don't hold takes no fit one's place, and status says why") {
        const std::pair<const StoredCertificate*, std::string> unfit[] = {
            {&expired, "expired on"}, {&early, "not valid before"}};
        for (const auto& [read, why] : unfit) {
            CAPTURE(why);
            const auto held = after(*read, {good});
            REQUIRE(held.size() == 2);
            CHECK(held[0] == *read);
            CHECK(held[1].origin == kept_origin);
            const Custody custody = chosen(held);
            CHECK(custody.status.fit);
            CHECK(custody.status.origin == kept_origin);
            CHECK(custody.status.passed_over.starts_with(why));
            CHECK(custody.identity->chain_pem == good.chain_pem);
            CHECK(custody.identity->key_pem == good.key_pem);
        }
    }

    TEST_CASE_FIXTURE(Certificates,
                      "the good one stays through any number of others, until a good one comes") {
        auto held = after(expired, {good});
        CHECK(after(expired, held) == held);
        held = after(early, held);
        REQUIRE(held.size() == 2);
        CHECK(held[1].origin == kept_origin);
        CHECK(held[1].chain_pem == good.chain_pem);
        // What is there again counts as it stands there.
        CHECK(after(good, held) == std::vector{good});
        CHECK(after(newer, held) == std::vector{newer});
    }

    TEST_CASE_FIXTURE(
        Certificates,
        "where nothing before was fit, what was read is all there is, and is served") {
        CHECK(after(expired, {}) == std::vector{expired});
        CHECK(after(early, {expired}) == std::vector{early});
        CHECK(after(expired, {foreign}) == std::vector{expired});
        const Custody custody = chosen({expired});
        CHECK(!custody.status.fit);
        CHECK(custody.status.passed_over.empty());
        CHECK(custody.identity->chain_pem == expired.chain_pem);
    }

    TEST_CASE_FIXTURE(Certificates, "one for another name is served, and hosts are told no more") {
        CHECK(after(foreign, {good}) == std::vector{foreign});
        const Custody custody = chosen({foreign});
        CHECK(custody.status.why.starts_with("not for cpe1"));
        CHECK(custody.identity->chain_pem == foreign.chain_pem);
    }

    TEST_CASE_FIXTURE(Certificates, "one that begins later is taken when it does") {
        const auto held = after(early, {good});
        CHECK(chosen(held).identity->chain_pem == good.chain_pem);
        const Custody later = chosen(held, now + day);
        CHECK(later.status.fit);
        CHECK(later.status.passed_over.empty());
        CHECK(later.identity->chain_pem == early.chain_pem);
    }

    TEST_CASE_FIXTURE(
        Certificates,
        "without a clock dates condemn nothing, and nothing is lost before they can") {
        const auto held = after(expired, {good}, false);
        REQUIRE(held.size() == 2);
        CHECK(chosen(held, WallTime{}, false).identity->chain_pem == expired.chain_pem);
        CHECK(chosen(held, now, true).identity->chain_pem == good.chain_pem);
        CHECK(chosen(held, now, true).status.passed_over.starts_with("expired on"));
    }
}

}  // namespace
}  // namespace porchlight::agent
