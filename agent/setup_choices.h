#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/config.h"
#include "agent/setup_dnsmasq.h"
#include "agent/setup_resolvers.h"

namespace porchlight::agent::setup {

/// A resolver outside the home. Texts are as the user gave them: the configuration's own parser
/// judges them before anything is written.
struct NamedResolver {
    std::string adn;
    std::vector<std::string> addresses;
    bool dot = false;
    bool doq = false;
    std::vector<std::string> doh_versions = {};  // empty: no DNS over HTTPS
};

NamedResolver named(const PublicResolver& resolver);

struct AcmeChoice {
    std::string directory;
    bool agree_to_terms = false;
    std::string server;  // takes dynamic updates
    std::string zone;
    std::string key_name;
    std::string key_file;
};

struct FilesChoice {
    std::string chain;
    std::string key;
};

/// This router as the home's resolver.
struct RouterChoice {
    std::string adn;
    std::uint16_t doh_port = 443;
    NamedResolver upstream;  // asked by DNS over TLS
    std::variant<FilesChoice, AcmeChoice> certificate;
};

/// Everything that the configuration follows from.
struct Choices {
    std::vector<std::string> lan;
    std::vector<std::string> wan;
    std::optional<DnsmasqFound> dnsmasq;  // none: nobody is told by DHCPv4
    bool odhcpd = false;                  // neither: nor by DHCPv6
    std::variant<NamedResolver, RouterChoice> resolver;
};

/// The home that those links make, with a resolver to tell of and all else by default, to ask who
/// serves it before anybody was asked anything. Without links it is OpenWrt's own, `lan`. Nothing
/// where they can't be links.
std::optional<Config> home_of(const std::vector<std::string>& lan);

/// The configuration file for them, whole. It says what differs from a default, and what was found.
std::string configuration(const Choices& choices);

}  // namespace porchlight::agent::setup
