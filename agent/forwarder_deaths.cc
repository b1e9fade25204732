#include "agent/forwarder_deaths.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "core/log.h"

namespace porchlight::agent {
namespace {

/// Whether a process was ended by what it did: not by a person, nor for want of memory.
bool is_fault(int status) {
    if (!WIFSIGNALED(status)) return false;
    constexpr std::array faults{SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGSYS};
    return std::ranges::find(faults, WTERMSIG(status)) != faults.end();
}

}  // namespace

Result<void> ForwarderDeaths::prepare() {
    auto page = forwarder::ServingPage::create();
    if (!page) return page.error();
    page_ = std::move(*page);
    return {};
}

void ForwarderDeaths::note(int status, bool killed_by_us, Clock::time_point now) {
    const std::vector<IpAddress> served = forwarder::ServingPage::take(page_);
    if (!killed_by_us && !is_fault(status)) return;
    for (const IpAddress& address : suspects_.died(served, now))
        log::warn("a host may have killed the forwarder twice, it is kept out",
                  {{"host", to_text(address)}, {"for", to_text(Suspects::refused_for)}});
}

Buffer ForwarderDeaths::refused(Clock::time_point now) {
    const std::vector<forwarder::RefusedHost> hosts = suspects_.refused(now);
    let_in_at_ = Clock::time_point::max();
    for (const forwarder::RefusedHost& host : hosts)
        let_in_at_ = std::min<Clock::time_point>(let_in_at_, now + host.left);
    if (hosts.empty()) return {};
    Writer out;
    forwarder::write(out, hosts);
    auto message = out.take();
    return message ? std::move(*message) : Buffer();
}

std::vector<std::string> ForwarderDeaths::lines(Clock::time_point now) const {
    std::vector<std::string> lines;
    for (const forwarder::RefusedHost& host : suspects_.refused(now))
        lines.push_back(to_text(host.address) +
                        " is kept out for a while: the forwarder died twice while it served it");
    return lines;
}

}  // namespace porchlight::agent
