#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/config.h"
#include "agent/dnsmasq.h"
#include "core/clock.h"

namespace porchlight::agent {

/// The dnsmasq beside us, as the keeper cares for it: what it should tell hosts and whom it should
/// ask stands here until it was told, however often a full disk or a missing right comes between.
/// What a former configuration left standing goes first: two fragments at once would keep dnsmasq
/// from starting.
class Companion {
  public:
    Companion(const Config& config, Storage& storage);

    /// At a start: `former` was taken by a run that did not end cleanly. What is not gone on with
    /// is taken back by it, now or at a later look.
    void succeed(const Config& former);
    /// Lives by another configuration from now on; the same goes for what stood until now. `feed`
    /// tells dnsmasq the rest.
    void follow(const Config& next);
    /// Nothing stands that only a former configuration knows of.
    bool clear() const { return !leaving_; }

    /// Tells dnsmasq everything, and restarts it where it has not read the fragment.
    void feed(Clock::time_point now);
    /// The same with the options that were told when the last run ended, before anything could be
    /// probed: after a power cut every host asks at once.
    void restore(std::string_view options, Clock::time_point now);
    /// What hosts shall be told; dnsmasq hears of it now, or at the next look.
    void set_options(std::string_view options);
    /// Whether one of those whom we learned to ask has answered: dnsmasq asks us from then on.
    /// Counts where the configuration names nobody. Whether that is news, for feed().
    bool set_upstream_known(bool known);
    /// Does what is not done yet, one step at a time, and sees whether what was done still stands:
    /// a person may have removed a file, or restarted dnsmasq at a bad moment.
    void look(Clock::time_point now);
    /// Hosts are told nothing more, and dnsmasq asks those that it asked before.
    Result<void> let_go();

    /// What hosts shall be told, as set last; none where dnsmasq is for others to feed.
    const std::string& options() const { return options_; }
    bool found() const { return dnsmasq_.process().has_value(); }
    /// Why dnsmasq does not do what it should, for people; empty: it does.
    std::string trouble() const;

  private:
    std::string fragment() const;
    std::string servers() const;
    void leave();
    void tell(Clock::time_point now);
    void see_it_read(Clock::time_point now);
    void note_change(const std::string& trouble_before) const;

    Config config_;
    Storage* storage_;
    Dnsmasq dnsmasq_;
    std::optional<Config> leaving_;  // by which something stands that has to go
    std::optional<Config> left_;     // by which dnsmasq was let go: nobody else feeds it since
    bool upstream_known_ = false;
    std::string options_;                // those that are wanted
    Result<void> told_;                  // the last try to write what is wanted and to signal it
    Result<void> read_;                  // whether the fragment was read, or what has to be done
    Clock::time_point restart_at_{};     // not again before
    std::chrono::seconds restart_wait_;  // from one restart to the next
};

}  // namespace porchlight::agent
