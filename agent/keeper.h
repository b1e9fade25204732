#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/carrier_watch.h"
#include "agent/child.h"
#include "agent/companion.h"
#include "agent/config.h"
#include "agent/config_change.h"
#include "agent/file_marks.h"
#include "agent/firewall.h"
#include "agent/former_run.h"
#include "agent/forwarder_deaths.h"
#include "agent/guard_ports.h"
#include "agent/guard_rules.h"
#include "agent/hindrances.h"
#include "agent/keeper_protocol.h"
#include "agent/last_will.h"
#include "agent/lease_file.h"
#include "agent/odhcpd.h"
#include "agent/privileges.h"
#include "agent/provisions.h"
#include "agent/service_sockets.h"
#include "agent/state_files.h"
#include "agent/troubles.h"
#include "agent/wan_sockets.h"
#include "core/storage.h"

namespace porchlight::agent {

/// The process that holds the privileges and reads no octet that came from a network: it opens
/// sockets, writes files, tells dnsmasq, loads the firewall rule, and starts its children again
/// whenever they die. Agent and forwarder have nothing but what it hands them.
class Keeper {
  public:
    /// `config` is valid and came from `config_json` at `config_file`.
    Keeper(std::string config_file, Config config, Buffer config_json, Storage& storage);

    /// Runs until SIGTERM or SIGINT; SIGHUP reloads. Returns the exit status.
    int run();

  private:
    static constexpr const char* reload_was_refused = "the last reload was refused";

    // Start and end.
    Result<void> prepare();
    void take_over(const FormerRun& former);
    void keep_config();
    void find_users();
    void stop();

    // The world around.
    void look_at_carriers(Clock::time_point now);
    void look_at_dnsmasq(Clock::time_point now);
    bool looks_at_odhcpd() const;
    void look_at_odhcpd(Clock::time_point now);
    void forget_what_hangs_on_a_wan();
    void feed_odhcpd(const std::vector<dhcp::OdhcpdEntry>& entries);
    void close_ports(const Fence& fence);
    void look_at_firewall(Clock::time_point now);
    void guard_links();
    void load_guard_rules(const std::vector<net::Link>& links);
    void look_at_guard(Clock::time_point now);
    void look_at_leases(Clock::time_point now);
    void on_leases(Bytes message);
    void reload();
    Result<void> take(Buffer config_json);
    void look_at_files(Clock::time_point now);
    Result<void> take_files();
    void hold(World named);
    void forget_files();
    void forget_refusal();
    Result<Opening> open_beside(const Config& next);
    void follow(const ConfigChange& change);

    // Children.
    void start_due_children(Clock::time_point now);
    void start_forwarder(Clock::time_point now);
    void start_agent(Clock::time_point now);
    void introduce_agent_to_forwarder();
    void send_world();
    void send_wan_records();
    void send_link_sockets();
    void send_former_link_sockets();
    void send_wan_sockets();
    void send_listeners(Opening opening);
    void try_listeners_again(Clock::time_point now);
    bool links_are_those() const;
    void try_links_again(Clock::time_point now);
    void send_processes();
    void send_refused(Clock::time_point now);
    void start_provision();
    void reap(Clock::time_point now);

    // The loop.
    void wait(Clock::time_point until);
    Clock::time_point next_deadline() const;
    void on_signals();
    void on_forwarder();
    void on_agent();
    void on_agent_message(net::ChannelMessage message);
    void on_dnsmasq_options(std::string_view options);
    void on_upstreams(Bytes learned);
    void on_new_certificate(Bytes message);
    void on_links_changed();

    void report(const Result<void>& done, const char* doing);
    void note(const std::string& doing, const Result<void>& done);

    std::string config_file_;
    Config asked_;  // as the user wrote it
    CarrierWatch carriers_;
    Found found_;
    Config config_;  // `asked_` with a carrier in place of each `automatic`
    Buffer config_json_;
    World named_;  // `config_json_` and the files that it names, as they were when it was taken
    FileMarks files_taken_;  // marks of those that others renew, as they were read last
    FileMarks files_seen_;   // and looked at
    Clock::time_point files_look_{};
    Storage& storage_;
    StatePaths paths_;
    Companion companion_;
    Odhcpd odhcpd_;
    LastWill last_will_;
    bool config_kept_ = false;            // for whoever must withdraw
    std::set<std::string> former_links_;  // an agent that is no more may have told their hosts
    std::string former_accepted_;         // kept by a run with another state directory; empty: none
    FileDescriptor lock_;
    FileDescriptor signals_;
    ForwarderDeaths deaths_;
    std::optional<User> agent_user_;
    std::optional<User> forwarder_user_;
    Child agent_;
    Child forwarder_;
    Provisions provisions_;
    std::map<std::string, unsigned> link_indexes_;  // LAN interfaces as the sockets were bound
    std::vector<Service> unserved_;                 // what could not listen, and is tried again
    Clock::time_point listeners_retry_{};
    std::vector<std::string> link_sockets_missing_;  // links that are there, likewise
    Clock::time_point links_retry_{};
    WanSockets wan_sockets_;
    Hindrances hindrances_;
    Troubles troubles_;
    std::string odhcpd_trouble_;
    Clock::time_point carriers_look_{};
    Clock::time_point dnsmasq_look_{};
    Clock::time_point odhcpd_look_ = Clock::time_point::max();  // not before the agent spoke
    Clock::time_point odhcpd_doubt_{};
    Clock::time_point firewall_look_{};
    GuardPorts guard_ports_;
    GuardRules guard_rules_;
    Clock::time_point guard_look_{};
    LeaseFile lease_file_;
    bool leases_kept_ = false;   // by a dnsmasq that ran when it was looked for
    bool leases_asked_ = false;  // the agent has yet to answer
    std::vector<Lease> leases_;  // as it read them
    Processes told_;             // to the agent, last
    bool firewall_ = false;      // our rule is loaded
    bool guarded_ = false;       // it is, or can't be: sockets may listen
    bool reload_refused_ = false;
    bool stopping_ = false;
    bool withdrawn_ = false;
};

}  // namespace porchlight::agent
