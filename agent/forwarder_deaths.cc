#include "agent/forwarder_deaths.h"

#include <algorithm>

#include "core/log.h"

namespace porchlight::agent {

Result<void> ForwarderDeaths::prepare() {
    auto page = forwarder::ServingPage::create();
    if (!page) return page.error();
    page_ = std::move(*page);
    return {};
}

void ForwarderDeaths::note(Clock::time_point now) {
    const std::vector<IpAddress> served = forwarder::ServingPage::take(page_);
    if (!suspects_.died(served, now)) return;
    for (const IpAddress& address : served)
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
