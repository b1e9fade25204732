#include "agent/keeper_protocol.h"

#include <doctest/doctest.h>

namespace porchlight::agent {
namespace {

World full_world() {
    World world;
    world.config_file = "/etc/porchlight/porchlight.json";
    world.config_json = {'{', '}'};
    world.secrets = {{"/certificate", {1, 2, 3}}, {"/other", {}}};
    world.roots_pem = Buffer(70000, 'r');
    world.acme_roots_pem = {'a'};
    world.certificates = {{"generation 2", {'c'}, {'k'}}, {"generation 1", {'d'}, {'l'}}};
    world.account = {4};
    world.schedule = {5};
    world.announced = {6};
    world.dhcp_options = {7};
    world.odhcpd = {8};
    world.upstreams = {9};
    world.found.odhcpd = true;
    world.prefixes = {9};
    world.wan = {{"eth0.dhcpv4.json", {10}}, {"eth0.user.json", {}}};
    return world;
}

template <class Message>
Buffer octets(const Message& message) {
    Writer out;
    write(out, message);
    return *out.take();
}

TEST_SUITE("agent/keeper_protocol") {
    TEST_CASE("the keeper's facts survive a round trip") {
        const World world = full_world();
        auto parsed = parse_world(octets(world));
        REQUIRE(parsed);
        CHECK(*parsed == world);
        CHECK(*parse_world(octets(World())) == World());
    }

    TEST_CASE("processes and lists do too") {
        const Processes processes{1,
                                  2,
                                  3,
                                  4,
                                  5,
                                  true,
                                  "dnsmasq is not fed",
                                  true,
                                  "odhcpd is not running",
                                  {"no space"},
                                  true,
                                  false,
                                  {{{7, 8, 9, 10}}, 11},
                                  true};
        CHECK(*parse_processes(octets(processes)) == processes);
        const std::vector<std::string> names{"br-lan", "br-guest", ""};
        CHECK(*parse_names(octets(names)) == names);
        const StoredParts parts{{"chain.pem", {1}}, {"key.pem", {}}};
        CHECK(*parse_stored_parts(octets(parts)) == parts);
    }

    TEST_CASE("every truncation is refused, and so is anything behind the end") {
        World world = full_world();
        world.roots_pem = {'r'};
        Buffer whole = octets(world);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(size);
            CHECK(!parse_world(Bytes(whole).first(size)));
        }
        whole.push_back(0);
        CHECK(!parse_world(whole));
    }
}

}  // namespace
}  // namespace porchlight::agent
