#include "agent/dnsmasq.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>

#include "agent/plan.h"
#include "agent/spawn.h"
#include "agent/state_files.h"
#include "core/log.h"
#include "dhcp/dnsmasq_feed.h"

namespace porchlight::agent {
namespace {

constexpr unsigned readable_by_all = 0644;  // dnsmasq reads them again after it gave up root
constexpr std::chrono::seconds restart_may_take{20};

std::string read_proc(pid_t pid, const char* name) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Clock ticks after boot at which a process started: field 22 of /proc/PID/stat, counted behind
/// the command's closing bracket because the command may hold blanks.
std::optional<unsigned long long> start_ticks(pid_t pid) {
    const std::string stat = read_proc(pid, "stat");
    const std::size_t bracket = stat.rfind(')');
    if (bracket == std::string::npos) return std::nullopt;
    std::istringstream fields(stat.substr(bracket + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) fields >> skipped;
    unsigned long long ticks = 0;
    if (!(fields >> ticks)) return std::nullopt;
    return ticks;
}

/// By /proc, like what it is compared with: clocks may be set for this process alone. It is cut to
/// hundredths; who started within one may not have read what was written in it.
double boot_seconds() {
    std::ifstream uptime("/proc/uptime");
    double seconds = 0;
    uptime >> seconds;
    return seconds + 0.01;
}

double in_ticks(double seconds) {
    return seconds * static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// When a file was last changed, in clock ticks after boot, so that it compares with the above.
std::optional<double> changed_ticks(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
    timespec wall{};
    ::clock_gettime(CLOCK_REALTIME, &wall);
    const double age = static_cast<double>(wall.tv_sec - facts.st_mtim.tv_sec) +
                       static_cast<double>(wall.tv_nsec - facts.st_mtim.tv_nsec) / 1e9;
    return in_ticks(boot_seconds() - age);
}

}  // namespace

Dnsmasq::Dnsmasq(Storage& storage, Settings settings)
    : storage_(&storage), settings_(std::move(settings)) {}

void Dnsmasq::use(Settings settings) {
    if (settings.fragment != settings_.fragment) standing_.reset();
    settings_ = std::move(settings);
}

Result<void> Dnsmasq::feed(std::string_view fragment, std::string_view options,
                           std::string_view servers) {
    if (auto made = storage_->make_directory(settings_.directory, 0755); !made) return made;
    if (auto wrote = write(options_path(), options); !wrote) return wrote;
    if (auto wrote = write(servers_path(), servers); !wrote) return wrote;
    const bool stood = stands(settings_.fragment, fragment);
    if (auto wrote = write(settings_.fragment, fragment); !wrote) return wrote;
    if (!stood || !standing_ || standing_->fragment != fragment)
        standing_ = Standing{std::string(fragment), in_ticks(boot_seconds()), !stood};
    // One that seems not to have read the fragment may have all the same, where the clock was set
    // since; our files are new to it then.
    return tell();
}

Result<void> Dnsmasq::restart() {
    if (settings_.restart.empty())
        return Error{Errc::refused, "dnsmasq runs but has not read " + settings_.fragment +
                                        ": restart it once (leases stay), or set dnsmasq.restart"};
    log::info("restarting dnsmasq, so that it reads our fragment", {{"file", settings_.fragment}});
    return run_program(settings_.restart, {}, restart_may_take);
}

bool Dnsmasq::has(std::string_view fragment, std::string_view options,
                  std::string_view servers) const {
    return stands(settings_.fragment, fragment) && stands(options_path(), options) &&
           stands(servers_path(), servers);
}

Result<void> Dnsmasq::feed_options(std::string_view options) {
    if (auto wrote = write(options_path(), options); !wrote) return wrote;
    return tell();
}

Result<void> Dnsmasq::unfeed(std::string_view servers) {
    const auto pid = process();
    const auto fragment = storage_->read(settings_.fragment);
    // Where dnsmasq was never fed there is nothing to empty, and no directory to make.
    if (!fragment && !storage_->read(options_path())) return {};
    if (auto made = storage_->make_directory(settings_.directory, 0755); !made) return made;
    if (pid && fragment && has_read(text_of(*fragment), *pid)) note_read(text_of(*fragment), *pid);
    Result<void> emptied = write(options_path(), "");
    Result<void> turned = write(servers_path(), servers);
    Result<void> removed = storage_->remove(settings_.fragment);
    Result<void> told = tell();
    for (Result<void>* step : {&emptied, &turned, &removed, &told})
        if (!*step) return *step;
    return {};
}

Result<void> Dnsmasq::keep_servers(std::string_view servers) {
    const auto pid = process();
    const auto record = storage_->read(settings_.directory + "/loaded");
    const bool unchanged = stands(servers_path(), servers);
    if (unchanged || !pid || !record || !text_of(*record).starts_with(identity(*pid) + "\n"))
        return {};
    if (auto wrote = write(servers_path(), servers); !wrote) return wrote;
    return tell();
}

Result<void> Dnsmasq::purge() {
    if (process() && !settings_.restart.empty()) {
        if (auto restarted = run_program(settings_.restart, {}, restart_may_take); !restarted)
            return restarted;
    } else if (process()) {
        // It still names our files; without them its next SIGHUP would leave it without servers.
        return {};
    }
    for (const std::string& name : storage_->list(settings_.directory))
        if (auto removed = storage_->remove(settings_.directory + "/" + name); !removed)
            return removed;
    return storage_->remove(settings_.directory);
}

bool Dnsmasq::takes(std::string_view fragment) {
    const auto pid = process();
    if (!pid || !has_read(fragment, *pid)) return false;
    note_read(fragment, *pid);
    return true;
}

std::optional<pid_t> Dnsmasq::process() const {
    const auto text = storage_->read(settings_.pid_file);
    if (!text) return std::nullopt;
    pid_t pid = 0;
    const std::string_view digits = text_of(*text);
    std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    // A pid file may outlive its process, and the number may be somebody else's by now.
    if (pid <= 1 || read_proc(pid, "comm") != "dnsmasq\n") return std::nullopt;
    return pid;
}

Result<void> Dnsmasq::write(const std::string& path, std::string_view text) {
    return storage_->write_whole(path, bytes_of(text), readable_by_all);
}

Result<void> Dnsmasq::tell() {
    const auto pid = process();
    if (!pid) return {};
    if (::kill(*pid, SIGHUP) == 0) return {};
    return Error{errno == EPERM ? Errc::denied : Errc::unavailable,
                 std::string("cannot signal dnsmasq: ") + std::strerror(errno)};
}

bool Dnsmasq::stands(const std::string& path, std::string_view text) const {
    const auto content = storage_->read(path);
    return content && text_of(*content) == text;
}

/// A process that started after the fragment stood has read it; what is known of that otherwise is
/// noted, or told by the file's own time, as long as nobody set the clock.
bool Dnsmasq::has_read(std::string_view fragment, pid_t pid) const {
    if (stands(settings_.directory + "/loaded", identity(pid) + "\n" + std::string(fragment)))
        return true;
    const auto started = start_ticks(pid);
    if (!started || !stands(settings_.fragment, fragment)) return false;
    const double start = static_cast<double>(*started);
    if (standing_ && standing_->fragment == fragment) {
        if (start >= standing_->ticks) return true;
        if (standing_->written) return false;
    }
    const auto changed = changed_ticks(settings_.fragment);
    return changed && start >= *changed;
}

void Dnsmasq::note_read(std::string_view fragment, pid_t pid) {
    (void)write(settings_.directory + "/loaded", identity(pid) + "\n" + std::string(fragment));
}

std::string Dnsmasq::identity(pid_t pid) const {
    return std::to_string(pid) + " " + std::to_string(start_ticks(pid).value_or(0));
}

bool uses_dnsmasq(const Config& config) {
    const bool has_something = announces(config) || asks_upstream(config);
    return has_something && (config.announce.dhcpv4 == DhcpCarrier::dnsmasq ||
                             config.announce.dhcpv6 == DhcpCarrier::dnsmasq);
}

dhcp::DnsmasqFragment dnsmasq_fragment(const Config& config, const Dnsmasq& dnsmasq) {
    dhcp::DnsmasqFragment fragment{dnsmasq.servers_path(), dnsmasq.options_path(), {}, {}};
    if (config.resolver) fragment.adn = config.resolver->adn;
    for (const GroupConfig& group : config.announce.groups)
        fragment.groups.push_back({group.tag, group.hosts});
    fragment.may_lead_home = config.rebinding.allow_domains;
    return fragment;
}

Dnsmasq::Settings dnsmasq_settings(const Config& config) {
    return {config.dnsmasq.fragment, config.dnsmasq.pid_file, config.dnsmasq.restart,
            StatePaths(config).dnsmasq};
}

std::string why_no_dnsmasq(const Config& config, bool odhcpd_would_do) {
    return "dnsmasq is not running (no process by " + config.dnsmasq.pid_file + ")" +
           (odhcpd_would_do ? ", nor is an odhcpd that serves the home" : "");
}

std::string our_servers(const Config& config) {
    std::vector<dhcp::DnsServer> servers;
    for (const IpAddress& address : config.do53.addresses)
        servers.push_back({address, config.do53.port, ""});
    return dhcp::servers_text(servers);
}

std::string former_servers(const Config& config, Storage& storage) {
    if (config.dnsmasq.on_exit == OnExit::refuse) return "";
    const auto text = storage.read(config.dnsmasq.resolv_file);
    return text ? dhcp::servers_text(dhcp::former_servers(text_of(*text))) : "";
}

}  // namespace porchlight::agent
