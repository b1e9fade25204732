#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/guard_sources.h"
#include "agent/nft_text.h"
#include "agent/server_message.h"
#include "core/bytes.h"
#include "core/result.h"
#include "net/frame.h"

namespace porchlight::agent {

/// What is kept from passing a bridge: messages of routers and DHCP servers that come in at these
/// ports, and what comes from another's address, unless from a trusted one.
struct Blockade {
    bool blocks = false;  // whether that is wanted; there may be no port yet
    std::vector<BridgePort> ports;
    std::vector<net::MacAddress> trusted;
    std::optional<Sources> sources{};  // none: not looked at
    bool operator==(const Blockade&) const = default;
};

/// Frames that the rules have dropped.
struct GuardDropped {
    PerServerKind blocked;     // messages of routers and servers
    std::uint64_t forged = 0;  // from another's address
    bool operator==(const GuardDropped&) const = default;
};

/// The nftables table, of the family bridge, that does it (RFC 6105, RFC 7113, RFC 7610). What this
/// router sends itself leaves by another hook and never meets it.
/// - Router Advertisements, behind whatever extension headers, and DHCP to clients.
/// - First fragments that hide what they are. Other fragments pass: without their first no host can
///   put them together.
/// - Headers of IPv6 that the kernel can't look behind, and what wears a SNAP header or two VLAN
///   tags the second of which says no VLAN: hosts differ in whether they look through.
/// - What source_rules() drops.
/// `dropped`: from where its counters go on.
std::string guard_rules(const Blockade& blockade, const GuardDropped& dropped = {});
/// How much it has dropped, from what `nft list` prints of it.
std::optional<GuardDropped> dropped_in(std::string_view listed);

/// The keeper's hold on that table.
class GuardRules {
  public:
    /// Runs nft with these arguments, fed with `input`: what it printed. Fails with `refused` where
    /// it said no.
    using Nft =
        std::function<Result<std::string>(const std::vector<std::string>& arguments, Bytes input)>;
    static Result<std::string> run_nft(const std::vector<std::string>& arguments, Bytes input);

    explicit GuardRules(Nft nft = run_nft) : nft_(std::move(nft)) {}

    /// Loads it in place of one before, in one transaction.
    Result<void> load(const Blockade& blockade);
    /// Takes it away, if it is there: also that of a process before.
    Result<void> unload();
    /// Sees whether it is still there, for whoever loads a ruleset may have flushed everybody's,
    /// and how much it has dropped. False: it is surely gone. An nft that can't be asked says
    /// nothing.
    bool look();

    const std::optional<Blockade>& loaded() const { return loaded_; }
    /// Whether there may be something to take away: loading failed on the way, or unloading did.
    bool may_stand() const { return may_stand_; }
    /// Since this process began, whatever was loaded and unloaded since.
    const GuardDropped& dropped() const { return dropped_; }

  private:
    Result<std::string> list() const;

    Nft nft_;
    std::optional<Blockade> loaded_;
    bool may_stand_ = false;
    GuardDropped dropped_;
};

}  // namespace porchlight::agent
