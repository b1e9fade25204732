#include "agent/config_table_parts.h"

// Processes, log, metrics and directories.

namespace porchlight::agent::config {
namespace {

constexpr Setting table[] = {
    {.path = "/workers",
     .type = Type::integer,
     .min = 1,
     .max = 64,
     .fallback = "1",
     .help = "The number of threads that serve DNS; one for each processor core is the most that "
             "helps. It changes only by a restart."},
    {.path = "/log",
     .fallback = "{}",
     .help = "What is said, and where. Keys, tokens and passwords never are."},
    {.path = "/log/level",
     .type = Type::choice,
     .choices = "error|warn|info|debug",
     .fallback = "\"info\"",
     .help = "The least important line that is written. No line names what hosts ask for, "
             "whatever the level; `porchlight queries` does, where query_log wants it."},
    {.path = "/log/target",
     .type = Type::choice,
     .choices = "stderr|syslog",
     .fallback = "\"stderr\"",
     .help = "Where lines go: standard error, with the priority in front unless it is a terminal, "
             "or syslog. A service manager wants the former."},
    {.path = "/metrics",
     .fallback = "{}",
     .help = "What `porchlight metrics` prints, for Prometheus to fetch. docs/metrics.md names "
             "each."},
    {.path = "/metrics/listen",
     .type = Type::list,
     .max = 8,
     .fallback = "[]",
     .shorthand = true,
     .help = "Where it is served by HTTP, at /metrics, such as \"127.0.0.1:9853\". Whoever can "
             "connect there may read it, so beside loopback only an address of the router's on an "
             "interface of lan can be named, and what comes by another interface does not reach "
             "it."},
    {.path = "/metrics/listen/*",
     .type = Type::endpoint,
     .help = "An address and a port from 1024. Without a port it is 9853."},
    {.path = "/users",
     .fallback = "{}",
     .help = "Who the processes that talk to the network run as. Without root they run as who "
             "started them."},
    {.path = "/users/agent",
     .type = Type::user,
     .fallback = "\"porchlight\"",
     .help = "The user, by name or number, of the process that plans, announces and obtains "
             "certificates. It should own nothing else."},
    {.path = "/users/forwarder",
     .type = Type::user,
     .fallback = "\"porchlight-dns\"",
     .help = "The user, by name or number, of the process that serves DNS. It should own nothing "
             "at all."},
    {.path = "/state_directory",
     .type = Type::path,
     .fallback = "\"/var/lib/porchlight\"",
     .help = "The directory for what must outlive a restart: certificates, the ACME account, what "
             "was announced. It is made where it is missing, for root alone."},
    {.path = "/runtime_directory",
     .type = Type::path,
     .fallback = "\"/run/porchlight\"",
     .help = "The directory, in memory, for the control socket and the files that dnsmasq reads. "
             "It is made where it is missing."},
};

}  // namespace

std::span<const Setting> process_settings() {
    return table;
}

}  // namespace porchlight::agent::config
