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

/// The network that the address is of: what may stand in `status` and in the log, where people
/// other than the host's owner read.
std::string network_of(IpAddress address) {
    const auto cut = [](auto& octets, std::size_t kept) {
        std::fill(octets.begin() + static_cast<std::ptrdiff_t>(kept), octets.end(),
                  std::uint8_t{0});
    };
    if (auto* v4 = std::get_if<Ipv4>(&address)) {
        cut(v4->octets, 3);
        return to_text(*v4) + "/24";
    }
    auto& v6 = std::get<Ipv6>(address);
    cut(v6.octets, 7);
    return to_text(v6) + "/56";
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
    for (const IpAddress& address : suspects_.died(served, now)) {
        log::warn("a host may have killed the forwarder twice, it is kept out",
                  {{"network", network_of(address)}, {"for", to_text(Suspects::refused_for)}});
        log::debug("the host that is kept out", {{"host", to_text(address)}});
    }
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

void ForwarderDeaths::let_in_again() {
    suspects_ = {};
    let_in_at_ = Clock::time_point::max();
}

std::vector<std::string> ForwarderDeaths::lines(Clock::time_point now) const {
    std::vector<std::string> lines;
    for (const forwarder::RefusedHost& host : suspects_.refused(now))
        lines.push_back("a host of " + network_of(host.address) +
                        " is kept out for a while: the forwarder died twice while it served it");
    return lines;
}

}  // namespace porchlight::agent
