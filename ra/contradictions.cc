#include "ra/contradictions.h"

#include <algorithm>

#include "ra/options.h"

namespace porchlight::ra {
namespace {

const Buffer* find(const NdOptions& options, std::uint8_t type) {
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const Buffer& option) { return option[0] == type; });
    return found == options.end() ? nullptr : &*found;
}

/// Zero is no word on it.
template <class Value>
bool differ(const Value& ours, const Value& theirs) {
    return ours != Value{} && theirs != Value{} && ours != theirs;
}

bool is_same_prefix(const Buffer& a, const Buffer& b) {
    constexpr std::size_t length_at = 2;
    constexpr std::size_t address_at = 16;
    return a[length_at] == b[length_at] &&
           equal(Bytes(a).subspan(address_at), Bytes(b).subspan(address_at));
}

bool prefixes_differ(const NdOptions& ours, const NdOptions& theirs) {
    for (const Buffer& a : ours)
        for (const Buffer& b : theirs)
            if (is_prefix(a) && is_prefix(b) && is_same_prefix(a, b) &&
                is_preferred(a) != is_preferred(b))
                return true;
    return false;
}

}  // namespace

std::vector<std::string> contradictions(const Advertisement& ours, const Advertisement& theirs) {
    std::vector<std::string> found;
    const RouterHeader& a = ours.header;
    const RouterHeader& b = theirs.header;
    if (differ(a.cur_hop_limit, b.cur_hop_limit)) found.emplace_back("Cur Hop Limit");
    if (((a.flags ^ b.flags) & RouterHeader::managed_flag) != 0) found.emplace_back("M flag");
    if (((a.flags ^ b.flags) & RouterHeader::other_flag) != 0) found.emplace_back("O flag");
    if (differ(a.reachable_time, b.reachable_time)) found.emplace_back("Reachable Time");
    if (differ(a.retrans_timer, b.retrans_timer)) found.emplace_back("Retrans Timer");
    const Buffer* mtu = find(ours.options, mtu_option_type);
    const Buffer* other_mtu = find(theirs.options, mtu_option_type);
    if (mtu != nullptr && other_mtu != nullptr && *mtu != *other_mtu) found.emplace_back("MTU");
    if (prefixes_differ(ours.options, theirs.options)) found.emplace_back("prefix lifetimes");
    return found;
}

}  // namespace porchlight::ra
