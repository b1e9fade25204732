#include "forwarder/views.h"

#include <doctest/doctest.h>

#include "forwarder/messages.h"

namespace porchlight::forwarder {
namespace {

net::MacAddress mac(std::size_t number) {
    return {
        {2, 0, 0, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)}};
}

RebindingRules rules(std::vector<RebindingRules::Device> devices) {
    return {true,
            {name_of("shared.example")},
            {*net::parse_nat64_prefix("2001:db8:64::")},
            std::move(devices)};
}

}  // namespace

TEST_SUITE("forwarder/views") {
    TEST_CASE("without exceptions for devices there is one view, and nobody need be known") {
        const Views views(rules({}));
        CHECK(!views.differ());
        CHECK(views.of(mac(1)) == everybody);
        CHECK(views.rebinding(everybody) == rules({}));
    }

    TEST_CASE("a device has everybody's exceptions and its own, and nobody else has these") {
        const Views views(rules({{mac(1), {name_of("mine.example")}}}));
        REQUIRE(views.differ());
        const View mine = views.of(mac(1));
        CHECK(mine != everybody);
        CHECK(views.of(mac(2)) == everybody);
        RebindingRules wanted = rules({});
        CHECK(views.rebinding(everybody) == wanted);
        wanted.allow_domains = {name_of("mine.example"), name_of("shared.example")};
        CHECK(views.rebinding(mine) == wanted);
    }

    TEST_CASE("a device without domains may be led inward by any name") {
        const Views views(rules({{mac(1)}}));
        CHECK(!views.rebinding(views.of(mac(1))).block);
        CHECK(views.of(mac(0)) == everybody);
        CHECK(views.rebinding(everybody).block);
    }

    TEST_CASE("devices with the same exceptions share a view, in whichever order these stand") {
        const auto a = name_of("a.example"), b = name_of("b.example");
        const Views views(rules({{mac(3), {a, b}},
                                 {mac(1), {b, a, name_of("Shared.Example")}},
                                 {mac(2), {a}},
                                 {mac(5)},
                                 {mac(4)},
                                 {mac(6), {name_of("shared.example")}}}));
        CHECK(views.size() == 4);
        CHECK(views.of(mac(1)) == views.of(mac(3)));
        CHECK(views.of(mac(2)) != views.of(mac(3)));
        CHECK(views.of(mac(4)) == views.of(mac(5)));
        CHECK(views.of(mac(6)) == everybody);
    }

    TEST_CASE("whose exceptions everybody has is nobody in particular") {
        RebindingRules two = rules({{mac(1), {name_of("b.example")}}});
        two.allow_domains = {name_of("c.example"), name_of("b.example"), name_of("a.example")};
        CHECK(Views(two).of(mac(1)) == everybody);
    }

    TEST_CASE("views are bounded; whoever would need one more has everybody's") {
        std::vector<RebindingRules::Device> devices;
        for (std::size_t i = 1; i <= Views::views_max; ++i)
            devices.push_back({mac(i), {name_of(std::to_string(i) + ".example")}});
        const Views views(rules(devices));
        CHECK(views.size() == Views::views_max);
        CHECK(views.of(mac(Views::views_max - 1)) == Views::views_max - 1);
        CHECK(views.of(mac(Views::views_max)) == everybody);
        CHECK(views.rebinding(View{255}) == views.rebinding(everybody));
    }

    TEST_CASE("a device that says its id has its view by it, whoever it is by address") {
        const Views views(rules({{mac(1), {name_of("a.example")}},
                                 {{}, {name_of("a.example")}, "tablet"},
                                 {{}, {}, "tv"},
                                 {{}, {name_of("shared.example")}, "phone"}}));
        CHECK(views.size() == 3);
        CHECK(views.of_device("tablet") == views.of(mac(1)));
        CHECK(views.of_device("Tablet") == views.of(mac(1)));
        REQUIRE(views.of_device("tv"));
        CHECK(!views.rebinding(*views.of_device("tv")).block);
        // Known, and no exception all the same: that is not the same as unknown.
        CHECK(views.of_device("phone") == everybody);
        CHECK(views.of_device("radio") == std::nullopt);
        CHECK(views.of_device("") == std::nullopt);
        CHECK(views.of(mac(0)) == everybody);
    }

    TEST_CASE("where nothing is blocked nobody is an exception") {
        RebindingRules open = rules({{mac(1), {name_of("mine.example")}}});
        open.block = false;
        CHECK(!Views(open).differ());
    }
}

}  // namespace porchlight::forwarder
