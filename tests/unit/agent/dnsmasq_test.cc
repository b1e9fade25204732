#include "agent/dnsmasq.h"

#include <doctest/doctest.h>

#include "called_dnsmasq.h"

namespace porchlight::agent {
namespace {

const Dnsmasq::Settings settings{
    "/etc/dnsmasq.d/porchlight.conf", "/run/dnsmasq.pid", {}, "/run/porchlight/dnsmasq"};

std::string content(MemoryStorage& files, const std::string& path) {
    auto octets = files.read(path);
    return octets ? std::string(text_of(*octets)) : "none";
}

TEST_SUITE("agent/dnsmasq") {
    TEST_CASE("a dnsmasq that does not run yet finds everything when it starts") {
        MemoryStorage files;
        Dnsmasq dnsmasq(files, settings);
        CHECK(dnsmasq.feed("fragment", "options", "servers"));
        CHECK(content(files, settings.fragment) == "fragment");
        CHECK(content(files, dnsmasq.options_path()) == "options");
        CHECK(content(files, dnsmasq.servers_path()) == "servers");
    }

    TEST_CASE("letting it go empties the options, gives it other servers, removes the fragment") {
        MemoryStorage files;
        Dnsmasq dnsmasq(files, settings);
        REQUIRE(dnsmasq.feed("fragment", "options", "servers"));
        CHECK(dnsmasq.unfeed("former"));
        CHECK(content(files, settings.fragment) == "none");
        CHECK(content(files, dnsmasq.options_path()) == "");
        CHECK(content(files, dnsmasq.servers_path()) == "former");
        CHECK(dnsmasq.unfeed("former"));
    }

    TEST_CASE("after a power cut the fragment on flash goes too, and dnsmasq gets its servers") {
        MemoryStorage files;
        files.files[settings.fragment] = {'x'};
        Dnsmasq dnsmasq(files, settings);
        CHECK(dnsmasq.unfeed("former"));
        CHECK(content(files, settings.fragment) == "none");
        CHECK(content(files, dnsmasq.servers_path()) == "former");
    }

    TEST_CASE("where it was never fed nothing is made, and purging leaves nothing") {
        MemoryStorage files;
        Dnsmasq dnsmasq(files, settings);
        CHECK(dnsmasq.unfeed("former"));
        CHECK(files.files.empty());
        REQUIRE(dnsmasq.feed("fragment", "options", "servers"));
        REQUIRE(dnsmasq.unfeed("former"));
        CHECK(dnsmasq.purge());
        CHECK(files.files.empty());
    }

    TEST_CASE("one that seems not to have read the fragment is told all the same") {
        MemoryStorage files;
        Dnsmasq dnsmasq(files, settings);
        CalledDnsmasq running;
        const std::string pid = running.pid();
        const Bytes octets = bytes_of(pid);
        files.files[settings.pid_file].assign(octets.begin(), octets.end());
        CHECK(dnsmasq.feed("fragment", "options", "servers"));
        CHECK(!dnsmasq.takes("fragment"));
        const auto restarted = dnsmasq.restart();
        REQUIRE(!restarted);
        CHECK(restarted.error().message.find("restart it once") != std::string::npos);
        CHECK(running.was_told());
    }

    TEST_CASE("a pid file that outlived its process names nobody") {
        MemoryStorage files;
        const Dnsmasq dnsmasq(files, settings);
        CHECK(!dnsmasq.process());
        for (const char* text : {"", "junk", "0", "1", "999999999"}) {
            const Bytes octets = bytes_of(text);
            files.files[settings.pid_file].assign(octets.begin(), octets.end());
            CAPTURE(text);
            CHECK(!dnsmasq.process());
        }
    }

    TEST_CASE("who is asked once we are gone is the configuration's choice") {
        MemoryStorage files;
        Config config;
        config.dnsmasq.resolv_file = "/etc/resolv.conf";
        const Bytes text = bytes_of("nameserver 192.0.2.53\n");
        files.files["/etc/resolv.conf"].assign(text.begin(), text.end());
        CHECK(former_servers(config, files).find("server=192.0.2.53") != std::string::npos);
        config.dnsmasq.on_exit = OnExit::refuse;
        CHECK(former_servers(config, files).find("server=") == std::string::npos);
    }
}

}  // namespace
}  // namespace porchlight::agent
