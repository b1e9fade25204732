#include "net/channel.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace porchlight::net {
namespace {

TEST_SUITE("net/channel") {
    TEST_CASE("messages arrive whole and in order, large ones too") {
        auto ends = Channel::pair();
        REQUIRE(ends);
        auto& [here, there] = *ends;
        const Buffer large(300000, 7);
        REQUIRE(here.send(1, bytes_of("first")));
        REQUIRE(here.send(2, large));
        REQUIRE(here.send(3, {}));
        auto first = there.receive();
        REQUIRE((first && *first));
        CHECK((*first)->kind == 1);
        CHECK(text_of((*first)->body) == "first");
        auto second = there.receive();
        REQUIRE((second && *second));
        CHECK((*second)->body == large);
        CHECK((*second)->descriptors.empty());
        auto third = there.receive();
        REQUIRE((third && *third));
        CHECK((*third)->body.empty());
        auto none = there.receive();
        REQUIRE(none);
        CHECK(!*none);
    }

    TEST_CASE("descriptors change hands, beside a large body too") {
        auto ends = Channel::pair();
        REQUIRE(ends);
        auto& [here, there] = *ends;
        int pipe_ends[2];
        REQUIRE(::pipe(pipe_ends) == 0);
        FileDescriptor read_end(pipe_ends[0]);
        FileDescriptor write_end(pipe_ends[1]);
        REQUIRE(here.send(5, Buffer(40000, 1), {write_end.get()}));
        auto message = there.receive();
        REQUIRE((message && *message));
        REQUIRE((*message)->descriptors.size() == 1);
        CHECK((*message)->body.size() == 40000);
        CHECK(::write((*message)->descriptors[0].get(), "x", 1) == 1);
        char octet = 0;
        CHECK(::read(read_end.get(), &octet, 1) == 1);
        CHECK(octet == 'x');
    }

    TEST_CASE("a closed end and a full queue are told apart from silence") {
        auto ends = Channel::pair();
        REQUIRE(ends);
        auto& [here, there] = *ends;
        bool full = false;
        for (int i = 0; i < 100000 && !full; ++i) full = !here.send(1, Buffer(1000, 1));
        CHECK(full);
        there = Channel();
        auto end = here.receive();
        REQUIRE(!end);
        CHECK(end.error().code == Errc::unavailable);
        CHECK(!here.send(1, {}));
    }

    TEST_CASE("a body that its sender could make us wait for is refused") {
        auto ends = Channel::pair();
        REQUIRE(ends);
        auto& [here, there] = *ends;
        int pipe[2];
        REQUIRE(::pipe(pipe) == 0);
        const FileDescriptor read_end(pipe[0]);
        const FileDescriptor write_end(pipe[1]);
        // Its header says that the body is in the descriptor beside it.
        char packet[] = {0, 1, 1};
        iovec part{packet, sizeof packet};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(rights), &pipe[0], sizeof(int));
        REQUIRE(::sendmsg(here.descriptor(), &header, 0) == 3);
        auto message = there.receive();
        REQUIRE(!message);
        CHECK(message.error().code == Errc::malformed);
    }

    TEST_CASE("what no channel sent is refused") {
        auto ends = Channel::pair();
        REQUIRE(ends);
        auto& [here, there] = *ends;
        for (const char* junk : {"x", "\x01\x02\x01", "\x01\x02\x09"}) {
            REQUIRE(::write(here.descriptor(), junk, std::char_traits<char>::length(junk)) > 0);
            auto message = there.receive();
            REQUIRE(!message);
            CHECK(message.error().code == Errc::malformed);
        }
    }
}

}  // namespace
}  // namespace porchlight::net
