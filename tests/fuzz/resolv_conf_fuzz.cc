#include <algorithm>

#include "check.h"
#include "dhcp/dnsmasq_feed.h"

using namespace porchlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto servers = dhcp::former_servers(text_of({data, size}));
    check(servers.size() <= dhcp::former_servers_max);
    // Nothing but the header's line and one line a server leaves for dnsmasq.
    const std::string text = dhcp::servers_text(servers);
    check(std::count(text.begin(), text.end(), '\n') == static_cast<long>(servers.size() + 1));
    return 0;
}
