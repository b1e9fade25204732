#include "net/do53_client.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "core/file_descriptor.h"
#include "dns/query.h"
#include "hex.h"
#include "net/framed_message.h"
#include "net/socket_address.h"
#include "tls_stream_server.h"

using namespace std::chrono_literals;

namespace porchlight::net {
namespace {

const dns::Question asked{dns::Name(), dns::type::ns};

/// UDP and TCP on one port of loopback. By UDP each query gets the answers that are due, in their
/// order; by TCP one connection gets the last of them.
class PlainServer {
  public:
    using Answers = std::function<std::vector<Buffer>(Bytes query)>;

    PlainServer(Answers by_udp, Answers by_tcp)
        : udp_(::socket(AF_INET, SOCK_DGRAM, 0)), tcp_(::socket(AF_INET, SOCK_STREAM, 0)) {
        SocketAddress any(Endpoint{Ipv4{{127, 0, 0, 1}}, 0});
        REQUIRE(::bind(tcp_.get(), any.get(), any.size()) == 0);
        SocketAddress bound;
        REQUIRE(::getsockname(tcp_.get(), bound.get(), bound.size_pointer()) == 0);
        endpoint = *bound.endpoint();
        const SocketAddress same(endpoint);
        REQUIRE(::bind(udp_.get(), same.get(), same.size()) == 0);
        REQUIRE(::listen(tcp_.get(), 1) == 0);
        udp_thread_ = std::thread([this, by_udp] { serve_udp(by_udp); });
        if (by_tcp) tcp_thread_ = std::thread([this, by_tcp] { serve_tcp(by_tcp); });
    }
    ~PlainServer() {
        ::shutdown(tcp_.get(), SHUT_RDWR);
        over_ = true;
        const SocketAddress self(endpoint);
        ::sendto(udp_.get(), "", 0, 0, self.get(), self.size());
        udp_thread_.join();
        if (tcp_thread_.joinable()) tcp_thread_.join();
    }

    Endpoint endpoint;

  private:
    void serve_udp(const Answers& answers) {
        Buffer room(2048);
        while (!over_) {
            SocketAddress peer;
            const ssize_t got = ::recvfrom(udp_.get(), room.data(), room.size(), 0, peer.get(),
                                           peer.size_pointer());
            if (got <= 0) continue;
            const Endpoint back = *peer.endpoint();
            const SocketAddress to(back);
            for (const Buffer& one : answers(Bytes(room).first(static_cast<std::size_t>(got))))
                ::sendto(udp_.get(), one.data(), one.size(), 0, to.get(), to.size());
        }
    }
    void serve_tcp(const Answers& answers) {
        const FileDescriptor peer(::accept(tcp_.get(), nullptr, nullptr));
        if (!peer) return;
        Buffer pending, message, room(2048);
        while (!take_message(pending, message)) {
            const ssize_t got = ::recv(peer.get(), room.data(), room.size(), 0);
            if (got <= 0) return;
            pending.insert(pending.end(), room.begin(), room.begin() + got);
        }
        const Buffer octets = framed(answers(message).back());
        ::send(peer.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    }

    FileDescriptor udp_, tcp_;
    std::atomic<bool> over_ = false;
    std::thread udp_thread_, tcp_thread_;
};

/// An empty answer to `query`, with these flags.
Buffer answer(Bytes query, std::string_view flags) {
    Buffer all(query.begin(), query.begin() + 2);
    for (std::uint8_t octet : hex(flags)) all.push_back(octet);
    for (std::uint8_t octet : hex("0001 0000 0000 0000 00 0002 0001")) all.push_back(octet);
    return all;
}

TEST_SUITE("net/do53_client") {
    TEST_CASE("the answer to the question is taken, what is none is passed over") {
        PlainServer server(
            [](Bytes query) {
                Buffer forged = answer(query, "8180");
                forged[0] = static_cast<std::uint8_t>(forged[0] ^ 1);
                return std::vector<Buffer>{hex("00"), forged, answer(query, "8180")};
            },
            nullptr);
        SeededRandom random(1);
        const auto got = run(ask_do53(server.endpoint, asked, random, 10s));
        REQUIRE(got);
        CHECK(got->at(3) == 0x80);
    }

    TEST_CASE("a truncated answer is asked for by TCP") {
        PlainServer server([](Bytes query) { return std::vector<Buffer>{answer(query, "8380")}; },
                           [](Bytes query) { return std::vector<Buffer>{answer(query, "8183")}; });
        SeededRandom random(1);
        const auto got = run(ask_do53(server.endpoint, asked, random, 10s));
        REQUIRE(got);
        CHECK(got->at(3) == 0x83);
    }

    TEST_CASE("silence is a timeout, asked twice; a closed port is not waited for") {
        std::atomic<int> queries = 0;
        Endpoint gone;
        SeededRandom random(1);
        {
            PlainServer server(
                [&](Bytes) {
                    ++queries;
                    return std::vector<Buffer>{};
                },
                nullptr);
            const auto got = run(ask_do53(server.endpoint, asked, random, 400ms));
            CHECK(got.error().code == Errc::timeout);
            gone = server.endpoint;
        }
        CHECK(queries == 2);
        CHECK(run(ask_do53(gone, asked, random, 30s)).error().code == Errc::unavailable);
    }
}

}  // namespace
}  // namespace porchlight::net
