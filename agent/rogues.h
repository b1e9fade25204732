#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "agent/server_message.h"
#include "core/clock.h"
#include "dns/encrypted_resolver.h"
#include "net/frame.h"

namespace porchlight::agent {

/// How much a stranger's message can do, the worst last.
enum class Threat {
    beside,    // routes to some network beside the home, no default route, no resolver
    server,    // it would be the hosts' router or DHCP server, or hides what it is
    resolver,  // it tells hosts of a resolver that is not this home's
};

/// What tells this router's own words, and those of others that it trusts, from a stranger's.
struct GuardFacts {
    std::vector<net::MacAddress> macs;  // of this machine
    std::vector<IpAddress> addresses;   // likewise
    std::vector<dns::EncryptedResolver> planned;
    std::vector<net::MacAddress> trusted_macs;
    std::vector<std::string> trusted_ports;
    std::vector<std::string> links;  // the home's
};

/// A port that is listened at: of a bridge, or a link that is none.
struct GuardPort {
    std::string link;
    std::string port;  // the link's own name where that is no bridge
    unsigned index = 0;
    bool operator==(const GuardPort&) const = default;
};

/// A resolver that a stranger tells of. Kept is what judging it again takes, where the plan has
/// changed; nothing of one with more addresses than are kept, which stays a stranger's.
struct StrangeResolver {
    struct Encrypted {
        dns::Name adn;
        std::vector<IpAddress> addresses;
    };
    std::string name;  // for people; a stranger's octets
    std::variant<std::monostate, Encrypted, IpAddress> what{};
};

/// Who acts as router or server of a link and is none.
struct Rogue {
    static constexpr std::size_t resolvers_max = 8;
    static constexpr std::size_t addresses_max = 16;

    std::string link;
    std::string port;
    net::MacAddress mac;
    ServerKind kind = ServerKind::advertisement;
    Threat threat = Threat::beside;
    bool leads_away = false;      // see ServerMessage
    bool as_this_router = false;  // from this machine's own address
    IpAddress address;            // that the last message came from
    std::string server;           // that it names; empty: none
    std::vector<StrangeResolver> resolvers;
    Clock::time_point first_seen{};
    Clock::time_point last_seen{};
    std::uint64_t messages = 0;
    bool told = false;  // what is known of it was logged
};

/// Whether a message that came in at `port` is a rogue's. Frames that this machine sent are not for
/// here; one of its own that a loop brings back is nobody's, unless it says what we never did.
std::optional<Rogue> judge(const net::Frame& frame, const ServerMessage& message,
                           const GuardPort& port, const GuardFacts& facts);

/// Those that were seen in the last hour. Bounded for each port, so that a flood of forged
/// addresses at one of them hides nobody at another; who matters least makes room.
class Rogues {
  public:
    static constexpr std::size_t per_port_max = 16;
    static constexpr std::size_t rogues_max = 512;
    static constexpr std::chrono::seconds kept_for{3600};

    /// Adds what was seen to what is known. The entry while there is news in it that nobody was
    /// told; null where there is none, or no room for it. Valid until the next call.
    Rogue* note(Rogue seen, Clock::time_point now);
    /// The worst first.
    std::vector<Rogue> standing(Clock::time_point now) const;
    /// By what is known now: forgets those who are trusted and those of links that are no more the
    /// home's, and takes nobody for worse than he is since the plan has what he tells.
    void judge_again(const GuardFacts& facts);

  private:
    Rogue* make_room(const Rogue& seen);

    std::vector<Rogue> rogues_;
};

/// "A device on port lan3 of br-lan (02:…) tells hosts of another resolver by DHCPv4: rogue.example
/// at 192.0.2.66". Holds a stranger's octets as they came.
std::string sentence(const Rogue& rogue);
std::string kind_name(ServerKind kind);
std::string threat_name(Threat threat);

}  // namespace porchlight::agent
