#include "agent/config_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agent/config_edit.h"
#include "agent/state_files.h"
#include "agent/status.h"
#include "config_fixture.h"
#include "some_pair.h"

namespace porchlight::agent {
namespace {

constexpr WallTime now{std::chrono::seconds(1'795'000'000)};

class FixedTime : public TimeSource {
  public:
    Clock::time_point now() const override { return {}; }
    WallTime wall() const override { return porchlight::agent::now; }
    bool wall_trusted() const override { return true; }
};

/// A directory with every file that the configuration below names.
class Machine {
  public:
    Machine() {
        char name[] = "/tmp/porchlight-config-XXXXXX";
        folder = ::mkdtemp(name);
        const SomePair pair(now - day, now + day);
        put("chain.pem", pair.chain);
        put("key.pem", pair.key);
        put("roots.pem", pair.chain);
        put("dnsmasq.pid", "1\n");
        put("resolv.conf", "");
        set("/lan", R"([{"interface": "lo"}])");
        set("/dnsmasq/fragment", folder + "/porchlight.conf");
        set("/dnsmasq/pid_file", folder + "/dnsmasq.pid");
        set("/dnsmasq/resolv_file", folder + "/resolv.conf");
        set("/tls/roots", folder + "/roots.pem");
        set("/users/agent", "1");
        set("/users/forwarder", "2");
        set("/mode", "off");
        set("/upstream", R"([{"adn": "dns.isp.test", "addresses": "192.0.2.53"}])");
        set("/resolver/adn", "cpe1.example.net");
        set("/certificate/files",
            R"({"chain": ")" + folder + R"(/chain.pem", "key": ")" + folder + R"(/key.pem"})");
        set("/mode", "forwarder");
    }
    ~Machine() { std::filesystem::remove_all(folder); }
    Machine(const Machine&) = delete;

    void put(const std::string& name, const std::string& text, unsigned mode = 0600) {
        REQUIRE(storage.write_whole(folder + "/" + name, bytes_of(text), mode));
    }
    void set(std::string_view pointer, const std::string& value) {
        const config::Edited edited = config::set_value("f", bytes_of(json), pointer, value);
        for (const Complaint& complaint : edited.complaints) FAIL(to_text(complaint));
        json = edited.json;
    }
    /// All warnings, a line each, with "DIR" for the directory.
    std::string warnings() { return lines_of(examined().warnings); }
    /// Likewise what keeps porchlight from a start.
    std::string faults() { return lines_of(examined().faults); }

    std::string folder;
    std::string json = "{}";
    FileStorage storage;

  private:
    Fit examined() { return examine_machine("f", *parse(json).config, storage, FixedTime()); }
    std::string lines_of(const std::vector<Complaint>& complaints) {
        std::string lines;
        for (const auto& one : complaints) lines += one.pointer + ": " + one.text + '\n';
        for (std::size_t at; (at = lines.find(folder)) != lines.npos;)
            lines.replace(at, folder.size(), "DIR");
        return lines;
    }
};

TEST_SUITE("agent/config_files") {
    TEST_CASE("a machine that has everything earns no warning") {
        Machine machine;
        CHECK(machine.warnings() == "");
        CHECK(machine.faults() == "");
    }

    TEST_CASE("files that are missing are named with what they are for") {
        Machine machine;
        for (const char* file : {"dnsmasq.pid", "resolv.conf"})
            std::filesystem::remove(machine.folder + "/" + file);
        const std::string said = machine.warnings();
        for (std::string_view pointer : {"/dnsmasq/pid_file: ", "/dnsmasq/resolv_file: "}) {
            CAPTURE(said);
            CHECK(said.find(pointer) != said.npos);
        }
        CHECK(machine.faults() == "");
    }

    TEST_CASE("a file without which nothing starts is a fault, and the reading says the same") {
        for (const auto& [file, pointer] : {std::pair("chain.pem", "/certificate/files/chain"),
                                            std::pair("key.pem", "/certificate/files/key"),
                                            std::pair("roots.pem", "/tls/roots")}) {
            CAPTURE(file);
            Machine machine;
            const auto starts = [&] {
                const Buffer json(machine.json.begin(), machine.json.end());
                return bool(
                    read_named_files("f", *parse(machine.json).config, json, machine.storage));
            };
            CHECK(starts());
            std::filesystem::remove(machine.folder + "/" + file);
            CHECK(!starts());
            CHECK(machine.faults().starts_with(std::string(pointer) + ": cannot open DIR/" + file));
        }
    }

    TEST_CASE("a chain with a root of its own that nobody knows is remarked on") {
        Machine machine;
        machine.put("roots.pem", SomePair(now - day, now + day).chain);
        CHECK(machine.warnings() == "/certificate/files: " + unknown_root_text("") + "\n");
        CHECK(machine.faults() == "");
    }

    TEST_CASE("a key that everybody may read is told, one of a group's is not") {
        Machine machine;
        const std::string key = machine.folder + "/key.pem";
        ::chmod(key.c_str(), 0640);
        CHECK(machine.warnings() == "");
        ::chmod(key.c_str(), 0644);
        CHECK(machine.warnings() ==
              "/certificate/files/key: DIR/key.pem is readable by everybody; chmod 600 makes it "
              "yours alone\n");
    }

    TEST_CASE("a key of another certificate is told") {
        Machine machine;
        machine.put("key.pem", SomePair(now - day, now + day).key);
        CHECK(machine.warnings().starts_with("/certificate/files: "));
    }

    TEST_CASE("a certificate for another name is told") {
        Machine machine;
        machine.set("/resolver/adn", "cpe2.example.net");
        const std::string said = machine.warnings();
        CHECK(said.starts_with("/certificate/files: "));
        CHECK(said.find("cpe2.example.net") != said.npos);
    }

    TEST_CASE("interfaces, programs and users that are not there are told") {
        Machine machine;
        machine.set("/wan", R"([{"interface": "none0"}])");
        machine.set("/dnsmasq/restart", R"(["/no/program"])");
        machine.set("/dnsmasq/fragment", "/no/directory/porchlight.conf");
        machine.set("/users/agent", "no-such-user");
        const std::string said = machine.warnings();
        CAPTURE(said);
        CHECK(said.find("/wan/0/interface: there is no interface none0\n") != said.npos);
        CHECK(said.find("/dnsmasq/restart/0: there is no program /no/program\n") != said.npos);
        CHECK(said.find("/dnsmasq/fragment: there is no directory /no/directory;") != said.npos);
        const bool as_root = ::geteuid() == 0;
        CHECK((said.find("/users/agent: there is no user no-such-user\n") != said.npos) == as_root);
    }

    TEST_CASE("what belongs to dnsmasq does not matter where hosts are told nothing by DHCP") {
        Machine machine;
        std::filesystem::remove(machine.folder + "/dnsmasq.pid");
        machine.set("/announce/dhcpv4", "off");
        machine.set("/announce/dhcpv6", "off");
        CHECK(machine.warnings() == "");
    }

    TEST_CASE("a group that hears of more than its own resolvers is told by whom") {
        Machine machine;
        machine.set("/announce/groups", R"([{"tag": "kids"}])");
        CHECK(machine.warnings().starts_with("/announce/groups: Router Advertisements can't tell"));
        machine.set("/announce/ra", "off");
        CHECK(machine.warnings().starts_with("/announce/groups: DNS can't tell hosts apart"));
        machine.set("/announce/ddr", "false");
        CHECK(machine.warnings() == "");
        machine.set("/announce/ddr", "true");
        machine.set("/announce/resolvers", R"([{"adn": "dns.example.org"}])");
        machine.set("/mode", "static");
        CHECK(machine.warnings().find("DNS can't tell") == std::string::npos);
        machine.set("/mode", "forwarder");
        machine.set("/announce", R"({"dhcpv6": "odhcpd", "groups": [{"tag": "kids"}]})");
        machine.set("/odhcpd/uci", "/bin/true");
        CHECK(machine.warnings().starts_with("/announce/groups: odhcpd can't tell hosts apart"));
    }

    TEST_CASE("a TSIG secret must be there, private and in base64") {
        Machine machine;
        machine.set("/mode", "off");
        machine.set("/certificate/files", "null");
        machine.set("/certificate/acme", R"({"directory": "https://ca.example/dir",
            "agree_to_terms": true, "challenge": {"dns-01": {"rfc2136": {"server": "192.0.2.1",
            "zone": "example.net", "tsig": {"name": "cpe1", "secret": {"file": ")" +
                                             machine.folder + R"(/tsig.key"}}}}}})");
        const std::string at = std::string(tsig_secret_pointer) + "/file: ";
        CHECK(machine.faults().starts_with(at + "cannot open DIR/tsig.key"));
        machine.put("tsig.key", "c2VjcmV0\n");
        CHECK(machine.warnings() == "");
        machine.put("tsig.key", "\n");
        CHECK(machine.faults() == at + "DIR/tsig.key is empty\n");
        machine.put("tsig.key", "key \"cpe1\" { secret \"c2VjcmV0\"; };\n");
        CHECK(machine.warnings() ==
              at + "DIR/tsig.key does not hold a key in base64 and nothing else\n");
        machine.put("tsig.key", "c2VjcmV0\n", 0604);
        CHECK(machine.warnings().find("readable by everybody") != std::string::npos);
        CHECK(machine.warnings().find("c2VjcmV0") == std::string::npos);
        machine.put("tsig.key", "c2VjcmV0\n");
        machine.set("/certificate/acme/agree_to_terms", "false");
        CHECK(machine.warnings().starts_with("/certificate/acme/agree_to_terms: is false"));
    }

    TEST_CASE("an id that a device can say neither by a name nor in a path is pointed out") {
        Machine machine;
        machine.set("/rebinding/allow_devices",
                    R"([{"id": "tablet"}, {"mac": "02:00:5e:10:00:01"}])");
        const std::string uncovered =
            "/rebinding/allow_devices/0/id: the certificate of certificate.files does not cover "
            "tablet.cpe1.example.net, the only name by which this device can say its id: without "
            "resolver.doh it has no path to say it in\n";
        CHECK(machine.warnings() == uncovered);
        // A path needs no name of its own.
        machine.set("/resolver/doh", "[{}]");
        CHECK(machine.warnings() == "");
        machine.set("/resolver/doh", "[]");
        const SomePair wildcard(now - day, now + day, "*.cpe1.example.net,DNS:cpe1.example.net");
        machine.put("chain.pem", wildcard.chain);
        machine.put("roots.pem", wildcard.chain);
        machine.put("key.pem", wildcard.key);
        CHECK(machine.warnings() == "");
        machine.set("/certificate", R"({"acme": {"directory": "https://ca.example/dir",
            "agree_to_terms": true, "challenge": {"dns-01": {"rfc2136": {"server": "192.0.2.1",
            "zone": "example.net", "tsig": {"name": "cpe1", "secret": {"file": ")" +
                                        machine.folder + R"(/tsig.key"}}}}}}})");
        machine.put("tsig.key", "c2VjcmV0\n");
        CHECK(machine.warnings().find("certificate.acme orders does not cover tablet.cpe1") !=
              std::string::npos);
    }

    TEST_CASE("a guard that has nothing to guard is told of") {
        Machine machine;
        machine.set("/dnsmasq/lease_file", machine.folder + "/leases");
        machine.set("/guard", R"({"validate_sources": true, "trusted_ports": ["lo", "lan77"]})");
        const std::string not_there = "/guard/trusted_ports/1: there is no interface lan77 now\n";
        const std::string no_bridge =
            "/guard: lo is no bridge; what its hosts send each other can't be stopped here\n";
        CHECK(machine.warnings() ==
              not_there +
                  "/dnsmasq/lease_file: there is no file DIR/leases; guard.validate_sources then "
                  "keeps this router's addresses alone\n" +
                  no_bridge);
        machine.put("leases", "");
        CHECK(machine.warnings() == not_there + no_bridge);
        machine.set("/guard", R"({"trusted_ports": ["lo"]})");
        CHECK(machine.warnings() == "");
    }

    TEST_CASE("roots without a certificate are told") {
        Machine machine;
        machine.put("roots.pem", "nothing\n");
        CHECK(machine.warnings() ==
              "/certificate/files: " + unknown_root_text("") +
                  "\n/tls/roots: expected certificates of authorities, as PEM, in DIR/roots.pem, "
                  "found none; a reload would be refused\n");
    }

    TEST_CASE("a bundle of roots may hold a broken entry, but not that alone") {
        Machine machine;
        const std::string broken =
            "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n";
        const SomePair pair(now - day, now + day);
        machine.put("chain.pem", pair.chain);
        machine.put("key.pem", pair.key);
        machine.put("roots.pem", broken + pair.chain);
        CHECK(machine.warnings() == "");
        machine.put("roots.pem", broken);
        CHECK(machine.warnings().find("/tls/roots: expected") != std::string::npos);
    }

    TEST_CASE("resolvers that no host will be told of are pointed out") {
        Machine machine;
        machine.set("/announce/resolvers", R"([{"adn": "dns.example.org"}])");
        CHECK(machine.warnings() == "/announce/resolvers: has no effect: mode is not \"static\"\n");
    }
}

}  // namespace
}  // namespace porchlight::agent
