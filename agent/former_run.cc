#include "agent/former_run.h"

#include <unistd.h>

#include "agent/accepted_config.h"
#include "agent/daemon_lock.h"
#include "agent/dnsmasq.h"
#include "agent/odhcpd.h"
#include "agent/state_files.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::milliseconds former_daemon_may_take{5000};
constexpr std::chrono::milliseconds at_once{0};
constexpr unsigned owner_only = 0600;

}  // namespace

LeftBehind left_behind(const Config& former, const Config& next) {
    const bool other_fragment = former.dnsmasq.fragment != next.dnsmasq.fragment;
    const bool other_process = former.dnsmasq.pid_file != next.dnsmasq.pid_file;
    LeftBehind left;
    left.dnsmasq = !uses_dnsmasq(next) || former.runtime_directory != next.runtime_directory ||
                   (other_fragment && other_process);
    left.fragment = !left.dnsmasq && other_fragment;
    return left;
}

bool tells_alike(Config former, const Config& next) {
    former.upstream = next.upstream;
    former.do53 = next.do53;
    former.local = next.local;
    former.tls = next.tls;
    former.cache = next.cache;
    former.workers = next.workers;
    former.limits = next.limits;
    former.log = next.log;
    former.users = next.users;
    return former == next;
}

Result<std::optional<FormerRun>> find_former_run(const Config& next, Bytes config_json,
                                                 Storage& storage) {
    auto accepted = find_accepted(config_json, storage);
    if (!accepted) return std::optional<FormerRun>();
    FormerRun former{std::move(accepted->file), std::move(accepted->config), false, {}};
    const StatePaths paths(former.config);
    // Where its runtime directory is gone, so is the daemon.
    if (paths.runtime != next.runtime_directory && ::access(paths.runtime.c_str(), F_OK) == 0) {
        const bool ours = former.file == StatePaths(next).accepted;
        auto lock = take_daemon_lock(paths.lock, ours ? former_daemon_may_take : at_once);
        if (!lock && ours) return lock.error();
        // With directories of its own it is no former run of ours, but another daemon.
        if (!lock) return std::optional<FormerRun>();
        former.lock = std::move(*lock);
    }
    const ConfigResult as_written = parse_config(former.file, config_json);
    former.alike = as_written.config && tells_alike(former.config, *as_written.config);
    return std::optional<FormerRun>(std::move(former));
}

Result<void> empty_former_directories(const FormerRun& former, const Config& next,
                                      Storage& storage) {
    const StatePaths before(former.config);
    const StatePaths after(next);
    if (before.runtime != after.runtime) {
        const auto announced = storage.read(before.announced);
        if (announced && !storage.read(after.announced))
            if (auto moved = storage.write_whole(after.announced, *announced, owner_only); !moved)
                return moved;
        if (auto removed = storage.remove(before.announced); !removed) return removed;
    }
    if (before.odhcpd == after.odhcpd) return {};
    return Odhcpd(storage, odhcpd_settings(former.config)).feed({});
}

}  // namespace porchlight::agent
