#pragma once

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>

namespace porchlight::agent {

/// A process that is called dnsmasq, and ends well if it got SIGHUP.
class CalledDnsmasq {
  public:
    CalledDnsmasq() {
        int ready[2];
        REQUIRE(::pipe(ready) == 0);
        pid_ = ::fork();
        if (pid_ == 0) wait_for_hang_up(ready[1]);
        ::close(ready[1]);
        char word = 0;
        CHECK(::read(ready[0], &word, 1) == 1);
        ::close(ready[0]);
    }
    ~CalledDnsmasq() { (void)was_told(); }
    CalledDnsmasq(const CalledDnsmasq&) = delete;
    CalledDnsmasq& operator=(const CalledDnsmasq&) = delete;

    std::string pid() const { return std::to_string(pid_); }
    /// As it writes what it has read: number and start, the 22nd field of /proc/PID/stat.
    std::string identity() const {
        std::ifstream stat("/proc/" + pid() + "/stat");
        std::string field;
        for (int count = 0; count < 22; ++count) stat >> field;
        return pid() + " " + field;
    }
    /// Ends it. Of two signals that wait, a process takes the one with the lower number first: a
    /// SIGHUP that was sent before always counts.
    bool was_told() {
        if (pid_ > 0) ::kill(pid_, SIGTERM);
        if (pid_ > 0) ::waitpid(pid_, &status_, 0);
        pid_ = 0;
        return status_ == 0;
    }

  private:
    [[noreturn]] static void wait_for_hang_up(int ready) {
        sigset_t awaited;
        sigemptyset(&awaited);
        sigaddset(&awaited, SIGHUP);
        sigaddset(&awaited, SIGTERM);
        sigprocmask(SIG_BLOCK, &awaited, nullptr);
        ::prctl(PR_SET_NAME, "dnsmasq");
        const bool said = ::write(ready, "r", 1) == 1;
        const timespec limit{30, 0};
        ::_exit(said && ::sigtimedwait(&awaited, nullptr, &limit) == SIGHUP ? 0 : 1);
    }

    pid_t pid_ = 0;
    int status_ = 1;
};

}  // namespace porchlight::agent
