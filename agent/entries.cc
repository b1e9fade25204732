#include "agent/entries.h"

#include <algorithm>

namespace porchlight::agent {
namespace {

constexpr std::uint16_t dot_port = 853;  // RFC 7858 section 3.1
constexpr std::uint16_t doq_port = 853;  // RFC 9250 section 4.1.1
constexpr std::uint16_t doh_port = 443;
constexpr std::uint16_t priority_max = 65535;

/// One entry's parameters, the members of SvcParams that a resolver here can have.
using Group = dns::SvcParams;

std::optional<std::uint16_t> said(std::uint16_t port, std::uint16_t usual) {
    return port == usual ? std::nullopt : std::optional(port);
}

/// The group of that port, made where there is none. One that has a path takes no other.
Group& group_of(std::vector<Group>& groups, std::optional<std::uint16_t> port, bool with_path) {
    for (Group& group : groups)
        if (group.port == port && !(with_path && group.dohpath)) return group;
    groups.emplace_back().port = port;
    return groups.back();
}

std::vector<Group> groups_of(const AnnouncedResolver& resolver) {
    std::vector<Group> groups;
    if (resolver.dot)
        group_of(groups, said(*resolver.dot, dot_port), false).alpn.emplace_back("dot");
    if (resolver.doq)
        group_of(groups, said(*resolver.doq, doq_port), false).alpn.emplace_back("doq");
    for (const DohConfig& doh : resolver.doh) {
        Group& group = group_of(groups, said(doh.port, doh_port), true);
        group.alpn.insert(group.alpn.end(), doh.versions.begin(), doh.versions.end());
        group.dohpath = doh.path;
    }
    if (groups.empty()) groups.emplace_back();  // the name alone
    return groups;
}

}  // namespace

std::vector<dns::EncryptedResolver> entries(std::span<const AnnouncedResolver> resolvers) {
    std::vector<dns::EncryptedResolver> whole;
    std::uint16_t next = 1;
    for (const AnnouncedResolver& resolver : resolvers) {
        next = resolver.priority.value_or(next);
        for (Group& group : groups_of(resolver)) {
            whole.push_back({next, resolver.adn, resolver.addresses, std::move(group)});
            if (next < priority_max) ++next;
        }
    }
    return dns::by_priority(std::move(whole));
}

}  // namespace porchlight::agent
