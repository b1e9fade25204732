#include "agent/last_will.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace porchlight::agent {
namespace {

constexpr char revoked = 'r';

[[noreturn]] void wait_and_execute(int pipe, const std::vector<std::string>& arguments) {
    // Ctrl-C and a stop of the whole service reach this process too; it goes when the keeper says
    // so.
    for (int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
    ::dup2(pipe, 3);
    ::close_range(4, ~0u, 0);
    ::prctl(PR_SET_NAME, "porchlight-will");
    char word = 0;
    ssize_t got = 0;
    do got = ::read(3, &word, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1 && word == revoked) ::_exit(0);
    std::vector<char*> list;
    for (const std::string& argument : arguments)
        list.push_back(const_cast<char*>(argument.c_str()));
    list.push_back(nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
    ::execv("/proc/self/exe", list.data());
    ::_exit(127);
}

}  // namespace

Result<void> LastWill::start(const std::vector<std::string>& arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return Error{Errc::internal, std::string("cannot make a pipe: ") + std::strerror(errno)};
    const pid_t pid = ::fork();
    if (pid < 0) return Error{Errc::internal, std::string("cannot fork: ") + std::strerror(errno)};
    if (pid == 0) wait_and_execute(ends[0], arguments);
    ::close(ends[0]);
    pipe_ = FileDescriptor(ends[1]);
    return {};
}

void LastWill::revoke() {
    if (pipe_ && ::write(pipe_.get(), &revoked, 1) == 1) pipe_.reset();
}

}  // namespace porchlight::agent
