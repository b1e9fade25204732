#include "agent/guard_ports.h"

#include <algorithm>

#include "agent/guard_socket.h"
#include "core/fields.h"

namespace porchlight::agent {
namespace {

constexpr std::size_t ethernet_address_octets = 6;

bool is_trusted(const Config& config, const std::string& port) {
    const auto& trusted = config.guard.trusted_ports;
    return std::find(trusted.begin(), trusted.end(), port) != trusted.end();
}

/// Nobody else is on the loopback link, whose address is zeros.
bool has_neighbours(const net::Link& link) {
    return link.hardware_address.size() == ethernet_address_octets &&
           link.hardware_address != Buffer(ethernet_address_octets, 0);
}

/// Each LAN link that is there, with a list of its ports.
template <class Visit>
void for_each_lan(const Config& config, const std::vector<net::Link>& links, Visit visit) {
    for (const LanConfig& lan : config.lan)
        for (const net::Link& link : links)
            if (link.name == lan.interface) visit(link);
}

bool is_guarded_port(const net::Link& port, const net::Link& bridge, const Config& config) {
    return port.master == bridge.index && !is_trusted(config, port.name);
}

/// Whether what comes untagged to a port is of another network than the bridge's own.
bool is_of_another(const net::Link& port, const net::Link& bridge) {
    return bridge.filters_vlans && port.untagged_vlan != bridge.untagged_vlan;
}

}  // namespace

std::vector<GuardPort> bridge_ports(const Config& config, const std::vector<net::Link>& links) {
    std::vector<GuardPort> ports;
    for_each_lan(config, links, [&](const net::Link& lan) {
        if (!lan.bridge) return;
        for (const net::Link& port : links)
            if (is_guarded_port(port, lan, config))
                ports.push_back({lan.name, port.name, port.index});
    });
    return ports;
}

std::vector<GuardPort> guard_ports(const Config& config, const std::vector<net::Link>& links) {
    std::vector<GuardPort> ports;
    for_each_lan(config, links, [&](const net::Link& lan) {
        for (const net::Link& port : links)
            if (lan.bridge && is_guarded_port(port, lan, config) && !is_of_another(port, lan))
                ports.push_back({lan.name, port.name, port.index});
        if (!lan.bridge && has_neighbours(lan) && !is_trusted(config, lan.name))
            ports.push_back({lan.name, lan.name, lan.index});
    });
    return ports;
}

GuardFacts guard_facts(const Config& config, const std::vector<net::Link>& links,
                       const Plan& plan) {
    GuardFacts facts;
    facts.trusted_macs = config.guard.trusted_macs;
    facts.trusted_ports = config.guard.trusted_ports;
    for (const LanConfig& lan : config.lan) facts.links.push_back(lan.interface);
    for (const net::Link& link : links) {
        net::MacAddress mac;
        if (link.hardware_address.size() == mac.octets.size() && link.up) {
            std::copy(link.hardware_address.begin(), link.hardware_address.end(),
                      mac.octets.begin());
            if (mac != net::MacAddress()) facts.macs.push_back(mac);
        }
        for (const net::LinkAddress& one : link.addresses) facts.addresses.push_back(one.address);
    }
    const auto add = [&](const std::vector<dns::EncryptedResolver>& resolvers) {
        facts.planned.insert(facts.planned.end(), resolvers.begin(), resolvers.end());
    };
    for (const LinkPlan& link : plan.links) add(link.resolvers);
    for (const GroupPlan& group : plan.groups) add(group.resolvers);
    return facts;
}

void write(Writer& out, const std::vector<GuardHandover::Port>& ports) {
    write_list(out, ports, [&](const GuardHandover::Port& one) {
        write_field(out, one.port.link);
        write_field(out, one.port.port);
        out.u32(one.port.index);
        out.u8(one.is_new);
    });
}

Result<std::vector<GuardHandover::Port>> parse_guard_ports(Bytes message) {
    Reader in(message);
    auto ports = read_list<GuardHandover::Port>(in, [](Reader& part) {
        GuardHandover::Port one;
        one.port.link = read_text_field(part);
        one.port.port = read_text_field(part);
        one.port.index = part.u32();
        one.is_new = part.u8() != 0;
        return one;
    });
    if (!in.finished()) return in.error("ports to listen at");
    return ports;
}

std::optional<GuardHandover> GuardPorts::follow(std::vector<GuardPort> wanted) {
    hindered_.clear();
    if (wanted.size() > guard_ports_max) {
        hindered_["listen for rogue routers and DHCP servers at more than " +
                  std::to_string(guard_ports_max) + " ports"] =
            "there are " + std::to_string(wanted.size());
        wanted.resize(guard_ports_max);
    }
    GuardHandover handover;
    std::vector<GuardPort> listened;
    for (GuardPort& port : wanted) {
        const bool is_new =
            !handed_ || std::find(handed_->begin(), handed_->end(), port) == handed_->end();
        if (is_new) {
            auto socket = open_guard_socket(port.index);
            // One that is gone again needs no word; another change follows.
            if (!socket && socket.error().code != Errc::unavailable)
                hindered_["listen for rogue routers and DHCP servers on " + port.link] =
                    socket.error().code == Errc::denied ? "" : socket.error().message;
            if (!socket) continue;
            handover.sockets.push_back(std::move(*socket));
        }
        handover.ports.push_back({port, is_new});
        listened.push_back(std::move(port));
    }
    if (handed_ ? *handed_ == listened : listened.empty()) return std::nullopt;
    handed_ = std::move(listened);
    return handover;
}

}  // namespace porchlight::agent
