#include "agent/setup_dnsmasq.h"

#include <doctest/doctest.h>

namespace porchlight::agent::setup {
namespace {

using Words = std::vector<std::string>;

void put(MemoryStorage& storage, const std::string& path, std::string_view text) {
    const Bytes octets = bytes_of(text);
    storage.files[path] = Buffer(octets.begin(), octets.end());
}

TEST_SUITE("agent/setup_dnsmasq") {
    TEST_CASE("Debian's: all on the command line, restarted as systemd's unit") {
        MemoryStorage storage;
        put(storage, "/etc/dnsmasq.conf", "#conf-dir=/etc/nowhere\n");
        put(storage, "/etc/dnsmasq.d/home",
            "interface=br-lan # the home\ndomain = \"home.example\"\n");
        put(storage, "/etc/dnsmasq.d/home.dpkg-old", "interface=eth9\n");
        const DnsmasqFound found =
            read_dnsmasq({{"-x", "/run/dnsmasq/dnsmasq.pid", "-u", "dnsmasq", "-7",
                           "/etc/dnsmasq.d,.dpkg-dist,.dpkg-old,.dpkg-new", "-r",
                           "/run/dnsmasq/resolv.conf", "--local-service"},
                          "0::/system.slice/dnsmasq.service\n",
                          true},
                         storage);
        CHECK(found.config_file == "/etc/dnsmasq.conf");
        CHECK(found.fragment == "/etc/dnsmasq.d/porchlight.conf");
        CHECK(found.pid_file == "/run/dnsmasq/dnsmasq.pid");
        CHECK(found.resolv_file == "/run/dnsmasq/resolv.conf");
        CHECK(found.lease_file == "/var/lib/misc/dnsmasq.leases");
        CHECK(found.interfaces == Words{"br-lan"});
        CHECK(found.domain == "home.example");
        CHECK(found.restart == Words{"systemctl", "restart", "dnsmasq"});
    }

    TEST_CASE("OpenWrt's: a generated file and an init script") {
        MemoryStorage storage;
        put(storage, "/var/etc/dnsmasq.conf.cfg01411c",
            "conf-dir=/tmp/dnsmasq.d\ndhcp-leasefile=/tmp/dhcp.leases\nresolv-file=/tmp/"
            "resolv.conf.d/"
            "resolv.conf.auto\ndomain=lan\n");
        const DnsmasqFound found = read_dnsmasq({{"-C", "/var/etc/dnsmasq.conf.cfg01411c", "-k",
                                                  "-x", "/var/run/dnsmasq/dnsmasq.cfg01411c.pid"},
                                                 "",
                                                 true},
                                                storage);
        CHECK(found.fragment == "/tmp/dnsmasq.d/porchlight.conf");
        CHECK(found.pid_file == "/var/run/dnsmasq/dnsmasq.cfg01411c.pid");
        CHECK(found.lease_file == "/tmp/dhcp.leases");
        CHECK(found.resolv_file == "/tmp/resolv.conf.d/resolv.conf.auto");
        CHECK(found.restart == Words{"/etc/init.d/dnsmasq", "restart"});
    }

    TEST_CASE("options stand in every form that getopt takes, and files have the last word") {
        MemoryStorage storage;
        put(storage, "/d/dnsmasq.conf", "pid-file=/d/file.pid\nconf-dir=/d/conf.d/,*.cnf\n");
        for (const Words& words :
             {Words{"-C/d/dnsmasq.conf", "-x/d/line.pid"},
              Words{"--conf-file=/d/dnsmasq.conf", "--pid-file=/d/line.pid"},
              Words{"--conf-file", "/d/dnsmasq.conf", "--pid-file", "/d/line.pid"}}) {
            const DnsmasqFound found = read_dnsmasq({words, "", true}, storage);
            CHECK(found.config_file == "/d/dnsmasq.conf");
            CHECK(found.pid_file == "/d/file.pid");
            CHECK(found.fragment == "/d/conf.d/porchlight.cnf");
            CHECK(found.restart.empty());  // the init script has nothing to do with this one
        }
    }

    TEST_CASE("without a conf-dir there is no place for a file of ours") {
        MemoryStorage storage;
        CHECK(read_dnsmasq({{"--no-resolv", "-i"}, "", false}, storage) == DnsmasqFound());
        // Nor where it leaves every name out that we could take.
        put(storage, "/etc/dnsmasq.conf", "conf-dir=/d,.conf\nconf-dir=relative\n");
        CHECK(read_dnsmasq({}, storage).fragment.empty());
    }

    TEST_CASE("relative paths begin where dnsmasq began, unless it has gone to /") {
        MemoryStorage storage;
        put(storage, "/d/home.conf", "conf-dir=parts,*.conf\nconf-file=more\npid-file=d.pid\n");
        put(storage, "/d/more", "resolv-file=r.conf\n");
        put(storage, "/d/parts/a.conf", "interface=br-lan\n");
        const Words words{"-d", "-C", "home.conf"};
        const DnsmasqFound stayed = read_dnsmasq({words, "", false, "/d"}, storage);
        CHECK(stayed.config_file == "/d/home.conf");
        CHECK(stayed.fragment == "/d/parts/porchlight.conf");
        CHECK(stayed.interfaces == Words{"br-lan"});
        CHECK(stayed.pid_file == "/d/d.pid");
        CHECK(stayed.resolv_file == "/d/r.conf");
        CHECK(stayed.unread.empty());
        for (const char* directory : {"/", ""}) {
            const DnsmasqFound left = read_dnsmasq({words, "", false, directory}, storage);
            CHECK(left.unread == Words{"conf-file=home.conf"});
            CHECK(left.fragment.empty());
        }
        // These it opens later, from where it is then.
        const DnsmasqFound daemon = read_dnsmasq(
            {{"-x", "d.pid", "-C", "/d/more", "-7", "parts"}, "", false, "/"}, storage);
        CHECK(daemon.pid_file == "/d.pid");
        CHECK(daemon.resolv_file == "/r.conf");
        CHECK(daemon.unread == Words{"conf-dir=parts"});
    }

    TEST_CASE("what it serves by DHCP and RA stands in lines and flags") {
        MemoryStorage storage;
        put(storage, "/etc/dnsmasq.conf",
            "enable-ra\ndhcp-range=fd00::,ra-only\ndhcp-range=lan\nno-dhcp-interface=eth1\n"
            "no-dhcpv4-interface=eth2\nno-dhcpv6-interface = eth3, eth4\n");
        const DnsmasqFound found =
            read_dnsmasq({{"-F", "192.168.1.100,192.168.1.199"}, "", false}, storage);
        CHECK(found.enable_ra);
        REQUIRE(found.ranges.size() == 2);
        CHECK(found.ranges[0].dhcp);
        CHECK(found.ranges[1].advertised);
        CHECK(found.no_dhcpv4 == Words{"eth1", "eth2"});
        CHECK(found.no_dhcpv6 == Words{"eth1", "eth3", "eth4"});
        CHECK(!read_dnsmasq({{"-C", "/nowhere"}, "", false}, storage).enable_ra);
        CHECK(read_dnsmasq({{"-C", "/nowhere", "--enable-ra"}, "", false}, storage).enable_ra);
    }

    TEST_CASE("files that name each other in a circle come to an end") {
        MemoryStorage storage;
        put(storage, "/etc/dnsmasq.conf", "conf-file=/etc/dnsmasq.conf\ninterface=br-lan\n");
        CHECK(!read_dnsmasq({}, storage).interfaces.empty());
    }

    TEST_CASE("a dnsmasq of another service's is not restarted") {
        MemoryStorage storage;
        for (const char* cgroups : {"0::/system.slice/NetworkManager.service\n", "0::/\n", ""})
            CHECK(read_dnsmasq({{}, cgroups, false}, storage).restart.empty());
        CHECK(
            read_dnsmasq({{}, "1:name=systemd:/system.slice/dnsmasq@lan.service\n", false}, storage)
                .restart.back() == "dnsmasq@lan");
    }

    TEST_CASE("it serves the interfaces that it names, else all but those it leaves out") {
        DnsmasqFound found;
        CHECK(serves(found, "br-lan"));
        found.interfaces = {"br-*", "eth1"};
        found.except_interfaces = {"br-guest"};
        CHECK(serves(found, "br-lan"));
        CHECK(serves(found, "eth1"));
        CHECK(!serves(found, "eth10"));
        CHECK(!serves(found, "br-guest"));
    }
}

}  // namespace
}  // namespace porchlight::agent::setup
