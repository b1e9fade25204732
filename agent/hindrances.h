#pragma once

#include <map>
#include <string>
#include <vector>

namespace porchlight::agent {

/// What our processes may not do here, for people. Kept by area, so that what was mended since is
/// no longer told.
class Hindrances {
  public:
    enum class Area {
        users,
        firewall,
        listeners,
        advertisements,
        wan,
        control_socket,
        guard_ports,
        guard_rules,
        leases
    };
    /// What can't be done ("serve DNS over TLS on br-lan"), and why; the latter may be empty.
    using Reasons = std::map<std::string, std::string>;

    /// Replaces what is known of an area. Logs what is new, so that trying again every few seconds
    /// makes one line, and what is mended.
    void set(Area area, Reasons reasons);
    bool holds(Area area, const std::string& what) const;
    /// "serve DNS over TLS on br-lan: cannot listen on 0.0.0.0:853: Address already in use"
    std::vector<std::string> list() const;

  private:
    std::map<Area, Reasons> areas_;
};

}  // namespace porchlight::agent
