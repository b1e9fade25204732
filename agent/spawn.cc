#include "agent/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/clock.h"
#include "core/escape.h"
#include "core/file_descriptor.h"

namespace porchlight::agent {
namespace {

constexpr int first_passed = 3;
/// Above every descriptor that a child is promised, below every sane limit.
constexpr int parking = 128;

std::vector<char*> pointers(const std::vector<std::string>& arguments) {
    std::vector<char*> list;
    for (const std::string& argument : arguments)
        list.push_back(const_cast<char*>(argument.c_str()));
    list.push_back(nullptr);
    return list;
}

/// Between fork and exec: signals as a fresh program expects them.
void reset_signals() {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE}) std::signal(signal, SIG_DFL);
}

/// Puts `descriptors` at 3, 4, ... without one overwriting another, and closes the rest.
bool place(const std::vector<int>& descriptors) {
    std::vector<int> parked;
    for (int fd : descriptors) parked.push_back(::fcntl(fd, F_DUPFD, parking));
    int target = first_passed;
    for (int fd : parked) {
        if (fd < 0 || ::dup2(fd, target++) < 0) return false;
    }
    return ::close_range(static_cast<unsigned>(target), ~0u, 0) == 0;
}

Error failed(const char* doing) {
    return {Errc::internal, std::string(doing) + ": " + std::strerror(errno)};
}

struct Pipe {
    FileDescriptor read;
    FileDescriptor write;
    bool open() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return false;
        read = FileDescriptor(ends[0]);
        write = FileDescriptor(ends[1]);
        return true;
    }
};

/// Feeds the child and keeps what it prints, until it closes its end.
std::string converse(FileDescriptor& to_child, Bytes input, const FileDescriptor& from_child,
                     Clock::time_point until) {
    std::string printed;
    for (;;) {
        if (input.empty()) to_child.reset();
        std::array<pollfd, 2> waits{pollfd{from_child.get(), POLLIN, 0},
                                    pollfd{to_child.get(), POLLOUT, 0}};
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        if (left.count() <= 0 ||
            ::poll(waits.data(), waits.size(), static_cast<int>(left.count())) <= 0)
            return printed;
        if (waits[1].revents != 0) {
            const ssize_t wrote = ::write(to_child.get(), input.data(), input.size());
            input = wrote > 0 ? input.subspan(static_cast<std::size_t>(wrote)) : Bytes();
        }
        if (waits[0].revents != 0) {
            char text[512];
            const ssize_t got = ::read(from_child.get(), text, sizeof text);
            if (got <= 0) return printed;
            if (printed.size() < program_output_max)
                printed.append(text, static_cast<std::size_t>(got));
        }
    }
}

int wait_until(pid_t pid, Clock::time_point until) {
    constexpr int without_pidfd_ms = 5;  // Linux before 5.3
    const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) == 0) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        if (left.count() <= 0) {
            ::kill(pid, SIGKILL);
            ::waitpid(pid, &status, 0);
            return -1;
        }
        pollfd end{process.get(), POLLIN, 0};
        ::poll(&end, 1, process ? static_cast<int>(left.count()) : without_pidfd_ms);
    }
    return status;
}

}  // namespace

Result<pid_t> spawn_role(const std::vector<std::string>& arguments,
                         const std::vector<int>& descriptors) {
    const std::vector<char*> list = pointers(arguments);
    const pid_t pid = ::fork();
    if (pid < 0) return failed("cannot fork");
    if (pid > 0) return pid;
    reset_signals();
    // Not by name: an upgrade may have replaced the file, and this keeper understands this program.
    if (place(descriptors)) ::execv("/proc/self/exe", list.data());
    ::_exit(127);
}

Result<void> run_program(const std::vector<std::string>& arguments, Bytes input,
                         std::chrono::milliseconds within) {
    const auto printed = read_program(arguments, input, within);
    if (!printed) return printed.error();
    return {};
}

Result<std::string> read_program(const std::vector<std::string>& arguments, Bytes input,
                                 std::chrono::milliseconds within) {
    Pipe to_child;
    Pipe from_child;
    if (!to_child.open() || !from_child.open()) return failed("cannot make a pipe");
    const std::vector<char*> list = pointers(arguments);
    const pid_t pid = ::fork();
    if (pid < 0) return failed("cannot fork");
    if (pid == 0) {
        reset_signals();
        if (::dup2(to_child.read.get(), 0) == 0 && ::dup2(from_child.write.get(), 1) == 1 &&
            ::dup2(from_child.write.get(), 2) == 2) {
            ::close_range(first_passed, ~0u, 0);
            // A privileged process takes no program from wherever its caller's PATH leads.
            ::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
            ::execvp(list[0], list.data());
        }
        ::_exit(127);
    }
    to_child.read.reset();
    from_child.write.reset();
    const Clock::time_point until = Clock::now() + within;
    std::string printed = converse(to_child.write, input, from_child.read, until);
    to_child.write.reset();
    const int status = wait_until(pid, until);
    if (status == 0) return printed;
    const std::string complaint = printed.substr(0, printed.find('\n'));
    if (status == -1) return Error{Errc::timeout, arguments[0] + " took too long and was killed"};
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && complaint.empty())
        return Error{Errc::unavailable, arguments[0] + ": no such program"};
    return Error{Errc::refused,
                 arguments[0] + ": " + (complaint.empty() ? "failed" : escape(complaint))};
}

}  // namespace porchlight::agent
