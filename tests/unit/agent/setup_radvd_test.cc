#include "agent/setup_radvd.h"

#include <doctest/doctest.h>

namespace porchlight::agent::setup {
namespace {

using Words = std::vector<std::string>;

void put(MemoryStorage& storage, const std::string& path, std::string_view text) {
    const Bytes octets = bytes_of(text);
    storage.files[path] = Buffer(octets.begin(), octets.end());
}

TEST_SUITE("agent/setup_radvd") {
    TEST_CASE("interfaces count whose block switches advertising on") {
        CHECK(advertised_by_radvd("interface br-lan {\n"
                                  "    AdvSendAdvert on; # off;\n"
                                  "    prefix fd00::/64 { AdvOnLink on; };\n"
                                  "};\n"
                                  "interface eth1{MinRtrAdvInterval 3;};\n"
                                  "interface \"eth2\"\n{\nAdvSendAdvert\ton ; };\n"
                                  "interface eth3 { AdvSendAdvert off; };\n"
                                  "# interface eth4 { AdvSendAdvert on; };\n") ==
              Words{"br-lan", "eth2"});
    }

    TEST_CASE("a file that breaks off is read as far as it goes") {
        CHECK(advertised_by_radvd("").empty());
        CHECK(advertised_by_radvd("interface").empty());
        CHECK(advertised_by_radvd("interface a { AdvSendAdvert").empty());
        CHECK(advertised_by_radvd("interface a { AdvSendAdvert on") == Words{"a"});
        CHECK(advertised_by_radvd("}}} AdvSendAdvert on;").empty());
    }

    TEST_CASE("the file is the one that the command line names") {
        MemoryStorage storage;
        put(storage, "/etc/radvd.conf", "interface a { AdvSendAdvert on; };");
        put(storage, "/r/b.conf", "interface b { AdvSendAdvert on; };");
        CHECK(read_radvd({"-u", "radvd"}, "/", storage).interfaces == Words{"a"});
        for (const Words& words : {Words{"-n", "-C", "/r/b.conf"}, Words{"-C/r/b.conf"},
                                   Words{"--config", "/r/b.conf"}, Words{"--config=/r/b.conf"}}) {
            const RadvdFound found = read_radvd(words, "/", storage);
            CHECK(found.known);
            CHECK(found.config_file == "/r/b.conf");
            CHECK(found.interfaces == Words{"b"});
        }
    }

    TEST_CASE("where a relative path began, only a process that stayed there tells") {
        MemoryStorage storage;
        put(storage, "/r/b.conf", "interface b { AdvSendAdvert on; };");
        CHECK(read_radvd({"-C", "b.conf"}, "/r", storage).interfaces == Words{"b"});
        for (const char* directory : {"/", ""})
            CHECK(!read_radvd({"-C", "r/b.conf"}, directory, storage).known);
        CHECK(!read_radvd({"-C", "/nowhere"}, "/", storage).known);
    }
}

}  // namespace
}  // namespace porchlight::agent::setup
