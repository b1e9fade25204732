#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "core/result.h"
#include "core/storage.h"
#include "dhcp/dnsmasq_feed.h"

namespace porchlight::agent {

/// The companion's files and process, as the keeper handles them. dnsmasq reads the fragment once,
/// at its own start; the two files that the fragment names it reads again at SIGHUP.
class Dnsmasq {
  public:
    struct Settings {
        std::string fragment;  // in dnsmasq's conf-dir
        std::string pid_file;
        std::vector<std::string>
            restart;            // run when dnsmasq has not read the fragment; may be empty
        std::string directory;  // ours, in RAM: "options", "servers", "loaded"
    };

    Dnsmasq(Storage& storage, Settings settings);

    std::string options_path() const { return settings_.directory + "/options"; }
    std::string servers_path() const { return settings_.directory + "/servers"; }

    /// Another place or process from now on.
    void use(Settings settings);

    /// Writes all three and sends SIGHUP, by which a dnsmasq that has read the fragment takes them;
    /// any other takes them when it starts.
    Result<void> feed(std::string_view fragment, std::string_view options,
                      std::string_view servers);
    /// Runs the restart command, so that the fragment is read. Fails with what a person must do
    /// where there is none.
    Result<void> restart();
    /// Whether all three stand so.
    bool has(std::string_view fragment, std::string_view options, std::string_view servers) const;
    /// Replaces the options and tells dnsmasq.
    Result<void> feed_options(std::string_view options);
    /// No option any more, other servers, no fragment for dnsmasq's next start.
    Result<void> unfeed(std::string_view servers);
    /// After that, for as long as the same process runs: its fragment keeps it from following its
    /// own resolv.conf, so it is told again where `servers` changed.
    Result<void> keep_servers(std::string_view servers);
    /// Restarts dnsmasq without us, where there is a command for it, and removes our files.
    Result<void> purge();

    /// Whether the running dnsmasq has read this fragment, and so takes options and servers. Keeps
    /// that it has, for those who come after a change of the clock.
    bool takes(std::string_view fragment);
    /// The running dnsmasq, by its pid file; nothing where there is none.
    std::optional<pid_t> process() const;

  private:
    Result<void> write(const std::string& path, std::string_view text);
    Result<void> tell();
    bool stands(const std::string& path, std::string_view text) const;
    bool has_read(std::string_view fragment, pid_t pid) const;
    void note_read(std::string_view fragment, pid_t pid);
    std::string identity(pid_t pid) const;

    /// Since when a fragment stands, in clock ticks after boot: no setting of the clock moves it.
    struct Standing {
        std::string fragment;
        double ticks = 0;
        bool written = false;  // by us, at that moment; else it stood before
    };

    Storage* storage_;
    Settings settings_;
    std::optional<Standing> standing_;
};

/// What the fragment has to say.
dhcp::DnsmasqFragment dnsmasq_fragment(const Config& config, const Dnsmasq& dnsmasq);
/// Whether there is something to tell a dnsmasq: options for hosts, or that it shall ask us.
bool uses_dnsmasq(const Config& config);
/// For people: that it does not run, where hosts need it or, if `odhcpd_would_do`, an odhcpd.
std::string why_no_dnsmasq(const Config& config, bool odhcpd_would_do);
Dnsmasq::Settings dnsmasq_settings(const Config& config);
/// The servers file that points at our Do53 listeners, and the one for after us: the servers that
/// dnsmasq had before, or none, as `dnsmasq.on_exit` says.
std::string our_servers(const Config& config);
std::string former_servers(const Config& config, Storage& storage);

}  // namespace porchlight::agent
