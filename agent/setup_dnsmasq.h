#pragma once

#include <string>
#include <vector>

#include "agent/setup_ranges.h"
#include "core/storage.h"

namespace porchlight::agent::setup {

/// A process that is a dnsmasq.
struct DnsmasqProcess {
    std::vector<std::string> arguments;  // without the program's own name
    std::string cgroups;                 // as /proc/PID/cgroup has them
    bool init_script = false;            // this machine has /etc/init.d/dnsmasq
    std::string directory = "/";         // where it is now; a daemon is at "/"
};

/// How a dnsmasq was started and configured, as far as it matters here.
struct DnsmasqFound {
    std::string config_file = "/etc/dnsmasq.conf";
    std::string fragment;  // where a file of ours belongs; empty: it reads no conf-dir
    std::string pid_file = "/run/dnsmasq.pid";
    std::string lease_file = "/var/lib/misc/dnsmasq.leases";
    std::string resolv_file = "/etc/resolv.conf";
    std::vector<std::string> interfaces = {};         // it serves, "*" at the end; empty: all
    std::vector<std::string> except_interfaces = {};  // but for these
    std::string domain = {};                          // of the home's names; empty: none
    std::vector<std::string> servers = {};            // that it asks by itself, for all names
    std::vector<std::string> restart = {};            // a program and its arguments; empty: unknown
    std::vector<DhcpRange> ranges = {};
    bool enable_ra = false;
    std::vector<std::string> no_dhcpv4 = {};  // interfaces of which it is told not to
    std::vector<std::string> no_dhcpv6 = {};
    std::vector<std::string> unread = {};  // files that it was told of relative to who knows where
    bool operator==(const DnsmasqFound&) const = default;
};

/// Bound on the files that one dnsmasq's configuration is followed through.
inline constexpr int dnsmasq_files_max = 64;

/// What `process` makes of its command line and of the files that this names, as dnsmasq(8) says:
/// the last of several values counts, files come after the command line. A file that can't be read
/// is passed over. Relative paths begin where the process is; but dnsmasq goes to "/" once it has
/// read its configuration, unless it runs with -d, so that where this one began can't be told any
/// more then. A restart is known only where the process is a service of this machine.
DnsmasqFound read_dnsmasq(const DnsmasqProcess& process, Storage& storage);

/// Whether it answers the hosts of an interface.
bool serves(const DnsmasqFound& dnsmasq, const std::string& interface);

}  // namespace porchlight::agent::setup
