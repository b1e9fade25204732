#include "forwarder/views.h"

#include <algorithm>

#include "forwarder/device_id.h"

namespace porchlight::forwarder {
namespace {

/// What counts for a device: everybody's rules with its own exceptions.
RebindingRules with(RebindingRules rules, const RebindingRules::Device& device) {
    if (device.domains.empty()) {
        rules.block = false;
        return rules;
    }
    auto& domains = rules.allow_domains;
    domains.insert(domains.end(), device.domains.begin(), device.domains.end());
    std::sort(domains.begin(), domains.end());
    domains.erase(std::unique(domains.begin(), domains.end()), domains.end());
    return rules;
}

}  // namespace

Views::Views(const RebindingRules& rules) : rules_{rules} {
    RebindingRules& shared = rules_.front();
    shared.allow_devices.clear();
    std::sort(shared.allow_domains.begin(), shared.allow_domains.end());
    if (!rules.block) return;  // nothing to except anybody from
    for (const RebindingRules::Device& device : rules.allow_devices) {
        const View view = view_with(with(rules_.front(), device));
        if (device.mac) devices_.emplace_back(*device.mac, view);
        if (!device.id.empty()) named_.emplace_back(device.id, view);
    }
    std::stable_sort(devices_.begin(), devices_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
}

/// The number of those rules, a new one if need be.
View Views::view_with(RebindingRules rules) {
    const auto same = std::find(rules_.begin(), rules_.end(), rules);
    if (same != rules_.end()) return static_cast<View>(same - rules_.begin());
    if (rules_.size() == views_max) return everybody;
    rules_.push_back(std::move(rules));
    return static_cast<View>(rules_.size() - 1);
}

View Views::of(const net::MacAddress& host) const {
    const auto found =
        std::lower_bound(devices_.begin(), devices_.end(), host,
                         [](const auto& device, const auto& mac) { return device.first < mac; });
    return found != devices_.end() && found->first == host ? found->second : everybody;
}

std::optional<View> Views::of_device(std::string_view id) const {
    const auto found = std::find_if(named_.begin(), named_.end(), [&](const auto& device) {
        return same_device(device.first, id);
    });
    return found != named_.end() ? std::optional(found->second) : std::nullopt;
}

}  // namespace porchlight::forwarder
