#include "agent/port_holder.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>

#include "core/file_descriptor.h"
#include "net/socket_address.h"

namespace porchlight::agent {
namespace {

constexpr std::string_view table =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "1001 1 0000000000000000 100 0 0 10 0\n"
    "   1: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "1002 1 0000000000000000 100 0 0 10 0\n"
    "   2: 0100007F:01BB 0100007F:9000 01 00000000:00000000 00:00000000 00000000     0        0 "
    "1003 1 0000000000000000 20 4 30 10 -1\n"
    "   3: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 1004 1 0000000000000000 100 0 0 10 0\n";

TEST_SUITE("agent/port_holder") {
    TEST_CASE("those that listen at a port, of both families, and no connection") {
        CHECK(listening_at(table, 443) == std::set<std::uint64_t>{1002, 1004});
        CHECK(listening_at(table, 53) == std::set<std::uint64_t>{1001});
        CHECK(listening_at(table, 8443).empty());
    }

    TEST_CASE("what is no such table has none") {
        for (const char* other :
             {"", "\n\n", "a b c", "0: x:01BB y 0A", "0: :01BB : 0A 1 2 3 4 5 x"})
            CHECK(listening_at(other, 443).empty());
    }

    TEST_CASE("a process is known by its name, which is ours to the same end") {
        const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const net::SocketAddress any(Endpoint{IpAddress{Ipv4{{127, 0, 0, 1}}}, 0});
        REQUIRE(::bind(socket.get(), any.get(), any.size()) == 0);
        sockaddr_in bound{};
        socklen_t size = sizeof bound;
        REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
        const std::uint16_t port = ntohs(bound.sin_port);
        CHECK(holder_of(port) == std::nullopt);
        REQUIRE(::listen(socket.get(), 1) == 0);
        std::string name;
        std::getline(std::ifstream("/proc/self/comm") >> std::ws, name);
        CHECK(holder_of(port) == name);
        for (const char* ours : {"porchlight", "pl-forwarder"}) {
            std::ofstream("/proc/self/comm") << ours;
            CHECK(holder_of(port) == std::nullopt);
        }
        std::ofstream("/proc/self/comm") << name;
    }
}

}  // namespace
}  // namespace porchlight::agent
