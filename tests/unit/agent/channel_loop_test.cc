#include "agent/channel_loop.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <string>

namespace porchlight::agent {
namespace {

struct Peers {
    Peers() {
        auto ends = net::Channel::pair();
        REQUIRE(ends);
        peer = std::move(ends->first);
        ours.emplace(
            loop.get_executor(), std::move(ends->second), [](auto) {}, [] {});
    }
    /// What the peer finds by now, "KIND TEXT" each, and what comes while it reads.
    std::vector<std::string> read() {
        std::vector<std::string> found;
        for (;;) {
            auto message = peer.receive();
            REQUIRE(message);
            if (!*message && loop.poll() == 0) return found;
            if (*message)
                found.push_back(std::to_string((*message)->kind) + " " +
                                std::string(text_of((*message)->body)));
        }
    }
    asio::io_context loop{1};
    net::Channel peer;
    std::optional<ChannelLoop> ours;
};

}  // namespace

TEST_SUITE("agent/channel_loop") {
    TEST_CASE("what a peer that is busy has no room for comes later, the newest of its kind") {
        Peers peers;
        constexpr int sent = 20000;
        for (int i = 0; i < sent; ++i) {
            peers.ours->send(1, bytes_of("options " + std::to_string(i)));
            peers.ours->send(2, bytes_of("list " + std::to_string(i)));
        }
        const std::vector<std::string> found = peers.read();
        CHECK(found.size() < 2 * sent);  // the kernel's queue is bounded, and so are we
        REQUIRE(found.size() >= 2);
        CHECK(found[found.size() - 2] == "1 options 19999");
        CHECK(found.back() == "2 list 19999");
        peers.ours->send(3, bytes_of("at once"));
        CHECK(peers.read() == std::vector<std::string>{"3 at once"});
    }

    TEST_CASE("what waits is not forgotten with a peer that is gone, nor waited for") {
        Peers peers;
        for (int i = 0; i < 20000; ++i) peers.ours->send(1, bytes_of("options"));
        peers.peer = net::Channel();
        peers.loop.run_for(std::chrono::milliseconds(50));
        peers.ours.reset();
        peers.loop.restart();
        CHECK(peers.loop.run() == 0);
    }
}

}  // namespace porchlight::agent
