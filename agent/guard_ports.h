#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/hindrances.h"
#include "agent/plan.h"
#include "agent/rogues.h"
#include "core/bytes.h"
#include "core/file_descriptor.h"
#include "core/result.h"
#include "core/writer.h"
#include "net/link.h"

namespace porchlight::agent {

/// As many are listened at; what is beyond is told.
inline constexpr std::size_t guard_ports_max = 128;

/// Every port of the home's bridges that is not trusted, in order.
std::vector<GuardPort> bridge_ports(const Config& config, const std::vector<net::Link>& links);
/// Those that are of the home's VLAN, and the home's links that are no bridge: where rogues are
/// listened for. All of them, also beyond guard_ports_max.
std::vector<GuardPort> guard_ports(const Config& config, const std::vector<net::Link>& links);

/// Whose words are no rogue's by what is known now.
GuardFacts guard_facts(const Config& config, const std::vector<net::Link>& links, const Plan& plan);

/// Where the agent shall listen from now on. The sockets of those that are new come along, in
/// order.
struct GuardHandover {
    struct Port {
        GuardPort port;
        bool is_new = false;
    };
    std::vector<Port> ports;
    std::vector<FileDescriptor> sockets;
};

void write(Writer& out, const std::vector<GuardHandover::Port>& ports);
Result<std::vector<GuardHandover::Port>> parse_guard_ports(Bytes message);

/// The keeper's knowledge of where the agent listens: ports come and go with Wi-Fi and cables, and
/// a socket that is there keeps what it has heard.
class GuardPorts {
  public:
    /// What the agent must be told so that it listens at `wanted`; nothing where it does.
    std::optional<GuardHandover> follow(std::vector<GuardPort> wanted);
    /// The agent is new and has nothing.
    void forget() { handed_.reset(); }
    const Hindrances::Reasons& hindered() const { return hindered_; }

  private:
    std::optional<std::vector<GuardPort>> handed_;  // what the agent listens at
    Hindrances::Reasons hindered_;
};

}  // namespace porchlight::agent
