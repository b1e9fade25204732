#include "forwarder/refusals.h"

#include <iterator>

namespace porchlight::forwarder {
namespace {

struct Entry {
    const char* name;
    Refusals::Count Refusals::*value;
};

constexpr Entry entries[] = {
    {"limit_memory", &Refusals::memory},
    {"limit_connections_all", &Refusals::connections_all},
    {"limit_connections_client", &Refusals::connections_client},
    {"limit_connections_prefix", &Refusals::connections_prefix},
    {"limit_addresses_client", &Refusals::addresses_client},
    {"limit_unfinished_all", &Refusals::unfinished_all},
    {"limit_unfinished_client", &Refusals::unfinished_client},
    {"limit_unfinished_prefix", &Refusals::unfinished_prefix},
    {"limit_blocked", &Refusals::blocked},
    {"limit_kept_out", &Refusals::kept_out},
    {"limit_full_handshakes_client", &Refusals::full_handshakes_client},
    {"limit_full_handshakes_prefix", &Refusals::full_handshakes_prefix},
    {"limit_full_handshakes_share", &Refusals::full_handshakes_share},
    {"limit_resumed_handshakes_client", &Refusals::resumed_handshakes_client},
    {"limit_resumed_handshakes_prefix", &Refusals::resumed_handshakes_prefix},
    {"limit_shed", &Refusals::shed},
    {"limit_queries_client", &Refusals::queries_client},
    {"limit_queries_prefix", &Refusals::queries_prefix},
    {"limit_queries_do53", &Refusals::queries_do53},
    {"limit_in_flight_all", &Refusals::in_flight_all},
    {"limit_in_flight_client", &Refusals::in_flight_client},
    {"limit_in_flight_prefix", &Refusals::in_flight_prefix},
};
static_assert(sizeof(Refusals) == std::size(entries) * sizeof(Refusals::Count),
              "every limit has a name");

}  // namespace

void append(std::vector<Counter>& out, const Refusals& refusals) {
    for (const Entry& entry : entries) out.push_back({entry.name, refusals.*entry.value});
}

}  // namespace porchlight::forwarder
