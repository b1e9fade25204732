#include "forwarder/seccomp.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

// A sanitizer needs more system calls than the filter leaves, so there is none to test.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace porchlight::forwarder {
namespace {

/// Runs `body` in a child and says whether it returned true.
template <class Body>
bool holds_in_child(Body body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body() ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool refused(long result) {
    return result < 0 && errno == ENOSYS;
}

}  // namespace

TEST_SUITE("forwarder/seccomp") {
    TEST_CASE("no file is opened, no program started, no memory made executable") {
        const auto try_all = [] {
            char* const nothing[] = {nullptr};
            return refused(::open("/dev/null", O_RDONLY)) &&
                   refused(::execve("/bin/true", nothing, nothing)) && refused(::fork()) &&
                   ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                          0) == MAP_FAILED;
        };
        CHECK(!holds_in_child(try_all));  // the control: without the filter they work
        CHECK(holds_in_child([&] { return restrict_system_calls() && try_all(); }));
    }

    TEST_CASE("threads that exist already are held too") {
        CHECK(holds_in_child([] {
            int pipe[2];
            if (::pipe(pipe) != 0) return false;
            bool was_refused = false;
            std::thread thread([&] {
                char go = 0;
                if (::read(pipe[0], &go, 1) == 1)
                    was_refused = refused(::open("/dev/null", O_RDONLY));
            });
            const bool restricted = bool(restrict_system_calls());
            if (::write(pipe[1], "g", 1) != 1) return false;
            thread.join();
            return restricted && was_refused;
        }));
    }

    TEST_CASE("what the forwarder lives on still works") {
        CHECK(holds_in_child([] {
            void* memory = nullptr;
            return restrict_system_calls() && ::getpid() > 0 &&
                   (memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED &&
                   ::munmap(memory, 4096) == 0;
        }));
    }
}

}  // namespace porchlight::forwarder

#endif
