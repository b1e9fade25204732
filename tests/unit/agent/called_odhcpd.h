#pragma once

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace porchlight::agent {

/// A program in UCI's place, with sections lan and guest, that keeps what it is told, as long as
/// that is staged where it does not mix with what others staged.
class ProgramForUci {
  public:
    ProgramForUci() {
        char folder[] = "/tmp/porchlight-uci-XXXXXX";
        REQUIRE(::mkdtemp(folder) != nullptr);
        folder_ = folder;
        std::ofstream(path()) << "#!/bin/sh\ncd " << folder_.string() << R"(
[ "$1 $2" = "-t /run/uci" ] || exit 1
shift 2
case "$*" in
"show dhcp")
    [ ! -e broken ] || { echo "uci: Parse error" >&2; exit 1; }
    echo look >> looks
    [ ! -e empty ] || exit 0
    echo "dhcp.lan=dhcp"; cat lan; echo "dhcp.guest=dhcp" ;;
batch) cat >> said ;;
"commit dhcp") [ ! -e full ] || { echo "uci: I/O error" >&2; exit 1; }; echo commit >> said ;;
*) exit 1 ;;
esac
)";
        std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
        show("'9 own.example'");
    }
    ~ProgramForUci() { std::filesystem::remove_all(folder_); }
    ProgramForUci(const ProgramForUci&) = delete;
    ProgramForUci& operator=(const ProgramForUci&) = delete;

    std::string path() const { return folder_ / "uci"; }
    void break_configuration() { std::ofstream(folder_ / "broken"); }
    void mend_configuration() { std::filesystem::remove(folder_ / "broken"); }
    void empty_configuration() { std::ofstream(folder_ / "empty"); }
    /// What it shows of section lan's list.
    void show(std::string_view values) {
        std::ofstream(folder_ / "lan") << "dhcp.lan.dnr=" << values << "\n";
    }
    /// One more line of what it shows.
    void show_too(std::string_view line) {
        std::ofstream(folder_ / "lan", std::ios::app) << line << "\n";
    }
    /// How often it was looked into since the last call.
    std::size_t looks() {
        const std::string text = take("looks");
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }
    void fill_flash() { std::ofstream(folder_ / "full"); }
    void empty_flash() { std::filesystem::remove(folder_ / "full"); }
    /// What it was told since the last call.
    std::string said() { return take("said"); }

  private:
    std::string take(const char* file) {
        std::stringstream text;
        text << std::ifstream(folder_ / file).rdbuf();
        std::filesystem::remove(folder_ / file);
        return text.str();
    }
    std::filesystem::path folder_;
};

/// A process that is called odhcpd, for twenty seconds at most.
inline pid_t start_called_odhcpd() {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        sigset_t awaited;
        sigemptyset(&awaited);
        sigaddset(&awaited, SIGHUP);
        sigaddset(&awaited, SIGTERM);
        sigprocmask(SIG_BLOCK, &awaited, nullptr);
        ::prctl(PR_SET_NAME, "odhcpd");
        if (::write(ready[1], "r", 1) != 1) ::_exit(1);
        bool told = false;
        const timespec limit{20, 0};
        while (::sigtimedwait(&awaited, nullptr, &limit) == SIGHUP) told = true;
        ::_exit(told ? 0 : 1);
    }
    ::close(ready[1]);
    char word = 0;
    CHECK(::read(ready[0], &word, 1) == 1);
    ::close(ready[0]);
    return pid;
}

/// Ends it; whether it got SIGHUP before. Of two signals that wait, a process takes the one with
/// the lower number first.
inline bool was_told(pid_t pid) {
    ::kill(pid, SIGTERM);
    int status = 1;
    ::waitpid(pid, &status, 0);
    return status == 0;
}

}  // namespace porchlight::agent
