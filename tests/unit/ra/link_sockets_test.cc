#include "ra/link_sockets.h"

#include <doctest/doctest.h>

#include "own_link.h"

namespace porchlight::ra {
namespace {

TEST_SUITE("ra/link_sockets") {
    TEST_CASE("the daemon's advertisements are seen, to all and to one host, and nothing else") {
        on_own_link([] {
            Daemon daemon;
            auto frames = open_frame_socket("lan0");
            auto other_end = open_icmpv6_socket("host0");
            REQUIRE((frames && other_end));
            const Ipv6 one_host = *parse_ipv6("fe80::99");
            daemon.advertise(all_nodes);
            daemon.advertise(one_host);
            REQUIRE(solicit(*other_end));
            Writer foreign;  // comes in by lan0
            write(foreign, Advertisement{{}, {}});
            REQUIRE(send_icmpv6(*other_end, Ipv6{}, all_nodes, foreign.view()));

            std::uint8_t buffer[receive_octets_max];
            for (const Ipv6& to : {all_nodes, one_host}) {
                auto frame = receive_frame(*frames, buffer);
                REQUIRE(frame);
                CHECK(frame->destination == to);
                CHECK(frame->envelope.source == daemon.address());
                auto advertisement = parse_advertisement(frame->octets, frame->envelope);
                REQUIRE(advertisement);
                CHECK(advertisement->header == Daemon::header);
            }
            CHECK(!receive_frame(*frames, buffer));
        });
    }

    TEST_CASE("a solicitation reaches this machine's own daemon, and its answer is known as such") {
        on_own_link([] {
            Daemon daemon;
            auto socket = open_icmpv6_socket("lan0");
            REQUIRE(socket);
            REQUIRE(solicit(*socket));
            daemon.answer();
            std::uint8_t buffer[receive_octets_max];
            auto looped = receive_icmpv6(*socket, buffer);
            REQUIRE(looped);
            CHECK(!is_own_answer(*looped));
            CHECK(looped->envelope.hop_limit == hop_limit);
            auto answer = receive_icmpv6(*socket, buffer);
            REQUIRE(answer);
            CHECK(is_own_answer(*answer));
            CHECK(parse_advertisement(answer->octets, answer->envelope));
            CHECK(!receive_icmpv6(*socket, buffer));
        });
    }

    TEST_CASE("an interface that does not exist is said to be unavailable") {
        on_own_link([] {
            for (auto* open : {open_icmpv6_socket, open_frame_socket}) {
                auto socket = open("nowhere0");
                REQUIRE(!socket);
                CHECK(socket.error().code == Errc::unavailable);
            }
        });
    }
}

}  // namespace
}  // namespace porchlight::ra
