#pragma once

#include <compare>
#include <optional>
#include <vector>

#include "core/address.h"
#include "core/result.h"
#include "core/writer.h"
#include "forwarder/link_name.h"
#include "net/frame.h"

namespace porchlight::forwarder {

/// A host that is on a link itself, and the hardware address that the kernel found for it.
struct Neighbour {
    LinkName link;
    IpAddress address;
    net::MacAddress mac;
    bool operator==(const Neighbour&) const = default;
};

/// Who is on the home's links: the agent tells, this process can't look for itself. Read only.
class Neighbours {
  public:
    /// What is told beyond is cut off; the kernel's tables hold 1,024 of each family.
    static constexpr std::size_t neighbours_max = 8192;

    Neighbours() = default;
    explicit Neighbours(std::vector<Neighbour> told);

    /// Null: none that is on the link, as far as is known yet.
    const net::MacAddress* find(const LinkName& link, const IpAddress& address) const;
    std::size_t size() const { return list_.size(); }

  private:
    std::vector<Neighbour> list_;  // by link and address
};

/// Body of Control::neighbours: in place of those before, so that a message that is lost, or passed
/// over for a newer one, leaves nothing wrong.
void write(Writer& out, const std::vector<Neighbour>& neighbours);
Result<std::vector<Neighbour>> parse_neighbours(Bytes message);

}  // namespace porchlight::forwarder
