#include "agent/odhcpd.h"

#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "agent/spawn.h"
#include "agent/state_files.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

namespace fs = std::filesystem;
using Entries = std::vector<dhcp::OdhcpdEntry>;

constexpr std::chrono::seconds uci_may_take{5};
constexpr unsigned owner_only = 0600;

bool is_odhcpd(const fs::path& process) {
    std::string name;
    std::getline(std::ifstream(process / "comm") >> std::ws, name);
    if (name != "odhcpd") return false;
    // One in a container serves links of its own.
    std::error_code unreadable;
    const auto its_network = fs::read_symlink(process / "ns/net", unreadable);
    return unreadable || its_network == fs::read_symlink("/proc/self/ns/net", unreadable);
}

/// odhcpd has no file with its process number.
std::vector<pid_t> processes() {
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

Result<void> tell(const std::vector<pid_t>& odhcpd) {
    for (const pid_t pid : odhcpd)
        if (::kill(pid, SIGHUP) != 0 && errno != ESRCH)
            return Error{Errc::denied,
                         std::string("cannot signal odhcpd: ") + std::strerror(errno)};
    return {};
}

}  // namespace

Odhcpd::Odhcpd(Storage& storage, Settings settings)
    : storage_(&storage), settings_(std::move(settings)) {}

Result<void> Odhcpd::feed(const Entries& entries) {
    wanted_ = entries;
    if (entries.empty() && standing().empty()) {
        fed_.reset();
        return {};
    }
    std::string missing;
    if (fed_ != entries) {
        Entries placed;
        for (const dhcp::OdhcpdEntry& entry : entries) {
            const auto found = look_for_section(entry.section);
            if (!found && found.error().code != Errc::refused) return found;
            if (found)
                placed.push_back(entry);
            else
                missing = entry.section;
        }
        if (fed_ != placed) {
            if (auto replaced = replace(placed); !replaced) return replaced;
            if (auto told = tell(processes()); !told) return told;
            fed_ = std::move(placed);
        }
    }
    if (!missing.empty())
        return Error{Errc::refused, "OpenWrt's configuration dhcp has no section " + missing +
                                        ": name the right one in lan's uci_section"};
    if (!entries.empty() && processes().empty())
        return Error{Errc::unavailable, "odhcpd is not running"};
    return {};
}

/// The values in UCI that are ours, or may be where a power cut came between.
Entries Odhcpd::standing() {
    const auto text = storage_->read(settings_.journal);
    if (!text) return {};
    auto entries = dhcp::parse_odhcpd_text(text_of(*text));
    if (entries) return std::move(*entries);
    log::error("the list of what odhcpd was told is damaged", {{"file", settings_.journal}});
    return {};
}

Result<void> Odhcpd::look_for_section(const std::string& section) {
    return run_program({settings_.uci, "-q", "get", "dhcp." + section}, {}, uci_may_take);
}

Result<void> Odhcpd::replace(const Entries& entries) {
    const Entries before = standing();
    Entries either = before;
    for (const dhcp::OdhcpdEntry& entry : entries)
        if (std::find(before.begin(), before.end(), entry) == before.end()) either.push_back(entry);
    if (auto kept = keep(either); !kept) return kept;
    // `uci batch` succeeds whatever becomes of its lines; the commit tells whether UCI can write.
    const std::string batch = dhcp::uci_batch(before, entries);
    if (auto staged = run_program({settings_.uci, "batch"}, bytes_of(batch), uci_may_take); !staged)
        return staged;
    if (auto done = run_program({settings_.uci, "commit", "dhcp"}, {}, uci_may_take); !done)
        return done;
    return keep(entries);
}

Result<void> Odhcpd::keep(const Entries& entries) {
    if (entries.empty()) return storage_->remove(settings_.journal);
    return storage_->write_whole(settings_.journal, bytes_of(dhcp::odhcpd_text(entries)),
                                 owner_only);
}

bool feeds_odhcpd(const Config& config) {
    return config.announce.dhcpv6 == DhcpCarrier::odhcpd || config.announce.ra == RaCarrier::odhcpd;
}

Odhcpd::Settings odhcpd_settings(const Config& config) {
    return {config.odhcpd.uci, StatePaths(config).odhcpd};
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
