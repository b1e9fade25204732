#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace porchlight::agent {

// Pieces of what nft reads.

/// Of a bridge of the home. Frames of other VLANs than the home's are another network's.
struct BridgePort {
    std::string name;
    std::uint16_t vlan = 0;  // of the home; 0: untagged frames alone are the home's
    bool operator==(const BridgePort&) const = default;
};

/// "a, b"
template <class Item, class Text>
std::string listed(const std::vector<Item>& items, Text text) {
    std::string list;
    for (const Item& item : items) list += (list.empty() ? "" : ", ") + text(item);
    return list;
}

std::string names_of(const std::vector<BridgePort>& ports);
/// A set in a table; of no elements where `elements` is empty.
std::string set_of(std::string_view name, std::string_view type, const std::string& elements);
/// A counter in a table that goes on from `packets`.
std::string counter_of(std::string_view name, std::uint64_t packets);
/// Rules that let go what comes in at `ports` and is of another VLAN. Also the tag that a bridge
/// itself has given an untagged frame is seen where tags stand.
std::string without_other_vlans(const std::vector<BridgePort>& ports);

}  // namespace porchlight::agent
