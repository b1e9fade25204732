#pragma once

#include <string>
#include <string_view>

#include "agent/config.h"
#include "agent/dnsmasq.h"

namespace porchlight::agent {

/// The dnsmasq beside us, as the keeper cares for it: what it should tell hosts and whom it should
/// ask stands here until it was told, however often a full disk or a missing right comes between.
/// A configuration that feeds no dnsmasq makes every call but `let_go` a call without effect.
class Companion {
  public:
    Companion(const Config& config, Storage& storage);

    /// Feeds what was told by DHCP when the last run ended, before anything could be probed: after
    /// a power cut every host asks at once.
    void restore();
    /// Lives by another configuration from now on. Fails where the fragment that a former one
    /// named can't be removed.
    Result<void> follow(const Config& next);
    /// What hosts shall be told; dnsmasq hears of it now, or at the next look.
    void set_options(std::string_view options);
    /// Tells again what could not be told, and sees whether a person restarted dnsmasq.
    void look();
    /// Hosts are told nothing more, and dnsmasq asks those that it asked before.
    Result<void> let_go();

    bool found() const { return dnsmasq_.process().has_value(); }
    /// Why dnsmasq does not do what it should, for people; empty: it does.
    std::string trouble() const;

  private:
    std::string fragment() const;
    void feed();
    void note_change(const std::string& trouble_before) const;

    Config config_;
    Storage* storage_;
    Dnsmasq dnsmasq_;
    std::string options_;  // those that are wanted
    Result<void> told_;    // the last try to write what is wanted and to signal it
    Result<void> read_;    // whether the fragment was read, or what has to be done for that
};

}  // namespace porchlight::agent
