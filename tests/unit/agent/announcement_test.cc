#include "agent/announcement.h"

#include <doctest/doctest.h>

#include "ra/options.h"

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

const Clock::time_point begin = Clock::time_point(1000s);

dns::EncryptedResolver resolver(std::uint16_t priority, const char* adn, const char* address) {
    dns::EncryptedResolver made;
    made.priority = priority;
    made.adn = *dns::parse_name(adn);
    made.addresses = {*parse_address(address)};
    made.params.alpn = {"dot"};
    return made;
}

/// Told by Router Advertisement in these forms.
Config config(std::vector<dns::Format> formats) {
    Config made;
    made.lan = {{"br-lan"}};
    made.announce.forms.formats = std::move(formats);
    made.announce.dhcpv4 = DhcpCarrier::dnsmasq;
    made.announce.dhcpv6 = DhcpCarrier::dnsmasq;
    made.announce.ra = RaCarrier::supplement;
    return made;
}

Plan offered(std::vector<Clock::time_point> ends) {
    Plan plan;
    plan.mode = Mode::static_;
    // The second is preferred, so that its option comes first.
    plan.links = {
        {"br-lan",
         {resolver(2, "slow.example", "2001:db8::1"), resolver(1, "fast.example", "2001:db8::2")},
         "",
         std::move(ends)}};
    return plan;
}

std::vector<std::chrono::seconds> lifetimes(const ra::TimedOptions& told, Clock::time_point now) {
    std::vector<std::chrono::seconds> found;
    for (const Buffer& unit : told.units)
        for (const Buffer& option : ra::options_of(told.ends.as_of(unit, now)))
            found.push_back(ra::lifetime(option));
    return found;
}

using Lifetimes = std::vector<std::chrono::seconds>;

TEST_SUITE("agent/announcement") {
    TEST_CASE("an RA tells of no resolver for longer than it is offered") {
        const Config rfc = config({dns::Format::rfc9463});
        const auto told = announce(rfc, offered({begin + 600s, begin + 60s})).ra.at("br-lan");
        CHECK(lifetimes(told, begin) == Lifetimes{60s, 600s});
        CHECK(lifetimes(told, begin + 10s) == Lifetimes{50s, 590s});
        CHECK(lifetimes(told, begin + 90s) == Lifetimes{0s, 510s});
        const auto half =
            announce(rfc, offered({begin + 600s, Clock::time_point::max()})).ra.at("br-lan");
        CHECK(lifetimes(half, begin) == Lifetimes{1800s, 600s});
        // Control: without ends, ours.
        CHECK(lifetimes(announce(rfc, offered({})).ra.at("br-lan"), begin) ==
              Lifetimes{1800s, 1800s});
    }

    TEST_CASE("both options of the draft's form end together") {
        const auto told =
            announce(config({dns::Format::draft_btw_11}), offered({begin + 600s, begin + 60s}))
                .ra.at("br-lan");
        CHECK(told.units.size() == 2);
        CHECK(lifetimes(told, begin) == Lifetimes{60s, 60s, 600s, 600s});
    }

    TEST_CASE("DHCP says nothing of ends") {
        const Config rfc = config({dns::Format::rfc9463});
        CHECK(announce(rfc, offered({begin + 600s, begin + 60s})).dnsmasq_options ==
              announce(rfc, offered({})).dnsmasq_options);
    }

    TEST_CASE("an end that moves makes no other plan, a resolver more does") {
        const Plan a = offered({begin + 600s, begin + 60s});
        Plan b = offered({begin + 700s, begin + 70s});
        CHECK(a != b);
        CHECK(same_but_for_ends(a, b));
        CHECK(same_but_for_ends(a, offered({})));
        b.links[0].resolvers[0].priority = 3;
        CHECK(!same_but_for_ends(a, b));
    }
}

}  // namespace
}  // namespace porchlight::agent
