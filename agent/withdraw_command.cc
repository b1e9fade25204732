#include <linux/capability.h>
#include <net/if.h>
#include <unistd.h>

#include <cstdio>

#include "agent/accepted_config.h"
#include "agent/announced.h"
#include "agent/commands.h"
#include "agent/config.h"
#include "agent/daemon_lock.h"
#include "agent/dnsmasq.h"
#include "agent/firewall.h"
#include "agent/former_run.h"
#include "agent/guard_rules.h"
#include "agent/odhcpd.h"
#include "agent/privileges.h"
#include "agent/state_files.h"
#include "core/log.h"
#include "ra/withdraw.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::milliseconds lock_may_take{3000};

/// Takes back what Router Advertisements told; true if hosts are rid of it.
bool withdraw_advertisements(const Config& config, const StatePaths& paths, Storage& storage) {
    const auto octets = storage.read(paths.announced);
    if (!octets) {
        if (octets.error().code == Errc::unavailable) return true;
        std::fprintf(stderr, "%s\n", octets.error().message.c_str());
        return false;
    }
    const auto announced = parse_announced_links(*octets);
    if (!announced) {
        std::fprintf(stderr, "%s: %s; what hosts know by it ends with its lifetimes\n",
                     paths.announced.c_str(), announced.error().message.c_str());
        return false;
    }
    std::vector<std::string> lan;
    for (const LanConfig& one : config.lan) lan.push_back(one.interface);
    const auto ours = on_links_of(lan, *announced);
    bool done = ours.size() == announced->size();
    if (!done) std::fprintf(stderr, "not withdrawing on links that are none of the home's\n");
    std::vector<ra::Announced> stands;
    const auto outcomes = ra::withdraw_all(ours);
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const ra::Announced& link = ours[i];
        const auto& outcome = outcomes[i];
        if (!outcome) {
            stands.push_back(link);
            std::fprintf(stderr, "cannot withdraw on %s: %s\n", link.interface.c_str(),
                         outcome.error().message.c_str());
            done = false;
        } else if (outcome->packets > 0) {
            std::printf("hosts on %s were told to forget the resolver (Router Advertisement)\n",
                        link.interface.c_str());
        }
    }
    // What could not be sent is for whoever withdraws next; a link that is gone has no hosts.
    std::erase_if(stands, [](const ra::Announced& link) {
        return ::if_nametoindex(link.interface.c_str()) == 0;
    });
    if (stands.empty()) {
        (void)storage.remove(paths.announced);
        return done;
    }
    Writer left;
    write(left, stands);
    (void)storage.write_whole(paths.announced, left.view(), 0600);
    return done;
}

bool let_dnsmasq_go(const Config& config, const StatePaths& paths, Storage& storage, bool purge) {
    Dnsmasq dnsmasq(storage, dnsmasq_settings(config));
    auto gone = dnsmasq.unfeed(former_servers(config, storage));
    if (gone && purge) gone = dnsmasq.purge();
    if (!gone) std::fprintf(stderr, "dnsmasq: %s\n", gone.error().message.c_str());
    if (gone && purge && dnsmasq.process() && config.dnsmasq.restart.empty())
        std::printf(
            "dnsmasq still names the files in %s, which stay until you have restarted it: "
            "dnsmasq.restart is empty\n",
            paths.dnsmasq.c_str());
    if (purge)
        for (const std::string& path : {paths.dhcp_options, paths.prefixes})
            (void)storage.remove(path);
    return bool(gone);
}

/// Whatever the configuration is now: the daemon that loaded the rules may have had another.
bool unload_rules() {
    if (!has_capability(CAP_NET_ADMIN)) return true;
    const auto unguarded = GuardRules().unload();
    if (!unguarded) std::fprintf(stderr, "guard: %s\n", unguarded.error().message.c_str());
    const auto unloaded = unload_firewall();
    if (unloaded) return bool(unguarded);
    std::fprintf(stderr, "firewall: %s\n", unloaded.error().message.c_str());
    // Where nft is not installed a daemon loaded no rule either.
    return bool(unguarded) && unloaded.error().code == Errc::unavailable;
}

bool let_odhcpd_go(const Config& config, Storage& storage) {
    const auto gone = Odhcpd(storage, odhcpd_settings(config)).feed({});
    if (!gone) std::fprintf(stderr, "odhcpd: %s\n", gone.error().message.c_str());
    return bool(gone);
}

/// By the configuration that a daemon took, whose runtime directory is locked; true if all is done.
bool withdraw_by(const Config& config, Storage& storage, bool purge) {
    const StatePaths paths(config);
    // Quick things first: what old hosts resolve with must not wait for the RAs' pauses.
    bool done = let_dnsmasq_go(config, paths, storage, purge);
    done = let_odhcpd_go(config, storage) && done;
    done = withdraw_advertisements(config, paths, storage) && done;
    done = unload_rules() && done;
    (void)storage.remove(paths.control_socket);
    // Whoever has to repeat this may find a file that is no good then.
    if (done) (void)storage.remove(paths.accepted);
    return done;
}

}  // namespace

/// Needs no daemon and may be run twice: what is not announced any more is withdrawn already.
int withdraw_command(const Arguments& arguments) {
    FileStorage storage;
    const UsableConfig usable = usable_config(config_file(arguments), storage);
    for (const std::string& note : usable.notes) std::fprintf(stderr, "%s\n", note.c_str());
    // A file that was named and isn't there may be a slip of the pen, and another one be meant.
    const bool named_in_vain = arguments.has("config") && !storage.read(config_file(arguments));
    if (!usable.config) {
        if (!usable.nothing_stands || named_in_vain) return exit_wrong;
        std::printf("nothing is announced\n");
        return unload_rules() ? exit_done : exit_failed;
    }
    const Config& config = *usable.config;
    const StatePaths paths(config);
    // Where the runtime directory is gone, so is the daemon; what lies on flash may still stand.
    FileDescriptor lock;
    if (::access(paths.runtime.c_str(), F_OK) == 0) {
        auto taken = take_daemon_lock(paths.lock, lock_may_take);
        if (!taken) {
            std::fprintf(stderr, "%s; stop it (SIGTERM), which withdraws too\n",
                         taken.error().message.c_str());
            return exit_failed;
        }
        lock = std::move(*taken);
    }
    // A daemon may have died that had another state directory than the file names now.
    const auto json = storage.read(config_file(arguments));
    auto former = find_former_run(config, json ? Bytes(*json) : Bytes(), storage);
    if (!former) {
        std::fprintf(stderr, "%s\n", former.error().message.c_str());
        return exit_failed;
    }
    const bool elsewhere = *former && (*former)->file != paths.accepted;
    bool done = withdraw_by(config, storage, arguments.has("purge"));
    if (elsewhere) done = withdraw_by((*former)->config, storage, arguments.has("purge")) && done;
    if (done) std::printf("nothing is announced any more\n");
    return done ? exit_done : exit_failed;
}

}  // namespace porchlight::agent
