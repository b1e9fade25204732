#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forwarder/rebinding.h"
#include "net/frame.h"

namespace porchlight::forwarder {

/// Hosts that are told the same of every name share a view. It is a part of the question wherever
/// answers are kept, merged or remembered, so that nobody hears what was meant for another.
using View = std::uint8_t;
/// That of all for whom no policy says otherwise, of the companion, and of whoever is no neighbour
/// and says nothing of himself.
inline constexpr View everybody = 0;

/// Which view a host has, and what is true in it. A policy that treats hosts differently comes in
/// here, as a member of each view; today that is which names may lead into the home. Read only, and
/// the numbers mean nothing to another Views.
class Views {
  public:
    /// Of all; devices that would need one more have everybody's. Each may hold every answer once
    /// more, within the memory of the cache.
    static constexpr std::size_t views_max = 65;

    Views() : Views(RebindingRules()) {}
    explicit Views(const RebindingRules& rules);

    /// False: everybody's is the only one, and nobody need be known.
    bool differ() const { return rules_.size() > 1; }
    std::size_t size() const { return rules_.size(); }
    View of(const net::MacAddress& host) const;
    /// Of the device that a host says it is; none: nobody knows that id.
    std::optional<View> of_device(std::string_view id) const;
    /// A number that is not of this Views is everybody's.
    const RebindingRules& rebinding(View view) const {
        return rules_[view < rules_.size() ? view : everybody];
    }

  private:
    View view_with(RebindingRules rules);

    std::vector<RebindingRules> rules_;  // by view, without exceptions for devices
    std::vector<std::pair<net::MacAddress, View>> devices_;  // by address
    std::vector<std::pair<std::string, View>> named_;        // by id, as many as views at most
};

}  // namespace porchlight::forwarder
