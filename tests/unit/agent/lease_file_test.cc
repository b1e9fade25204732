#include "agent/lease_file.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

bool changed(const LeaseFile& file) {
    pollfd waits{file.descriptor(), POLLIN, 0};
    return ::poll(&waits, 1, 0) == 1;
}

void add_line(const std::string& path, const char* line) {
    std::ofstream(path, std::ios::app) << line << std::flush;
}

struct Followed {
    std::string folder;
    std::string path;
    FileStorage storage{};
    LeaseFile file{};
    Clock::time_point now = Clock::now();

    Followed() {
        char name[] = "/tmp/porchlight-leases-XXXXXX";
        folder = ::mkdtemp(name);
        path = folder + "/leases";
    }
    ~Followed() { std::filesystem::remove_all(folder); }

    std::string read() {
        const auto content = file.read(storage, now);
        if (!content) return "(not due)";
        return *content ? std::string(text_of(**content)) : "(none)";
    }
};

TEST_SUITE("agent/lease_file") {
    TEST_CASE("it is read at once, then when it changed, and not too often") {
        Followed it;
        add_line(it.path, "a\n");
        it.file.follow(it.path, it.now);
        CHECK(it.read() == "a\n");
        CHECK(it.file.due() == it.now + LeaseFile::looked_again);
        CHECK(!changed(it.file));

        it.now += 10s;
        add_line(it.path, "b\n");
        REQUIRE(changed(it.file));
        it.file.on_change(it.now);
        CHECK(!changed(it.file));
        CHECK(it.file.due() == it.now + LeaseFile::settle);
        CHECK(it.read() == "(not due)");
        it.now = it.file.due();
        CHECK(it.read() == "a\nb\n");

        add_line(it.path, "c\n");
        it.file.on_change(it.now);
        CHECK(it.file.due() == it.now + LeaseFile::pause);
        // Whoever writes without end puts it off no further.
        add_line(it.path, "d\n");
        it.file.on_change(it.now + 1s);
        CHECK(it.file.due() == it.now + LeaseFile::pause);
    }

    TEST_CASE("one that is not there yet, or is another one now, is found") {
        Followed it;
        it.file.follow(it.path, it.now);
        CHECK(it.read() == "(none)");
        CHECK(it.file.due() == it.now + LeaseFile::tried_again);
        it.now = it.file.due();
        add_line(it.path, "a\n");
        CHECK(it.read() == "a\n");

        ::unlink(it.path.c_str());
        REQUIRE(changed(it.file));
        it.file.on_change(it.now);
        add_line(it.path, "b\n");
        it.now = it.file.due();
        CHECK(it.read() == "b\n");
        add_line(it.path, "c\n");
        CHECK(changed(it.file));
    }

    TEST_CASE("whoever comes new is told; nobody is of a file that is followed no more") {
        Followed it;
        add_line(it.path, "a\n");
        it.file.follow(it.path, it.now);
        CHECK(it.read() == "a\n");
        it.file.follow(it.path, it.now);
        CHECK(it.read() == "(not due)");
        it.file.forget(it.now);
        CHECK(it.read() == "a\n");
        it.file.follow("", it.now);
        it.file.forget(it.now);
        CHECK(it.file.descriptor() < 0);
        CHECK(it.read() == "(not due)");
    }
}

}  // namespace
}  // namespace porchlight::agent
