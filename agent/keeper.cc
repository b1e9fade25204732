#include "agent/keeper.h"

#include <linux/capability.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>

#include "agent/candidate.h"
#include "agent/daemon_lock.h"
#include "agent/plan.h"
#include "agent/role_arguments.h"
#include "agent/wan_record.h"
#include "core/log.h"
#include "forwarder/control.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::milliseconds withdrawal_may_take{4000};
constexpr std::chrono::milliseconds former_will_may_take{5000};
/// A child that never stops talking must not keep us from a signal.
constexpr int messages_per_turn_max = 64;
constexpr unsigned owner_only = 0600;

using Area = Hindrances::Area;

/// For roles whose account does not exist: numbers that Debian and OpenWrt give to nobody.
constexpr User nameless_agent{64771, 64771};
constexpr User nameless_forwarder{64772, 64772};

template <class Kind>
constexpr std::uint16_t number(Kind kind) {
    return static_cast<std::uint16_t>(kind);
}

/// Where a carrier is left open our own may have been used.
std::set<std::string> links_told(const Config& config) {
    const std::vector<std::string> links = advertised_links(resolve_carriers(config, {}));
    return {links.begin(), links.end()};
}

/// The descriptors that the home may need are counted in thousands; the shell's default is not.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Keeper::Keeper(std::string config_file, Config config, Buffer config_json, Storage& storage)
    : config_file_(std::move(config_file)),
      asked_(std::move(config)),
      carriers_(asked_, storage, Clock::now()),
      found_(carriers_.look(asked_, Clock::now())),
      config_(resolve_carriers(asked_, found_)),
      config_json_(std::move(config_json)),
      storage_(storage),
      paths_(config_),
      companion_(config_, storage),
      odhcpd_(storage, odhcpd_settings(config_)),
      agent_("agent", {}),
      forwarder_("forwarder", {}) {}

int Keeper::run() {
    if (auto prepared = prepare(); !prepared) {
        log::error("cannot start", {{"error", prepared.error().message}});
        return 1;
    }
    if (!feeds_odhcpd(config_) || !announces(config_)) feed_odhcpd({});
    const auto learned = storage_.read(paths_.upstreams);
    companion_.set_upstream_known(learned && !learned->empty());
    if (!links_by_wan(config_).empty()) forget_what_hangs_on_a_wan();
    companion_.restore(stored_options(paths_, config_json_, storage_), Clock::now());
    log::info("started", {{"version", PORCHLIGHT_VERSION}, {"file", config_file_}});
    carriers_.log_choice(asked_.announce, config_.announce);
    // Loading the rule takes longer than everything else; meanwhile the children get ready.
    start_due_children(Clock::now());
    close_ports(fence(config_));
    guarded_ = true;
    send_listeners(open_services(config_));
    // Behind what hosts wait for: with many ports, or rules to load, this takes a while.
    guard_links();
    send_processes();
    while (!stopping_) {
        start_due_children(Clock::now());
        wait(next_deadline());
        const auto now = Clock::now();
        agent_.watch(number(Keep::alive), now);
        forwarder_.watch(number(forwarder::Control::alive), now);
        look_at_carriers(now);
        look_at_dnsmasq(now);
        look_at_firewall(now);
        look_at_files(now);
        look_at_guard(now);
        look_at_leases(now);
        look_at_odhcpd(now);
        try_listeners_again(now);
        try_links_again(now);
        if (wan_sockets_.can_have_more(now)) send_wan_sockets();
        if (now >= deaths_.let_in_at()) {
            send_refused(now);
            send_processes();
        }
        provisions_.end_overdue(now);
    }
    stop();
    return 0;
}

Result<void> Keeper::prepare() {
    sigset_t handled;
    sigemptyset(&handled);
    for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&handled, signal);
    sigprocmask(SIG_BLOCK, &handled, nullptr);
    signals_ = FileDescriptor(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    // The agent's and the forwarder's users pass through the runtime directory; nobody else's
    // secrets lie in it.
    if (auto made = storage_.make_directory(paths_.runtime, 0755); !made) return made;
    if (auto made = storage_.make_directory(paths_.state, 0700); !made) return made;
    if (auto made = storage_.make_directory(paths_.empty_root, 0755); !made) return made;
    // The last will of a daemon that was killed a moment ago may still be at work.
    auto lock = take_daemon_lock(paths_.lock, former_will_may_take);
    if (!lock) return lock.error();
    lock_ = std::move(*lock);
    auto former = find_former_run(config_, config_json_, storage_);
    if (!former) return former.error();
    if (*former) take_over(**former);
    keep_config();
    // The will goes by what was taken, not by a file that somebody may be in the middle of editing.
    const std::string& taken = storage_.read(paths_.accepted) ? paths_.accepted : config_file_;
    if (auto left = last_will_.start({"porchlight", "withdraw", "-c", taken}); !left) return left;
    find_users();
    if (auto page = deaths_.prepare(); !page) return page;
    // What a configuration names must be readable before anything else is touched. A pair that
    // can't be served is no reason to stay away: the companion still gets its answers.
    auto named = read_named_files(config_file_, config_, config_json_, storage_);
    if (!named) return named.error();
    named_ = std::move(*named);
    return {};
}

/// What a run left standing that did not end cleanly is taken back by its own configuration, unless
/// this one goes on with it: that shall have no gap.
void Keeper::take_over(const FormerRun& former) {
    log::info("the last run did not end cleanly", {{"file", former.file}});
    const auto emptied = empty_former_directories(former, config_, storage_);
    report(emptied, "cannot empty former directories");
    if (emptied && former.file != paths_.accepted) former_accepted_ = former.file;
    companion_.succeed(former.config);
    former_links_.merge(links_told(former.config));
    if (!former.alike) feed_odhcpd({});
    if (!has_capability(CAP_NET_ADMIN)) return;
    if (!config_.guard.block && !config_.guard.validate_sources)
        report(guard_rules_.unload(), "cannot unload the guard's rules");
    if (!fence(config_).ports.empty()) return;
    const auto unloaded = unload_firewall();
    // Where nft is not installed the former run loaded no rule either.
    if (unloaded || unloaded.error().code != Errc::unavailable)
        report(unloaded, "cannot unload the firewall rule");
}

/// Not before all is gone that stands by what was kept until now: whoever withdraws knows of it
/// from there alone.
void Keeper::keep_config() {
    config_kept_ = false;
    if (!companion_.clear()) return;
    const auto kept = storage_.write_whole(paths_.accepted, config_json_, owner_only);
    report(kept, "cannot keep the configuration for a withdrawal");
    config_kept_ = bool(kept);
    if (kept && !former_accepted_.empty()) (void)storage_.remove(former_accepted_);
    if (kept) former_accepted_.clear();
}

void Keeper::find_users() {
    agent_user_ = find_user(config_.users.agent).value_or(nameless_agent);
    forwarder_user_ = find_user(config_.users.forwarder).value_or(nameless_forwarder);
    if (::geteuid() != 0 || !can_become(*agent_user_) || !can_become(*forwarder_user_)) {
        hindrances_.set(Area::users, {{"run its parts as other users, in an empty root", ""}});
        agent_user_.reset();
        forwarder_user_.reset();
    }
    agent_ = Child("agent", role_arguments("agent", agent_user_, config_.log));
    std::vector<std::string> arguments = role_arguments("forwarder", forwarder_user_, config_.log);
    arguments.push_back(std::to_string(config_.workers));
    arguments.push_back(forwarder_user_ ? paths_.empty_root : "-");
    forwarder_ = Child("forwarder", std::move(arguments));
}

void Keeper::stop() {
    log::info("stopping");
    agent_.send(number(Keep::withdraw), {});
    const auto until = Clock::now() + withdrawal_may_take;
    while (!withdrawn_ && agent_.running() && Clock::now() < until) wait(until);
    const bool dnsmasq_let_go = bool(companion_.let_go());
    feed_odhcpd({});
    const bool let_go = dnsmasq_let_go && odhcpd_trouble_.empty();
    forwarder_.stop();
    agent_.stop();
    provisions_.end_all();
    if (firewall_) report(unload_firewall(), "cannot unload the firewall rule");
    if (guard_rules_.may_stand()) report(guard_rules_.unload(), "cannot unload the guard's rules");
    (void)storage_.remove(paths_.control_socket);
    // An agent that was dead, hung or unheard took nothing back, and a full disk may have kept
    // dnsmasq or odhcpd from hearing. Then the will does it, after us.
    if (!let_go || (!withdrawn_ && storage_.read(paths_.announced))) {
        log::warn("stopped; what hosts were told is taken back by a process of its own");
        return;
    }
    for (const std::string& path : {paths_.announced, paths_.accepted}) (void)storage_.remove(path);
    last_will_.revoke();
    log::info("stopped");
}

/// All or nothing: what is there keeps standing unless everything new is good.
void Keeper::reload() {
    log::info("reloading", {{"file", config_file_}});
    auto json = storage_.read(config_file_);
    const Result<void> taken = json ? take(std::move(*json)) : json.error();
    if (!taken)
        log::error("the new configuration is refused, the old one stays",
                   {{"error", taken.error().message}});
    reload_refused_ = !taken;
    note(reload_was_refused, taken);
}

Result<void> Keeper::take(Buffer config_json) {
    auto candidate = judge_candidate(config_file_, config_json, asked_, storage_);
    if (!candidate) return candidate.error();
    const Found found = carriers_.look_anew(candidate->config, Clock::now());
    Config next = resolve_carriers(candidate->config, found);
    const ConfigChange change = change_between(config_, next);
    std::optional<Opening> opening;
    if (change.listeners) {
        auto opened = open_beside(next);
        if (!opened) return opened.error();
        opening = std::move(*opened);
    }
    // One that runs takes back what it told; one that is dead left that to the next.
    if (!agent_.running()) former_links_.merge(links_told(config_));
    asked_ = std::move(candidate->config);
    found_ = found;
    config_ = std::move(next);
    config_json_ = std::move(config_json);
    hold(std::move(candidate->named));
    forget_files();
    log::set_level(config_.log.level);
    if (opening) send_listeners(std::move(*opening));
    // After the sockets: those of the former configuration were open until now.
    close_ports(fence(config_));
    follow(change);
    return {};
}

/// Everybody lives by the configuration that is in force now. Whoever tells hosts something no more
/// hears of it before another tells them the same.
void Keeper::follow(const ConfigChange& change) {
    carriers_.log_choice(asked_.announce, config_.announce);
    // What was put there is taken back by the same program, also where that takes another try.
    if (!feeds_odhcpd(config_)) feed_odhcpd({});
    if (feeds_odhcpd(config_) || odhcpd_trouble_.empty()) odhcpd_.use(odhcpd_settings(config_));
    companion_.follow(config_);
    keep_config();
    companion_.feed(Clock::now());
    send_world();
    if (change.advertisements) send_link_sockets();
    if (change.wan) send_wan_sockets();
    guard_links();
    send_processes();
}

void Keeper::start_due_children(Clock::time_point now) {
    // The forwarder first: the agent's first look should find it listening.
    if (forwarder_.start_at() && now >= *forwarder_.start_at()) start_forwarder(now);
    if (agent_.start_at() && now >= *agent_.start_at()) start_agent(now);
}

void Keeper::start_forwarder(Clock::time_point now) {
    if (auto started = forwarder_.start({deaths_.page()}, now); !started) {
        log::error("cannot start a process", {{"error", started.error().message}});
        return;
    }
    send_refused(now);  // before the listeners, so that none of them gets in first
    if (guarded_) send_listeners(open_services(config_));
    introduce_agent_to_forwarder();
    send_processes();
}

void Keeper::start_agent(Clock::time_point now) {
    if (auto started = agent_.start({}, now); !started) {
        log::error("cannot start a process", {{"error", started.error().message}});
        return;
    }
    send_world();
    introduce_agent_to_forwarder();
    // While no agent ran, nobody told of a link that was made anew.
    if (guarded_ && !links_are_those()) send_listeners(open_services(config_));
    send_former_link_sockets();
    send_link_sockets();
    send_wan_sockets();
    Hindrances::Reasons uncontrolled;
    if (auto control = open_control_socket(paths_.control_socket)) {
        // The agent answers; root and the agent's own user may ask.
        if (agent_user_ &&
            ::chown(paths_.control_socket.c_str(), agent_user_->uid, agent_user_->gid) != 0)
            log::warn("cannot give away the control socket");
        agent_.send(number(Keep::control_listener), {}, {control->get()});
    } else {
        uncontrolled["open the control socket"] = control.error().message;
    }
    hindrances_.set(Area::control_socket, std::move(uncontrolled));
    guard_ports_.forget();
    lease_file_.forget(now);
    if (guarded_) guard_links();
    send_processes();
}

/// The two talk over a channel of their own; a new one whenever either of them is new.
void Keeper::introduce_agent_to_forwarder() {
    if (!agent_.running() || !forwarder_.running()) return;
    auto ends = net::Channel::pair();
    if (!ends) return;
    forwarder_.send(number(forwarder::Control::agent_channel), {}, {ends->first.descriptor()});
    agent_.send(number(Keep::forwarder_channel), {}, {ends->second.descriptor()});
}

/// The files that the configuration names are those that were there when it was taken: an agent
/// that starts while somebody replaces one of them must not get half of the new.
void Keeper::send_world() {
    Writer out;
    World world = with_stored(named_, config_, storage_);
    const Bytes options = bytes_of(companion_.options());
    world.dhcp_options.assign(options.begin(), options.end());
    world.wan = read_wan_records(config_, storage_);
    world.found = found_;
    write(out, world);
    auto message = out.take();
    if (message) agent_.send(number(Keep::world), *message);
}

void Keeper::send_wan_records() {
    Writer out;
    write(out, read_wan_records(config_, storage_));
    auto message = out.take();
    if (message) agent_.send(number(Keep::wan_records), *message);
}

void Keeper::send_processes() {
    Processes processes;
    processes.keeper = static_cast<std::uint32_t>(::getpid());
    processes.agent = static_cast<std::uint32_t>(agent_.pid());
    processes.forwarder = static_cast<std::uint32_t>(forwarder_.pid());
    processes.agent_starts = agent_.starts();
    processes.forwarder_starts = forwarder_.starts();
    processes.dnsmasq_found = companion_.found();
    processes.dnsmasq_trouble = companion_.trouble();
    processes.firewall = firewall_;
    const auto& rules = guard_rules_.loaded();
    processes.blocks_rogues = rules && rules->blocks;
    processes.validates_sources = rules && rules->sources;
    processes.dropped = guard_rules_.dropped();
    processes.reload_refused = reload_refused_;
    processes.odhcpd_trouble = odhcpd_trouble_;
    processes.troubles = troubles_.list();
    for (std::string& line : deaths_.lines(Clock::now()))
        processes.troubles.push_back(std::move(line));
    told_ = processes;
    Writer out;
    write(out, processes);
    auto message = out.take();
    if (message) agent_.send(number(Keep::processes), *message);
    Writer names;
    write(names, hindrances_.list());
    auto list = names.take();
    if (list) agent_.send(number(Keep::cannot), *list);
}

void Keeper::send_refused(Clock::time_point now) {
    const Buffer message = deaths_.refused(now);
    if (!message.empty()) forwarder_.send(number(forwarder::Control::refused), message);
}

void Keeper::start_provision() {
    auto channel = provisions_.start(agent_user_.has_value(), config_.log, Clock::now());
    if (!channel) return log::error("cannot order", {{"error", channel.error().message}});
    agent_.send(number(Keep::provision_channel), {}, {channel->descriptor()});
}

void Keeper::reap(Clock::time_point now) {
    int status = 0;
    while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
        if (pid < 0) return;
        // Also at the end: the number of one that is gone may be somebody else's by then.
        if (provisions_.reap(pid)) continue;
        if (stopping_) {
            for (Child* child : {&agent_, &forwarder_})
                if (pid == child->pid()) child->finished();
        } else if (pid == agent_.pid()) {
            agent_.ended(status, now);
        } else if (pid == forwarder_.pid()) {
            forwarder_.ended(status, now);
            deaths_.note(status, forwarder_.hung(), now);
            agent_.send(number(Keep::forwarder_lost), {});
            send_processes();
        }
    }
}

void Keeper::wait(Clock::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    const int timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60000));
    std::array<pollfd, 4> waits{
        pollfd{signals_.get(), POLLIN, 0},
        pollfd{agent_.running() ? agent_.channel().descriptor() : -1, POLLIN, 0},
        pollfd{forwarder_.running() ? forwarder_.channel().descriptor() : -1, POLLIN, 0},
        pollfd{lease_file_.descriptor(), POLLIN, 0}};
    if (::poll(waits.data(), waits.size(), timeout) <= 0) return;
    // Messages before signals: what a child said last counts, though it died since.
    if (waits[1].revents != 0) on_agent();
    if (waits[2].revents != 0) on_forwarder();
    if (waits[3].revents != 0) lease_file_.on_change(Clock::now());
    if (waits[0].revents != 0) on_signals();
}

void Keeper::on_signals() {
    signalfd_siginfo info{};
    bool hang_up = false;
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) stopping_ = true;
        if (info.ssi_signo == SIGHUP) hang_up = true;
    }
    reap(Clock::now());
    if (hang_up && !stopping_) reload();
}

void Keeper::on_agent() {
    for (int turn = 0; turn < messages_per_turn_max; ++turn) {
        auto message = agent_.channel().receive();
        if (!message) return agent_.lost();
        if (!*message) return;
        on_agent_message(std::move(**message));
    }
}

void Keeper::on_agent_message(net::ChannelMessage message) {
    switch (static_cast<Keep>(message.kind)) {
        case Keep::alive:
            return agent_.answered();
        case Keep::dnsmasq_options:
            return on_dnsmasq_options(text_of(message.body));
        case Keep::odhcpd_lists:
            return feed_odhcpd(entries_for(config_, text_of(message.body)));
        case Keep::store_announced:
            return report(storage_.write_whole(paths_.announced, message.body, owner_only),
                          "cannot remember what is announced");
        case Keep::store_prefixes:
            return report(storage_.write_whole(paths_.prefixes, message.body, owner_only),
                          "cannot remember which prefixes are announced");
        case Keep::store_account:
            return report(storage_.write_whole(paths_.account, message.body, owner_only),
                          "cannot store the account");
        case Keep::store_schedule:
            return report(storage_.write_whole(paths_.schedule, message.body, owner_only),
                          "cannot store the schedule");
        case Keep::store_generation:
            return on_new_certificate(message.body);
        case Keep::start_provision:
            return start_provision();
        case Keep::upstreams:
            return on_upstreams(message.body);
        case Keep::leases:
            return on_leases(message.body);
        case Keep::withdrawn:
            withdrawn_ = true;
            return;
        case Keep::reload:
            return reload();
        case Keep::wan_changed:
            return send_wan_records();
        case Keep::let_in_again:
            deaths_.let_in_again();
            return send_processes();
        case Keep::links_changed:
            return on_links_changed();
        default:
            log::warn("an unknown message",
                      {{"from", "agent"}, {"kind", std::to_string(message.kind)}});
    }
}

void Keeper::on_new_certificate(Bytes message) {
    auto parts = parse_stored_parts(message);
    const Result<void> stored =
        parts ? store_generation(paths_, *parts, SystemTime().wall(), storage_) : parts.error();
    report(stored, "cannot store the certificate");
    if (stored) send_world();
}

void Keeper::on_forwarder() {
    for (int turn = 0; turn < messages_per_turn_max; ++turn) {
        auto message = forwarder_.channel().receive();
        if (!message) return forwarder_.lost();
        if (!*message) return;
        if ((*message)->kind == number(forwarder::Control::alive)) forwarder_.answered();
    }
}

Clock::time_point Keeper::next_deadline() const {
    auto next = std::min({agent_.next_deadline(), forwarder_.next_deadline(),
                          provisions_.next_deadline(), deaths_.let_in_at(), wan_sockets_.try_at()});
    if (!unserved_.empty()) next = std::min(next, listeners_retry_);
    if (!link_sockets_missing_.empty()) next = std::min(next, links_retry_);
    next = std::min({next, dnsmasq_look_, guard_look_, files_look_, lease_file_.due()});
    if (looks_at_odhcpd()) next = std::min(next, odhcpd_look_);
    return next;
}

void Keeper::report(const Result<void>& done, const char* doing) {
    if (!done) log::error(doing, {{"error", done.error().message}});
    note(doing, done);
}

/// `status` tells until it went well.
void Keeper::note(const std::string& doing, const Result<void>& done) {
    if (troubles_.note(doing, done)) send_processes();
}

}  // namespace porchlight::agent
