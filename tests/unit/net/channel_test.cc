#include "net/channel.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace porchlight::net {
namespace {

off_t size_of(const FileDescriptor& file) {
    struct stat facts {};
    return ::fstat(file.get(), &facts) == 0 ? facts.st_size : -1;
}

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

    TEST_CASE("more descriptors than a packet holds arrive as one message, in their order") {
        auto ends = Channel::pair();
        REQUIRE(ends);
        auto& [here, there] = *ends;
        for (const std::size_t count : {64u, 65u, 3 * 64u, 3 * 64u + 1}) {
            for (const std::size_t body_size : {10u, 40000u}) {
                CAPTURE(count);
                CAPTURE(body_size);
                std::vector<FileDescriptor> files;
                std::vector<int> passed;
                for (std::size_t i = 0; i < count; ++i) {
                    files.emplace_back(::memfd_create("test", MFD_CLOEXEC));
                    passed.push_back(files.back().get());
                    REQUIRE(::ftruncate(passed.back(), static_cast<off_t>(i)) == 0);
                }
                REQUIRE(here.send(4, Buffer(body_size, 1), passed));
                REQUIRE(here.send(5, bytes_of("next")));
                auto message = there.receive();
                REQUIRE((message && *message));
                CHECK((*message)->kind == 4);
                CHECK((*message)->body == Buffer(body_size, 1));
                REQUIRE((*message)->descriptors.size() == count);
                for (std::size_t i = 0; i < count; ++i)
                    CHECK(size_of((*message)->descriptors[i]) == static_cast<off_t>(i));
                auto next = there.receive();
                REQUIRE((next && *next));
                CHECK((*next)->descriptors.empty());
            }
        }
    }

    TEST_CASE("descriptors of a message that was never finished belong to no other") {
        auto ends = Channel::pair();
        REQUIRE(ends);
        auto& [here, there] = *ends;
        const FileDescriptor file(::memfd_create("test", MFD_CLOEXEC));
        std::size_t went = 0;
        const std::vector<int> many(3 * 64, file.get());
        // Whatever is in the queue when it is full: some message ends in its middle.
        while (here.send(4, Buffer(1, 1), many)) ++went;
        REQUIRE(went > 0);
        std::size_t came = 0;
        for (;;) {
            auto message = there.receive();
            REQUIRE(message);
            if (!*message) break;
            CHECK((*message)->descriptors.size() == many.size());
            ++came;
        }
        CHECK(came == went);
        REQUIRE(here.send(5, bytes_of("next")));
        auto next = there.receive();
        REQUIRE((next && *next));
        CHECK((*next)->kind == 5);
        CHECK((*next)->descriptors.empty());
    }

    TEST_CASE("a message that the other end can't take is refused before any of it goes") {
        auto ends = Channel::pair();
        REQUIRE(ends);
        auto& [here, there] = *ends;
        const FileDescriptor file(::memfd_create("test", MFD_CLOEXEC));
        CHECK(!here.send(4, {}, std::vector<int>(Channel::descriptors_max + 1, file.get())));
        auto none = there.receive();
        REQUIRE(none);
        CHECK(!*none);
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
        char packet[] = {0, 1, 1, 0, 0};
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
        REQUIRE(::sendmsg(here.descriptor(), &header, 0) == sizeof packet);
        auto message = there.receive();
        REQUIRE(!message);
        CHECK(message.error().code == Errc::malformed);
    }

    TEST_CASE("what no channel sent is refused") {
        auto ends = Channel::pair();
        REQUIRE(ends);
        auto& [here, there] = *ends;
        // Too short; a memory file that is not there; an unknown way; descriptors that never came.
        for (const Buffer& junk :
             {Buffer{'x'}, Buffer{1, 2, 0, 0}, Buffer{1, 2, 1, 0, 0}, Buffer{1, 2, 9, 0, 0},
              Buffer{1, 2, 0, 0, 64}, Buffer{1, 2, 2, 0, 64}}) {
            CAPTURE(junk.size());
            REQUIRE(::write(here.descriptor(), junk.data(), junk.size()) > 0);
            auto message = there.receive();
            REQUIRE(!message);
            CHECK(message.error().code == Errc::malformed);
        }
    }
}

}  // namespace
}  // namespace porchlight::net
