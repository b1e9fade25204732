#include "agent/service_sockets.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/socket_address.h"

namespace porchlight::agent {
namespace {

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

TEST_SUITE("agent/service_sockets") {
    TEST_CASE("old hosts are served though one of the loopback addresses is not there") {
        const auto sockets = open_do53_sockets({elsewhere, here}, 0, 2);
        REQUIRE(sockets);
        CHECK(sockets->size() == 4);  // UDP and TCP, two workers
    }

    TEST_CASE("none at all is a failure") {
        const auto sockets = open_do53_sockets({elsewhere}, 0, 1);
        REQUIRE(!sockets);
        CHECK(sockets.error().code == Errc::refused);
    }

    TEST_CASE("what the configuration has us serve fails alone, and opens once its port is free") {
        Config config;
        config.lan = {{"lo"}};
        config.resolver = ResolverConfig{*dns::parse_name("cpe1.example.net"), {}};
        config.do53.addresses = {here};
        config.upstream.resize(1);
        CHECK(services(config) == std::vector<Service>{{"serve DNS over TLS on lo", "lo"},
                                                       {"serve the companion on loopback", ""}});
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

}  // namespace
}  // namespace porchlight::agent
