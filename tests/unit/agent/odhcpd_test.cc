#include "agent/odhcpd.h"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/announcement.h"
#include "config_fixture.h"

namespace porchlight::agent {
namespace {

namespace fs = std::filesystem;
using Entries = std::vector<dhcp::OdhcpdEntry>;

const Entries first{{"lan", "1  a.example fd77::1 alpn=dot"}};
const Entries second{{"lan", "1  b.example"}, {"guest", "1  b.example"}};

/// A program in UCI's place, with sections lan and guest, that keeps what it is told, as long as
/// that is staged where it does not mix with what others staged.
class ProgramForUci {
  public:
    ProgramForUci() {
        char folder[] = "/tmp/porchlight-uci-XXXXXX";
        REQUIRE(::mkdtemp(folder) != nullptr);
        folder_ = folder;
        std::ofstream(path()) << "#!/bin/sh\ncd " << folder_.string() << R"(
[ "$1 $2" = "-t /run/uci" ] || exit 1
shift 2
case "$*" in
"show dhcp")
    [ ! -e broken ] || { echo "uci: Parse error" >&2; exit 1; }
    echo look >> looks
    echo "dhcp.lan=dhcp"; cat lan; echo "dhcp.guest=dhcp" ;;
batch) cat >> said ;;
"commit dhcp") [ ! -e full ] || { echo "uci: I/O error" >&2; exit 1; }; echo commit >> said ;;
*) exit 1 ;;
esac
)";
        fs::permissions(path(), fs::perms::owner_all);
        show("'9 own.example'");
    }
    ~ProgramForUci() { fs::remove_all(folder_); }
    ProgramForUci(const ProgramForUci&) = delete;
    ProgramForUci& operator=(const ProgramForUci&) = delete;

    std::string path() const { return folder_ / "uci"; }
    void break_configuration() { std::ofstream(folder_ / "broken"); }
    void mend_configuration() { fs::remove(folder_ / "broken"); }
    /// What it shows of section lan's list.
    void show(std::string_view values) {
        std::ofstream(folder_ / "lan") << "dhcp.lan.dnr=" << values << "\n";
    }
    /// How often it was looked into since the last call.
    std::size_t looks() {
        const std::string text = take("looks");
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }
    void fill_flash() { std::ofstream(folder_ / "full"); }
    void empty_flash() { fs::remove(folder_ / "full"); }
    /// What it was told since the last call.
    std::string said() { return take("said"); }

  private:
    std::string take(const char* file) {
        std::stringstream text;
        text << std::ifstream(folder_ / file).rdbuf();
        fs::remove(folder_ / file);
        return text.str();
    }
    fs::path folder_;
};

Odhcpd::Settings settings(const ProgramForUci& uci) {
    return {uci.path(), "/state/odhcpd", "/run/uci"};
}

/// A process that is called odhcpd and ends well once it got SIGHUP, within ten seconds.
pid_t start_called_odhcpd() {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        sigset_t hang_up;
        sigemptyset(&hang_up);
        sigaddset(&hang_up, SIGHUP);
        sigprocmask(SIG_BLOCK, &hang_up, nullptr);
        ::prctl(PR_SET_NAME, "odhcpd");
        const bool said = ::write(ready[1], "r", 1) == 1;
        const timespec limit{10, 0};
        ::_exit(said && ::sigtimedwait(&hang_up, nullptr, &limit) == SIGHUP ? 0 : 1);
    }
    ::close(ready[1]);
    char word = 0;
    CHECK(::read(ready[0], &word, 1) == 1);
    ::close(ready[0]);
    return pid;
}

bool ended_well(pid_t pid) {
    int status = 1;
    ::waitpid(pid, &status, 0);
    return status == 0;
}

std::string journal(MemoryStorage& files) {
    const auto octets = files.read("/state/odhcpd");
    return octets ? std::string(text_of(*octets)) : "none";
}

TEST_SUITE("agent/odhcpd") {
    TEST_CASE("UCI is told once, and only of what changes") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        CHECK(odhcpd.feed({}));
        CHECK(uci.said().empty());
        CHECK(odhcpd.feed(first).error().message == "odhcpd is not running");
        CHECK(uci.said() == "add_list dhcp.lan.dnr='1  a.example fd77::1 alpn=dot'\ncommit\n");
        CHECK(journal(files) == dhcp::odhcpd_text(first));
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(uci.said().empty());
        CHECK(!odhcpd.feed(second));
        CHECK(uci.said() ==
              "del_list dhcp.lan.dnr='1  a.example fd77::1 alpn=dot'\n"
              "add_list dhcp.lan.dnr='1  b.example'\n"
              "add_list dhcp.guest.dnr='1  b.example'\ncommit\n");
        CHECK(odhcpd.feed({}));
        CHECK(uci.said() ==
              "del_list dhcp.lan.dnr='1  b.example'\n"
              "del_list dhcp.guest.dnr='1  b.example'\ncommit\n");
        CHECK(journal(files) == "none");
    }

    TEST_CASE("another process knows what to take back, wherever the first one ended") {
        ProgramForUci uci;
        MemoryStorage files;
        CHECK(!Odhcpd(files, settings(uci)).feed(first));
        uci.fill_flash();
        CHECK(Odhcpd(files, settings(uci)).feed(second).error().message.find("I/O error") !=
              std::string::npos);
        // Both may stand now.
        Entries both = first;
        both.insert(both.end(), second.begin(), second.end());
        CHECK(journal(files) == dhcp::odhcpd_text(both));
        uci.empty_flash();
        uci.said();
        CHECK(Odhcpd(files, settings(uci)).feed({}));
        CHECK(uci.said() == dhcp::uci_batch(both, {}) + "commit\n");
        CHECK(journal(files) == "none");
    }

    TEST_CASE("a damaged journal is kept until UCI has said what looks like ours") {
        ProgramForUci uci;
        MemoryStorage files;
        const Buffer damaged = {'l', 'a', 'n', 0, '\n'};
        files.files["/state/odhcpd"] = damaged;
        uci.show("'9 own.example' '1  a.example fd77::1 alpn=dot' '2  old.example'");
        uci.break_configuration();
        CHECK(!Odhcpd(files, settings(uci)).feed({}));
        CHECK(files.files["/state/odhcpd"] == damaged);
        CHECK(uci.said().empty());
        uci.mend_configuration();
        uci.fill_flash();
        const Entries found{first[0], {"lan", "2  old.example"}};
        CHECK(!Odhcpd(files, settings(uci)).feed({}));
        CHECK(journal(files) == dhcp::odhcpd_text(found));
        uci.empty_flash();
        uci.said();
        files.files["/state/odhcpd"] = damaged;
        CHECK(Odhcpd(files, settings(uci)).feed({}));
        CHECK(uci.said() == dhcp::uci_batch(found, {}) + "commit\n");
        CHECK(journal(files) == "none");
        files.files["/state/odhcpd"] = damaged;
        CHECK(!Odhcpd(files, settings(uci)).feed(second));
        CHECK(uci.said() == dhcp::uci_batch(found, second) + "commit\n");
        CHECK(journal(files) == dhcp::odhcpd_text(second));
    }

    TEST_CASE("UCI is looked into once, however much there is to tell") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        CHECK(!odhcpd.feed({second[0], {"lan", "2  c.example"}, second[1]}));
        CHECK(uci.looks() == 1);
        CHECK(!odhcpd.feed(odhcpd.wanted()));
        CHECK(uci.looks() == 0);
    }

    TEST_CASE("the journal stays until odhcpd was told") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        CHECK(!odhcpd.feed(first));
        uci.said();
        const pid_t pid = start_called_odhcpd();
        // The journal can be written before UCI is changed, and can't be removed behind that.
        files.fail_after = 1;
        CHECK(!odhcpd.feed({}));
        CHECK(ended_well(pid));
        CHECK(journal(files) == dhcp::odhcpd_text(first));
        CHECK(uci.said() == dhcp::uci_batch(first, {}) + "commit\n");
        files.fail_after = -1;
        CHECK(odhcpd.feed({}));
        CHECK(uci.said().empty());
        CHECK(journal(files) == "none");
    }

    TEST_CASE("nothing is written to UCI that the journal could not take") {
        ProgramForUci uci;
        MemoryStorage files;
        files.fail_after = 0;
        CHECK(!Odhcpd(files, settings(uci)).feed(first));
        CHECK(uci.said().empty());
    }

    TEST_CASE("a section that is not there is named, and the others are served") {
        ProgramForUci uci;
        MemoryStorage files;
        Odhcpd odhcpd(files, settings(uci));
        const auto fed = odhcpd.feed({{"nowhere", "1  b.example"}, second[1]});
        REQUIRE(!fed);
        CHECK(fed.error().message ==
              "OpenWrt's configuration dhcp has no section nowhere: name the right one in lan's "
              "uci_section");
        CHECK(uci.said() == "add_list dhcp.guest.dnr='1  b.example'\ncommit\n");
    }

    TEST_CASE("without the program nothing can be told, and nothing is remembered") {
        MemoryStorage files;
        const auto fed = Odhcpd(files, {"/no/such/uci", "/state/odhcpd", "/run/uci"}).feed(first);
        REQUIRE(!fed);
        CHECK(fed.error().code == Errc::unavailable);
        CHECK(journal(files) == "none");
    }

    TEST_CASE("odhcpd reads its configuration again") {
        ProgramForUci uci;
        MemoryStorage files;
        const pid_t pid = start_called_odhcpd();
        CHECK(Odhcpd(files, settings(uci)).feed(first));
        CHECK(ended_well(pid));
    }
}

constexpr std::string_view openwrt = R"({
  "lan": [{"interface": "br-lan"}, {"interface": "wlan0-1", "uci_section": "guest"}],
  "announce": {"dhcpv6": "odhcpd", "ra": "odhcpd",
               "resolvers": [{"adn": "dns.example.org", "addresses": ["192.0.2.53", "2001:db8::53"],
                              "dot": {}}]}})";

TEST_SUITE("agent/odhcpd configuration") {
    TEST_CASE("the agent's wishes reach the sections of the home's links alone") {
        const auto config = parse(openwrt).config;
        REQUIRE(config);
        CHECK(config->lan[0].uci_section == "lan");
        CHECK(entries_for(*config, "lan 1  a.example\nwan 1  a.example\nguest 1  a.example\n") ==
              Entries{{"lan", "1  a.example"}, {"guest", "1  a.example"}});
        CHECK(entries_for(*config, "lan 1' a.example\n").empty());
        Config other = *config;
        other.announce.dhcpv6 = DhcpCarrier::dnsmasq;
        other.announce.ra = RaCarrier::off;
        CHECK(entries_for(other, "lan 1  a.example\n").empty());
    }

    TEST_CASE("odhcpd alone carries what it is chosen for") {
        const auto config = parse(openwrt).config;
        REQUIRE(config);
        Plan whole;
        dns::EncryptedResolver resolver{1,
                                        *dns::parse_name("dns.example.org"),
                                        {*parse_ipv4("192.0.2.53"), *parse_ipv6("2001:db8::53")},
                                        {}};
        resolver.params.alpn = {"dot"};
        whole.links = {{"br-lan", {resolver}, ""}, {"wlan0-1", {}, "its mode is off"}};
        const Announcement made = announce(*config, whole);
        CHECK(made.odhcpd_lists ==
              "lan 1  dns.example.org 2001:db8::53 alpn=dot port=853 "
              "_lifetime=1800\n");
        CHECK(made.ra.empty());
        CHECK(made.dnsmasq_options.find("option6:144") == std::string::npos);
        CHECK(made.dnsmasq_options.find(",162,") != std::string::npos);
        std::string rows;
        for (const CarrierStatus& row : made.carriers)
            rows += row.link + " " + row.carrier + (row.by_odhcpd ? " odhcpd " : " ") +
                    (row.announced ? "yes" : row.why) + "\n";
        CHECK(rows ==
              "br-lan dhcpv4 yes\nwlan0-1 dhcpv4 its mode is off\n"
              "br-lan dhcpv6 odhcpd yes\nbr-lan ra odhcpd yes\n"
              "wlan0-1 dhcpv6 odhcpd its mode is off\nwlan0-1 ra odhcpd its mode is off\n");
    }

    TEST_CASE("of the draft's form odhcpd knows nothing") {
        std::string json(openwrt);
        json.replace(json.find("\"dhcpv6\""), 0, R"("formats": "draft-btw-11", )");
        const auto config = parse(json).config;
        REQUIRE(config);
        Plan whole;
        whole.links = {{"br-lan", {{1, *dns::parse_name("dns.example.org"), {}, {}}}, ""}};
        const Announcement made = announce(*config, whole);
        CHECK(made.odhcpd_lists.empty());
        CHECK(made.carriers.back().left_out ==
              std::vector<std::string>{
                  "dns.example.org.: in the draft's form: odhcpd does not know it"});
    }
}

}  // namespace
}  // namespace porchlight::agent
