// Certificates from a CA and into a zone that nobody here wrote: pebble and knotd, on loopback.

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "acme/certificate.h"
#include "acme/dns_update.h"
#include "acme/provision.h"
#include "acme/provision_role.h"
#include "core/storage.h"
#include "net/tls_stream_server.h"

using namespace std::chrono_literals;

namespace porchlight::acme {
namespace {

using net::TestAuthority;
using net::TestServer;

dns::Name name(std::string_view text) {
    return *dns::parse_name(text);
}

std::uint16_t free_port() {
    const FileDescriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(probe.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

bool accepts(std::uint16_t port) {
    const FileDescriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return ::connect(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

/// A folder that goes with everything in it.
class Folder {
  public:
    Folder() {
        char made[] = "/tmp/porchlight-acme-XXXXXX";
        REQUIRE(::mkdtemp(made) != nullptr);
        path = made;
    }
    ~Folder() { remove(path); }
    void write(const std::string& file, std::string_view content) const {
        std::ofstream(path + "/" + file) << content;
    }
    std::string path;

  private:
    static void remove(const std::string& path) {
        FileStorage files;
        for (const std::string& below : files.list(path)) remove(path + "/" + below);
        (void)files.remove(path);
    }
};

/// A child process that ends with us.
class Program {
  public:
    Program(std::vector<std::string> arguments, std::vector<std::string> environment,
            const std::string& log) {
        std::vector<char*> argv;
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        child_ = ::fork();
        REQUIRE(child_ >= 0);
        if (child_ > 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(out, 1);
        ::dup2(out, 2);
        for (std::string& variable : environment) ::putenv(variable.data());
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    ~Program() {
        if (child_ < 0) return;
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    Program(const Program&) = delete;
    void wait_for_end() {
        ::waitpid(child_, nullptr, 0);
        child_ = -1;
    }
    void wait_for(std::uint16_t port) const {
        for (int i = 0; i < 500; ++i) {
            if (accepts(port)) return;
            REQUIRE_MESSAGE(::waitpid(child_, nullptr, WNOHANG) == 0, "a program did not start");
            std::this_thread::sleep_for(20ms);
        }
        FAIL("a program does not listen");
    }

  private:
    pid_t child_ = -1;
};

/// knotd with the zone example.net, which takes updates of challenges signed by `cpe1`.
class Zone {
  public:
    explicit Zone(const Folder& folder) : port(free_port()) {
        folder.write("example.net.zone",
                     "@ 3600 SOA ns1 hostmaster 1 3600 600 86400 60\n@ 3600 NS ns1\n"
                     "ns1 3600 A 127.0.0.1\n");
        folder.write("knot.conf",
                     "server:\n  rundir: \"" + folder.path + "\"\n  listen: [ \"127.0.0.1@" +
                         std::to_string(port) +
                         "\" ]\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n"
                         "database:\n  storage: \"" +
                         folder.path +
                         "\"\n  journal-db-max-size: 16M\n  kasp-db-max-size: 16M\n"
                         "  timer-db-max-size: 16M\n"
                         "log:\n  - target: stdout\n    any: info\n"
                         "key:\n  - id: cpe1\n    algorithm: hmac-sha256\n    secret: " +
                         secret +
                         "\n  - id: guest\n    algorithm: hmac-sha512\n    secret: " + secret +
                         "\nacl:\n  - id: cpe1\n    key: cpe1\n    action: update\n"
                         "zone:\n  - domain: example.net\n    file: example.net.zone\n"
                         "    storage: \"" +
                         folder.path +
                         "\"\n    acl: cpe1\n    zonefile-sync: -1\n    zonefile-load: whole\n"
                         "    journal-content: none\n");
        program_.emplace(
            std::vector<std::string>{"/usr/sbin/knotd", "-c", folder.path + "/knot.conf"},
            std::vector<std::string>{}, folder.path + "/knot.log");
        program_->wait_for(port);
    }

    DnsUpdate update() const {
        return {{Ipv4{{127, 0, 0, 1}}, port},
                name("example.net"),
                {name("cpe1"), "hmac-sha256", Buffer(32, 7)},
                0ms};
    }

    /// The TXT records of cpe1's challenge, as kdig prints them.
    std::string challenge_records(const Folder& folder) const {
        const std::string out = folder.path + "/kdig.out";
        Program kdig({"kdig", "+short", "+timeout=2", "@127.0.0.1", "-p", std::to_string(port),
                      "_acme-challenge.cpe1.example.net", "TXT"},
                     {}, out);
        kdig.wait_for_end();
        const auto content = FileStorage().read(out);
        (void)FileStorage().remove(out);
        return content ? std::string(text_of(*content)) : "";
    }

    std::uint16_t port;

  private:
    // base64 of 32 octets 7
    static inline const std::string secret = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    std::optional<Program> program_;
};

/// pebble, known as ca.example.
class Ca {
  public:
    Ca(const Folder& folder, const TestAuthority& authority, const Zone& zone,
       const std::string& nonce_reject)
        : port(free_port()) {
        const net::PemPair pair = authority.leaf({"ca.example"});
        folder.write("ca.pem", text_of(pair.chain));
        folder.write("ca.key", text_of(pair.key));
        folder.write("pebble.json",
                     R"({"pebble": {"listenAddress": "127.0.0.1:)" + std::to_string(port) +
                         R"(", "managementListenAddress": "127.0.0.1:)" +
                         std::to_string(free_port()) + R"(", "certificate": ")" + folder.path +
                         R"(/ca.pem", "privateKey": ")" + folder.path +
                         R"(/ca.key", "httpPort": 5002, "tlsPort": 5001, "ocspResponderURL": "",
                         "externalAccountBindingRequired": false}})");
        program_.emplace(
            std::vector<std::string>{"pebble", "-config", folder.path + "/pebble.json",
                                     "-dnsserver", "127.0.0.1:" + std::to_string(zone.port)},
            std::vector<std::string>{"PEBBLE_VA_NOSLEEP=1",
                                     "PEBBLE_WFE_NONCEREJECT=" + nonce_reject},
            folder.path + "/pebble.log");
        program_->wait_for(port);
    }
    std::string directory() const { return "https://ca.example:" + std::to_string(port) + "/dir"; }
    std::uint16_t port;

  private:
    std::optional<Program> program_;
};

/// A zone, a CA, and a resolver that knows where the CA is.
struct World {
    explicit World(const std::string& nonce_reject = "5")
        : zone(folder), ca(folder, authority, zone, nonce_reject) {}

    Job job() const {
        Job job;
        job.directories = {ca.directory()};
        job.contacts = {"mailto:home@example.net"};
        job.terms_agreed = true;
        job.names = {name("cpe1.example.net")};
        job.update = zone.update();
        job.roots_pem = authority.root_pem();
        job.upstream_roots_pem = job.roots_pem;
        job.resolvers = {{name("dns.example"), {resolver.endpoint()}}};
        return job;
    }

    Folder folder;
    TestAuthority authority;
    TestServer resolver{authority.leaf({"dns.example"}), [](SSL* ssl) {
                            net::serve_dns(ssl, [](Bytes query) {
                                return net::address_response(query, Ipv4{{127, 0, 0, 1}});
                            });
                        }};
    Zone zone;
    Ca ca;
};

class ShiftedTime : public SystemTime {
  public:
    explicit ShiftedTime(std::chrono::seconds by) : by_(by) {}
    WallTime wall() const override { return SystemTime::wall() + by_; }

  private:
    std::chrono::seconds by_;
};

Outcome obtain_once(const Job& job, const TimeSource& time = SystemTime()) {
    SystemRandom random;
    return net::run(obtain(job, time, random));
}

std::string update_code(const DnsUpdate& update, UpdateKind kind, const TxtRecord& record,
                        const TimeSource& time = SystemTime()) {
    SystemRandom random;
    const auto failure = net::run(send_update(update, kind, {record}, time, random, 5s));
    if (failure) MESSAGE(failure->code << ": " << failure->message);
    return failure ? failure->code : "";
}

TEST_SUITE("acme/issuance") {
    TEST_CASE("a server takes our updates, and only our own value leaves with us") {
        const Folder folder;
        const Zone zone(folder);
        const dns::Name owner = name("_acme-challenge.cpe1.example.net");
        const TxtRecord ours{owner, "ours"};
        const TxtRecord other{owner, "somebody-else"};
        CHECK(update_code(zone.update(), UpdateKind::add, ours) == "");
        CHECK(update_code(zone.update(), UpdateKind::add, other) == "");
        CHECK(zone.challenge_records(folder).find("\"ours\"") != std::string::npos);
        CHECK(update_code(zone.update(), UpdateKind::remove, ours) == "");
        CHECK(zone.challenge_records(folder) == "\"somebody-else\"\n");
    }

    TEST_CASE("what a server refuses has a code of its own") {
        const Folder folder;
        const Zone zone(folder);
        const TxtRecord record{name("_acme-challenge.cpe1.example.net"), "value"};
        DnsUpdate wrong = zone.update();
        wrong.key.name = name("unknown");
        CHECK(update_code(wrong, UpdateKind::add, record) == "dns-update.badkey");
        wrong = zone.update();
        wrong.key.secret[0] ^= 1;
        CHECK(update_code(wrong, UpdateKind::add, record) == "dns-update.badsig");
        CHECK(update_code(zone.update(), UpdateKind::add, record, ShiftedTime(-1h)) ==
              "dns-update.badtime");
        wrong = zone.update();
        wrong.zone = name("example.org");
        CHECK(update_code(wrong, UpdateKind::add, record) == "dns-update.notauth");
        CHECK(update_code(zone.update(), UpdateKind::add, {name("a.example.org"), "value"}) ==
              "dns-update.notzone");
        wrong = zone.update();
        wrong.key.name = name("guest");
        wrong.key.algorithm = "hmac-sha512";
        CHECK(update_code(wrong, UpdateKind::add, record) != "");
        wrong = zone.update();
        wrong.server.port = free_port();
        CHECK(update_code(wrong, UpdateKind::add, record) == "dns-update.unreachable");
    }

    TEST_CASE("a certificate is had, renewed with the same account, and the zone is left clean") {
        const World world;
        const Outcome first = obtain_once(world.job());
        INFO(first.error);
        REQUIRE(first.error_code == "");
        CHECK(first.directory == world.ca.directory());
        CHECK(!first.account_url.empty());
        CHECK(!check_pair(first.chain_pem, first.key_pem, world.job().names, SystemTime().wall(),
                          true));
        CHECK(world.zone.challenge_records(world.folder) == "");

        Job again = world.job();
        again.account_key_pem = first.account_key_pem;
        again.account_url = first.account_url;
        again.account_directory = first.directory;
        const Outcome second = obtain_once(again);
        REQUIRE(second.error_code == "");
        CHECK(second.account_url == first.account_url);
        CHECK(second.key_pem != first.key_pem);

        // The URL is lost: the CA knows the account by its key.
        again.account_url.clear();
        CHECK(obtain_once(again).account_url == first.account_url);
        // The CA forgot the account: another is made.
        again.account_url = first.account_url + "0";
        const Outcome recovered = obtain_once(again);
        INFO(recovered.error);
        CHECK(recovered.error_code == "");
    }

    TEST_CASE("nonces that are refused nine times of ten cost patience, not correctness") {
        const World world("90");
        const Outcome outcome = obtain_once(world.job());
        // At this rate six refusals in a row are likely; then the attempt ends in good order.
        if (outcome.error_code != "") CHECK(outcome.error_code == "acme.badNonce");
        CHECK(world.zone.challenge_records(world.folder) == "");
    }

    TEST_CASE("a quarter of all nonces refused is no obstacle") {
        const World world("25");
        const Outcome outcome = obtain_once(world.job());
        INFO(outcome.error);
        CHECK(outcome.error_code == "");
    }

    TEST_CASE("a CA that is down is passed over for the next") {
        const World world;
        Job job = world.job();
        job.directories.insert(job.directories.begin(),
                               "https://ca.example:" + std::to_string(free_port()) + "/dir");
        const Outcome outcome = obtain_once(job);
        CHECK(outcome.error_code == "");
        CHECK(outcome.directory == world.ca.directory());
    }

    TEST_CASE("what stands in the way is named") {
        const World world;
        Job job = world.job();
        job.update.key.secret[0] ^= 1;
        Outcome outcome = obtain_once(job);
        CHECK(outcome.error_code == "dns-update.badsig");
        CHECK(!outcome.account_key_pem.empty());
        CHECK(!outcome.account_url.empty());
        CHECK(outcome.chain_pem.empty());

        job = world.job();
        job.terms_agreed = false;
        CHECK(obtain_once(job).error_code == "acme.terms-not-agreed");

        job = world.job();
        job.roots_pem = TestAuthority().root_pem();
        CHECK(obtain_once(job).error_code == "acme.directory.not-authenticated");

        job = world.job();
        job.resolvers.clear();
        CHECK(obtain_once(job).error_code == "acme.directory.unreachable");

        job = world.job();
        job.account_key_pem = Buffer{1};
        CHECK(obtain_once(job).error_code == "account-key.malformed");
    }

    TEST_CASE("the role takes a job and gives an outcome") {
        const World world;
        auto channel = net::Channel::pair();
        REQUIRE(channel);
        Writer out;
        write(out, world.job());
        REQUIRE(channel->first.send(static_cast<std::uint16_t>(ProvisionMessage::job), out.view()));
        CHECK(run_provision(std::move(channel->second)) == 0);
        auto message = channel->first.receive();
        REQUIRE(message);
        REQUIRE(*message);
        const auto outcome = parse_outcome((*message)->body);
        REQUIRE(outcome);
        CHECK(outcome->error == "");
        CHECK(!outcome->chain_pem.empty());
    }
}

}  // namespace
}  // namespace porchlight::acme
