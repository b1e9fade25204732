#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "core/result.h"
#include "core/storage.h"
#include "dhcp/odhcpd_feed.h"

namespace porchlight::agent {

/// OpenWrt's odhcpd as the keeper handles it: values of `list dnr` in the UCI package `dhcp`, which
/// odhcpd reads again at SIGHUP. UCI lies on flash and outlives us, so a journal beside it knows
/// which values are ours, from before the first is written until odhcpd was told that the last is
/// gone. What the user has staged in UCI is neither seen nor committed.
class Odhcpd {
  public:
    struct Settings {
        std::string uci;      // the program
        std::string journal;  // a file of ours that outlives a restart of the machine
        std::string staging;  // a folder of ours, where UCI puts changes until they are committed
    };

    Odhcpd(Storage& storage, Settings settings);

    /// Makes `entries` all that UCI has of us, and tells odhcpd where that changed anything. Fails
    /// with what a person must do; may be repeated at little cost until it succeeds. Without
    /// entries and a journal it does nothing. A journal that can't be read is kept until UCI was
    /// asked for the values that carry our mark, and is made anew from them.
    Result<void> feed(const std::vector<dhcp::OdhcpdEntry>& entries);

    /// Somebody else may have changed UCI since: the next `feed` looks, and says again what is
    /// gone.
    void doubt() { doubted_ = true; }

    /// A reload may name another program.
    void use(Settings settings) { settings_ = std::move(settings); }
    /// What was last asked for.
    const std::vector<dhcp::OdhcpdEntry>& wanted() const { return wanted_; }

  private:
    bool has_journal() const;
    std::vector<dhcp::OdhcpdEntry> standing(const dhcp::UciDhcp& shown) const;
    Result<void> replace(const std::vector<dhcp::OdhcpdEntry>& before,
                         const std::vector<dhcp::OdhcpdEntry>& after);
    Result<void> settle();
    Result<void> keep(const std::vector<dhcp::OdhcpdEntry>& entries);

    Storage* storage_;
    Settings settings_;
    std::vector<dhcp::OdhcpdEntry> wanted_;
    std::optional<std::vector<dhcp::OdhcpdEntry>> committed_;  // by this process
    bool doubted_ = false;                                     // whether that still stands
    bool settled_ = false;  // odhcpd was told of that, and the journal says no more than that
};

/// Whether odhcpd is one of the carriers.
bool feeds_odhcpd(const Config& config);
Odhcpd::Settings odhcpd_settings(const Config& config);

/// Those of this machine's own network that run. odhcpd has no file with its process number.
std::vector<pid_t> odhcpd_processes();
/// Whether UCI has odhcpd serve every link whose hosts are told of anything: one that it left out
/// would hear nothing once odhcpd is chosen. Runs the program, and fails where that does; false
/// where there is none, or no such link.
Result<bool> odhcpd_serves(const Config& config);

/// What the agent asks for, for the sections of the home's links alone: a process without privilege
/// wrote it. None where it is damaged.
std::vector<dhcp::OdhcpdEntry> entries_for(const Config& config, std::string_view text);

/// What of the journal's `text` may go on standing when a daemon starts: not what a WAN offered, be
/// it before a power cut in another network. odhcpd's configuration lies on flash.
std::vector<dhcp::OdhcpdEntry> not_by_wan(const Config& config, std::string_view text);

/// Whether the journal's `text` has the router's own resolver on that link.
bool odhcpd_tells(const Config& config, std::string_view text, const std::string& link);

}  // namespace porchlight::agent
