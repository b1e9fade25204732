#include "agent/setup_ranges.h"

#include <algorithm>

namespace porchlight::agent::setup {
namespace {

constexpr std::string_view blanks = " \t\r";

template <class Address>
bool same_network(const Address& a, const Address& b, unsigned prefix) {
    for (unsigned bit = 0; bit < prefix && bit < 8 * a.octets.size(); ++bit) {
        const unsigned mask = 0x80u >> bit % 8;
        if (((a.octets[bit / 8] ^ b.octets[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

template <class Address>
bool holds(const net::LinkAddress& network, const Address& address) {
    const auto* own = std::get_if<Address>(&network.address);
    return own != nullptr && same_network(*own, address, network.prefix);
}

bool is_condition(std::string_view word) {
    for (std::string_view prefix : {"tag:", "set:", "net:"})
        if (word.starts_with(prefix)) return true;
    return false;
}

constexpr std::string_view constructor_word = "constructor:";

}  // namespace

std::optional<DhcpRange> parse_dhcp_range(std::string_view value) {
    std::vector<std::string> words = comma_separated(value);
    std::erase_if(words, is_condition);
    if (words.empty()) return std::nullopt;
    // "fd00::,constructor:br-lan,ra-only" and "::100,::1ff,constructor:br-lan" alike.
    const auto start = parse_address(words.front());
    if (!start) return std::nullopt;
    DhcpRange range{*start, {}, true, false};
    if (std::holds_alternative<Ipv4>(*start)) return range;
    bool leases = false, informs = false;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word.starts_with(constructor_word))
            range.constructor = word.substr(constructor_word.size());
        leases = leases || word == "static" || parse_address(word);
        informs = informs || word == "ra-stateless";
        range.advertised = range.advertised || word == "slaac" || word.starts_with("ra-");
    }
    range.dhcp = leases || informs || !range.advertised;
    return range;
}

bool covers(const DhcpRange& range, const net::Link& link) {
    if (!range.constructor.empty()) return matches(range.constructor, link.name);
    return std::any_of(link.addresses.begin(), link.addresses.end(), [&](const auto& network) {
        return std::visit([&](const auto& start) { return holds(network, start); }, range.start);
    });
}

bool matches(std::string_view pattern, std::string_view interface) {
    if (!pattern.ends_with('*')) return pattern == interface;
    return interface.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view interface) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& one) { return matches(one, interface); });
}

std::vector<std::string> comma_separated(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string word = trimmed(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
        if (!word.empty()) words.push_back(std::move(word));
    }
    return words;
}

std::string trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    text = text.substr(first, text.find_last_not_of(blanks) + 1 - first);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return std::string(text);
}

}  // namespace porchlight::agent::setup
