#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "core/writer.h"

namespace porchlight::forwarder {

/// What a descriptor from the keeper is for. UDP sockets are bound, TCP sockets listen; all are
/// non-blocking. DoT and DoH sockets are bound to a LAN interface, Do53 ones to loopback.
enum class ListenerKind : std::uint8_t { dot = 1, do53_udp = 2, do53_tcp = 3, doh = 4 };

struct ListenerInfo {
    ListenerKind kind = ListenerKind::dot;
    std::uint8_t worker = 0;  // which worker serves it (SO_REUSEPORT gives each its own)
    std::string interface;    // "br-lan"; empty: loopback
    bool operator==(const ListenerInfo&) const = default;
};

/// Body of Control::listeners: one entry a descriptor, in their order. A new message replaces all
/// listeners; connections that came by one of a kind and a link that is not among them are left.
void write(Writer& out, const std::vector<ListenerInfo>& listeners);
Result<std::vector<ListenerInfo>> parse_listeners(Bytes message);

}  // namespace porchlight::forwarder
