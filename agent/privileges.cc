#include "agent/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

namespace porchlight::agent {
namespace {

Error denied(const char* doing) {
    return {Errc::denied, std::string(doing) + ": " + std::strerror(errno)};
}

/// The capability sets through the bare calls: what is needed of libcap is these two.
struct Capabilities {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};

    bool read() { return ::syscall(SYS_capget, &header, data) == 0; }
    bool apply() { return ::syscall(SYS_capset, &header, data) == 0; }
};

Result<void> enter_root(const std::string& root) {
    if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0)
        return denied("cannot lock itself into the empty root");
    return {};
}

Result<void> become(const User& user) {
    if (::setgroups(0, nullptr) != 0) return denied("cannot leave its groups");
    if (::setresgid(user.gid, user.gid, user.gid) != 0) return denied("cannot change its group");
    if (::setresuid(user.uid, user.uid, user.uid) != 0) return denied("cannot change its user");
    return {};
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

Result<void> drop_capabilities() {
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    Capabilities none;
    if (!none.apply()) return denied("cannot drop its capabilities");
    return {};
}

}  // namespace

std::optional<User> find_user(const std::string& name) {
    unsigned number = 0;
    const char* const end = name.data() + name.size();
    if (const auto [stop, ec] = std::from_chars(name.data(), end, number);
        ec == std::errc() && stop == end)
        return User{number, number};
    // Not by getpwnam, which loads what nsswitch names and asks daemons, at each start.
    const std::unique_ptr<std::FILE, CloseFile> accounts(std::fopen("/etc/passwd", "re"));
    while (const passwd* account = accounts ? ::fgetpwent(accounts.get()) : nullptr)
        if (name == account->pw_name) return User{account->pw_uid, account->pw_gid};
    return std::nullopt;
}

bool can_become(const User& user) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(become(user) ? 0 : 1);
    int status = 1;
    return pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

Result<void> confine(const Confinement& confinement) {
    const pid_t parent = ::getppid();
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (!confinement.root.empty()) {
        if (auto entered = enter_root(confinement.root); !entered) return entered;
    }
    if (confinement.user) {
        if (auto became = become(*confinement.user); !became) return became;
    }
    if (auto dropped = drop_capabilities(); !dropped) return dropped;
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return denied("cannot forgo new privileges");
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (confinement.parent_death_signal != 0) {
        // Set last: a change of user would clear it. The parent may have died before.
        ::prctl(PR_SET_PDEATHSIG, confinement.parent_death_signal, 0, 0, 0);
        if (::getppid() != parent) return Error{Errc::unavailable, "the keeper is gone"};
    }
    return {};
}

Result<void> become_nobody() {
    std::optional<User> nobody = find_user("nobody");
    if (nobody && !can_become(*nobody)) nobody.reset();
    return confine({nobody, "", 0});
}

bool has_capability(int capability) {
    Capabilities mine;
    if (!mine.read()) return false;
    return (mine.data[capability / 32].effective >> (capability % 32) & 1u) != 0;
}

}  // namespace porchlight::agent
