#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace porchlight::agent {

/// Where DNS over HTTPS is usual, and where the router's own web pages have that port.
inline constexpr std::uint16_t https_port = 443;
inline constexpr std::uint16_t https_port_beside = 8443;

/// The inodes of the sockets that listen at TCP `port`, by the kernel's table (/proc/net/tcp or
/// /proc/net/tcp6, proc(5)). Lines that are no such table's are passed over.
std::set<std::uint64_t> listening_at(std::string_view table, std::uint16_t port);

/// Who beside porchlight listens at TCP `port` of this machine: the name of the process, or empty
/// where that can't be seen. Nothing where nobody does.
std::optional<std::string> holder_of(std::uint16_t port);

}  // namespace porchlight::agent
