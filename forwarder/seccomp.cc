#include "forwarder/seccomp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cstring>
#include <memory>

namespace porchlight::forwarder {
namespace {

// By name, because numbers and even existence differ between machines: a name that a machine does
// not know is passed over. The second names of a pair are what 32-bit machines call.
constexpr const char* allowed[] = {
    // octets in and out of what is open already
    "read",
    "readv",
    "pread64",
    "write",
    "writev",
    "close",
    "fcntl",
    "fcntl64",
    "dup",
    "dup3",
    "lseek",
    "_llseek",
    "fstat",
    "fstat64",
    "newfstatat",
    "statx",
    // sockets
    "socket",
    "socketcall",
    "bind",
    "connect",
    "accept",
    "accept4",
    "shutdown",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "recv",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
    "recvmmsg_time64",
    "send",
    "sendto",
    "sendmsg",
    "sendmmsg",
    // waiting
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "poll",
    "ppoll",
    "ppoll_time64",
    "_newselect",
    "eventfd2",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_settime64",
    "nanosleep",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "futex",
    "futex_time64",
    "sched_yield",
    "restart_syscall",
    // time and chance
    "clock_gettime",
    "clock_gettime64",
    "clock_getres",
    "clock_getres_time64",
    "gettimeofday",
    "time",
    "adjtimex",
    "clock_adjtime",
    "clock_adjtime64",
    "getrandom",
    // memory; mappings and protections are below
    "brk",
    "munmap",
    "mremap",
    "madvise",
    "memfd_create",
    "ftruncate",
    "ftruncate64",
    // ourselves
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "sched_getaffinity",
    "sysinfo",
    "set_robust_list",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigreturn",
    "sigaltstack",
    "tgkill",
    "exit",
    "exit_group",
};

constexpr const char* never_executable[] = {"mmap", "mmap2", "mprotect"};
constexpr unsigned protection_argument = 2;

constexpr unsigned long ioctl_requests[] = {FIONBIO, FIONREAD, SIOCOUTQ};
constexpr unsigned request_argument = 1;

struct Release {
    void operator()(void* filter) const { seccomp_release(filter); }
};

bool has_sanitizer() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

int allow(void* filter, const char* name) {
    const int number = seccomp_syscall_resolve_name(name);
    return number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

int allow_where(void* filter, const char* name, scmp_arg_cmp condition) {
    const int number = seccomp_syscall_resolve_name(name);
    return number == __NR_SCMP_ERROR
               ? 0
               : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &condition);
}

int add_rules(void* filter) {
    for (const char* name : allowed)
        if (const int failed = allow(filter, name); failed != 0) return failed;
    for (const char* name : never_executable) {
        const scmp_arg_cmp condition{protection_argument, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
        if (const int failed = allow_where(filter, name, condition); failed != 0) return failed;
    }
    for (const unsigned long request : ioctl_requests) {
        const scmp_arg_cmp condition{request_argument, SCMP_CMP_EQ, request, 0};
        if (const int failed = allow_where(filter, "ioctl", condition); failed != 0) return failed;
    }
    return 0;
}

Error denied(int failed) {
    return {Errc::denied, std::string("no system call filter: ") + std::strerror(-failed)};
}

}  // namespace

Result<void> restrict_system_calls() {
    if (has_sanitizer()) return {};
    const std::unique_ptr<void, Release> filter(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)));
    if (!filter) return denied(-ENOMEM);
    // An older kernel can't log; the filter is worth having all the same.
    seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_LOG, 1);
    if (const int failed = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1); failed != 0)
        return denied(failed);
    if (const int failed = add_rules(filter.get()); failed != 0) return denied(failed);
    if (const int failed = seccomp_load(filter.get()); failed != 0) return denied(failed);
    return {};
}

}  // namespace porchlight::forwarder
