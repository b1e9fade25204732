#pragma once

#include <string>
#include <vector>

#include "core/address.h"
#include "core/bytes.h"
#include "core/result.h"
#include "dns/encrypted_resolver.h"

namespace porchlight::dhcp {

/// What a DHCP server's message tells a host of resolvers, as far as it can be read. Unlike
/// parse_v4_message and parse_v6_message it is not strict: a guard that refused the whole for one
/// bad option would be silenced by it.
struct ServerReply {
    std::string server;            // "192.0.2.1", "DUID 0003…"; empty: it names none
    std::vector<IpAddress> plain;  // options 6 and 23
    std::vector<dns::EncryptedResolver> encrypted;  // options 162 and 144, the well-formed ones
};

/// A DHCPv4 message from a server, from its op octet on. Fails with `malformed` where it is none.
Result<ServerReply> parse_v4_server_reply(Bytes message);
/// A DHCPv6 message from a server to a client: Advertise, Reply or Reconfigure.
Result<ServerReply> parse_v6_server_reply(Bytes message);

}  // namespace porchlight::dhcp
