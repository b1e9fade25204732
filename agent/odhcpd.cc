#include "agent/odhcpd.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "agent/plan.h"
#include "agent/spawn.h"
#include "agent/state_files.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

namespace fs = std::filesystem;
using Entries = std::vector<dhcp::OdhcpdEntry>;

constexpr std::chrono::seconds uci_may_take{5};
constexpr unsigned owner_only = 0600;
constexpr unsigned owner_alone = 0700;  // a folder

template <class T>
bool contains(const std::vector<T>& list, const T& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
}

/// One that nobody has waited for yet: its state stands behind the bracket that closes its name.
bool has_ended(const fs::path& process) {
    std::string stat;
    std::getline(std::ifstream(process / "stat"), stat);
    const std::size_t bracket = stat.rfind(") ");
    return bracket == stat.npos || stat.substr(bracket + 2).starts_with('Z');
}

void add_missing(Entries& list, const Entries& more) {
    for (const dhcp::OdhcpdEntry& entry : more)
        if (!contains(list, entry)) list.push_back(entry);
}

bool is_odhcpd(const fs::path& process) {
    std::string name;
    std::getline(std::ifstream(process / "comm") >> std::ws, name);
    if (name != "odhcpd" || has_ended(process)) return false;
    // One in a container serves links of its own.
    std::error_code unreadable;
    const auto its_network = fs::read_symlink(process / "ns/net", unreadable);
    return unreadable || its_network == fs::read_symlink("/proc/self/ns/net", unreadable);
}

/// With a folder of our own for what is staged: a commit takes everything that lies in it, and in
/// UCI's usual one the user may be half done.
Result<std::string> uci(const Odhcpd::Settings& settings, const std::vector<std::string>& command,
                        Bytes input = {}) {
    std::vector<std::string> arguments{settings.uci, "-t", settings.staging};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return read_program(arguments, input, uci_may_take);
}

Result<void> tell(const std::vector<pid_t>& odhcpd) {
    for (const pid_t pid : odhcpd)
        if (::kill(pid, SIGHUP) != 0 && errno != ESRCH)
            return Error{Errc::denied,
                         std::string("cannot signal odhcpd: ") + std::strerror(errno)};
    return {};
}

}  // namespace

std::vector<pid_t> odhcpd_processes() {
    std::vector<pid_t> found;
    std::error_code ended;
    for (fs::directory_iterator at("/proc", ended), end; !ended && at != end; at.increment(ended)) {
        const std::string digits = at->path().filename();
        pid_t pid = 0;
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
        if (parsed.ptr == digits.data() + digits.size() && pid > 1 && is_odhcpd(at->path()))
            found.push_back(pid);
    }
    return found;
}

Odhcpd::Odhcpd(Storage& storage, Settings settings)
    : storage_(&storage), settings_(std::move(settings)) {}

Result<void> Odhcpd::feed(const Entries& entries) {
    wanted_ = entries;
    if (entries.empty() && !has_journal()) {
        committed_.reset();
        return {};
    }
    std::string missing;
    if (committed_ != entries || doubted_) {
        const auto text = uci(settings_, {"show", "dhcp"});
        if (!text) return text.error();
        const dhcp::UciDhcp shown = dhcp::parse_uci_show(*text);
        Entries placed;
        for (const dhcp::OdhcpdEntry& entry : entries) {
            if (contains(shown.sections, entry.section))
                placed.push_back(entry);
            else
                missing = entry.section;
        }
        // Whatever bears our mark is ours: a backup may have brought back what we took away.
        const bool changed = doubted_ && committed_ &&
                             !std::is_permutation(shown.ours.begin(), shown.ours.end(),
                                                  committed_->begin(), committed_->end());
        if (committed_ != placed || changed) {
            Entries before = standing(shown);
            if (changed) add_missing(before, shown.ours);
            if (auto replaced = replace(before, placed); !replaced) return replaced;
            if (changed) log::warn("somebody else changed what odhcpd tells, telling it again");
        }
        doubted_ = false;
    }
    if (auto settled = settle(); !settled) return settled;
    if (!missing.empty())
        return Error{Errc::refused, "OpenWrt's configuration dhcp has no section " + missing +
                                        ": name the right one in lan's uci_section"};
    if (!entries.empty() && odhcpd_processes().empty())
        return Error{Errc::unavailable, "odhcpd is not running"};
    return {};
}

/// One that can't be read is one.
bool Odhcpd::has_journal() const {
    const auto text = storage_->read(settings_.journal);
    return text || text.error().code != Errc::unavailable;
}

/// The values in UCI that are ours, or may be where a power cut came between.
Entries Odhcpd::standing(const dhcp::UciDhcp& shown) const {
    if (!has_journal()) return {};
    if (const auto text = storage_->read(settings_.journal))
        if (auto entries = dhcp::parse_odhcpd_text(text_of(*text))) return std::move(*entries);
    log::error("the list of what odhcpd was told is damaged; UCI is asked what looks like ours",
               {{"file", settings_.journal}});
    return shown.ours;
}

Result<void> Odhcpd::replace(const Entries& before, const Entries& after) {
    // A commit that fails may have been half of one.
    committed_.reset();
    settled_ = false;
    Entries either = before;
    add_missing(either, after);
    if (auto kept = keep(either); !kept) return kept;
    if (auto made = storage_->make_directory(settings_.staging, owner_alone); !made) return made;
    // `uci batch` succeeds whatever becomes of its lines; the commit tells whether UCI can write.
    const std::string batch = dhcp::uci_batch(before, after);
    if (auto staged = uci(settings_, {"batch"}, bytes_of(batch)); !staged) return staged.error();
    if (auto done = uci(settings_, {"commit", "dhcp"}); !done) return done.error();
    committed_ = after;
    return {};
}

/// Until odhcpd has been told, the journal stays: whoever comes after a crash tells it again.
Result<void> Odhcpd::settle() {
    if (settled_) return {};
    if (auto told = tell(odhcpd_processes()); !told) return told;
    if (auto kept = committed_->empty() ? storage_->remove(settings_.journal) : keep(*committed_);
        !kept)
        return kept;
    settled_ = true;
    return {};
}

/// Also where there are none: something may be left to tell.
Result<void> Odhcpd::keep(const Entries& entries) {
    return storage_->write_whole(settings_.journal, bytes_of(dhcp::odhcpd_text(entries)),
                                 owner_only);
}

bool feeds_odhcpd(const Config& config) {
    return config.announce.dhcpv6 == DhcpCarrier::odhcpd || config.announce.ra == RaCarrier::odhcpd;
}

Result<bool> odhcpd_serves(const Config& config) {
    if (!announces(config) || ::access(config.odhcpd.uci.c_str(), X_OK) != 0) return false;
    const auto text = uci(odhcpd_settings(config), {"show", "dhcp"});
    if (!text) return text.error();
    // Not what anybody configures, but what there is while an editor writes the file anew.
    if (text->empty()) return Error{Errc::unavailable, "uci: the configuration dhcp is empty"};
    const dhcp::UciDhcp shown = dhcp::parse_uci_show(*text);
    return std::all_of(config.lan.begin(), config.lan.end(), [&](const LanConfig& lan) {
        return resolve_mode(config, lan) == Mode::off || contains(shown.served, lan.uci_section);
    });
}

Odhcpd::Settings odhcpd_settings(const Config& config) {
    const StatePaths paths(config);
    return {config.odhcpd.uci, paths.odhcpd, paths.runtime + "/uci"};
}

Entries entries_for(const Config& config, std::string_view text) {
    auto entries = dhcp::parse_odhcpd_text(text);
    if (!entries || !feeds_odhcpd(config)) return {};
    std::erase_if(*entries, [&](const dhcp::OdhcpdEntry& entry) {
        return std::none_of(config.lan.begin(), config.lan.end(),
                            [&](const LanConfig& lan) { return lan.uci_section == entry.section; });
    });
    return std::move(*entries);
}

Entries not_by_wan(const Config& config, std::string_view text) {
    Entries entries = entries_for(config, text);
    const std::vector<std::string> by_wan = links_by_wan(config);
    std::erase_if(entries, [&](const dhcp::OdhcpdEntry& entry) {
        return std::any_of(config.lan.begin(), config.lan.end(), [&](const LanConfig& lan) {
            return lan.uci_section == entry.section &&
                   std::find(by_wan.begin(), by_wan.end(), lan.interface) != by_wan.end();
        });
    });
    return entries;
}

bool odhcpd_tells(const Config& config, std::string_view text, const std::string& link) {
    if (!config.resolver) return false;
    const std::string adn = " " + dns::to_host(config.resolver->adn) + " ";
    const Entries entries = entries_for(config, text);
    return std::any_of(config.lan.begin(), config.lan.end(), [&](const LanConfig& lan) {
        return lan.interface == link &&
               std::any_of(entries.begin(), entries.end(), [&](const dhcp::OdhcpdEntry& entry) {
                   return entry.section == lan.uci_section &&
                          entry.value.find(adn) != std::string::npos;
               });
    });
}

}  // namespace porchlight::agent
