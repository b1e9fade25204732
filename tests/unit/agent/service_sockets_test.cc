#include "agent/service_sockets.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/socket_address.h"

namespace porchlight::agent {
namespace {

using forwarder::ListenerKind;

const IpAddress here{Ipv4{{127, 0, 0, 1}}};
const IpAddress elsewhere{Ipv4{{192, 0, 2, 1}}};  // as ::1 is where IPv6 is switched off

/// Another daemon, which shares its port with nobody.
class Holder {
  public:
    Holder() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        const net::SocketAddress any(Endpoint{here, 0});
        REQUIRE(::bind(socket_.get(), any.get(), any.size()) == 0);
    }
    std::uint16_t port() const {
        sockaddr_in bound{};
        socklen_t size = sizeof bound;
        REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
        return ntohs(bound.sin_port);
    }

  private:
    FileDescriptor socket_;
};

/// Serves nobody but the companion, on ports that the kernel chooses.
Config companion_on(std::vector<IpAddress> addresses) {
    Config config;
    config.do53.addresses = std::move(addresses);
    config.do53.port = 0;
    config.upstream.resize(1);
    return config;
}

TEST_SUITE("agent/service_sockets") {
    TEST_CASE("old hosts are served though one of the loopback addresses is not there") {
        Config config = companion_on({elsewhere, here});
        config.workers = 2;
        const Opening opening = open_services(config);
        CHECK(opening.sockets.size() == 4);  // UDP and TCP, two workers
        CHECK(opening.hindered.empty());
        // It may come yet, and nobody tells.
        REQUIRE(opening.unserved.size() == 1);
        CHECK(opening.unserved.front().address == elsewhere);
    }

    TEST_CASE("who connects by TCP may bring his question along") {
        const Opening opening = open_services(companion_on({here}));
        REQUIRE(opening.sockets.size() == 2);
        for (const ServiceSocket& one : opening.sockets) {
            if (one.info.kind != ListenerKind::do53_tcp) continue;
            int places = 0;
            socklen_t size = sizeof places;
            REQUIRE(::getsockopt(one.descriptor.get(), IPPROTO_TCP, TCP_FASTOPEN, &places, &size) ==
                    0);
            CHECK(places >= 128);
        }
    }

    TEST_CASE("none at all is a failure") {
        const Opening opening = open_services(companion_on({elsewhere}));
        CHECK(opening.sockets.empty());
        CHECK(opening.hindered.contains("serve the companion on 192.0.2.1"));
        CHECK(opening.unserved.size() == 1);
    }

    TEST_CASE("an interface that is not there yet hinders nothing; its coming is told") {
        Config config = companion_on({here});
        config.lan = {{"none0"}};
        config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
        const Opening opening = open_services(config);
        CHECK(opening.sockets.size() == 2);
        CHECK(opening.hindered.empty());
        CHECK(opening.unserved.empty());
        CHECK(opening.links == std::map<std::string, unsigned>{{"none0", 0}});
    }

    TEST_CASE("old and new sockets of ours share a port, which another daemon's keep to itself") {
        Config config = companion_on({here});
        {
            const Holder holder;
            config.do53.port = holder.port();
            CHECK(!open_services(config).hindered.empty());
        }
        const Opening old = open_services(config);
        CHECK(old.sockets.size() == 2);
        CHECK(open_services(config).sockets.size() == 2);
    }

    TEST_CASE("what the configuration has us serve fails alone, and opens once its port is free") {
        Config config;
        config.lan = {{"lo"}};
        // Two paths share a port.
        config.resolver =
            ResolverConfig{*dns::parse_name("cpe1.example.net"),
                           {},
                           {{443, "/a{?dns}"}, {8443, "/a{?dns}"}, {443, "/b{?dns}"}}};
        config.do53.addresses = {here};
        config.upstream.resize(1);
        CHECK(services(config) ==
              std::vector<Service>{
                  {"serve DNS over TLS on lo", "lo", 853, ListenerKind::dot},
                  {"serve DNS over HTTPS at port 443 on lo", "lo", 443, ListenerKind::doh},
                  {"serve DNS over HTTPS at port 8443 on lo", "lo", 8443, ListenerKind::doh},
                  {"serve the companion on 127.0.0.1", "", 5453, ListenerKind::do53_udp, here}});
        {
            const Holder holder;
            config.do53.port = holder.port();
            const auto refused = open_service(services(config).back(), config);
            REQUIRE(!refused);
            CHECK(refused.error().code == Errc::refused);
        }
        CHECK(open_service(services(config).back(), config));
    }
}

TEST_SUITE("agent/service_backlog") {
    TEST_CASE("a home whose power comes back finds room to connect") {
        const Opening opening = open_services(companion_on({here}));
        REQUIRE(opening.sockets.size() == 2);
        for (const ServiceSocket& one : opening.sockets) {
            if (one.info.kind != ListenerKind::do53_tcp) continue;
            tcp_info info{};
            socklen_t size = sizeof info;
            REQUIRE(::getsockopt(one.descriptor.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
            CHECK(info.tcpi_state == TCP_LISTEN);
            CHECK(info.tcpi_sacked >= 128);  // of a listener: how many may wait
        }
    }
}

}  // namespace
}  // namespace porchlight::agent
