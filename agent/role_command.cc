#include <sys/prctl.h>

#include <charconv>
#include <csignal>
#include <optional>

#include "acme/provision_role.h"
#include "agent/agent.h"
#include "agent/commands.h"
#include "agent/privileges.h"
#include "core/log.h"
#include "forwarder/forwarder.h"
#include "net/channel.h"

namespace porchlight::agent {
namespace {

/// The keeper puts its channel here, see spawn_role.
constexpr int keeper_descriptor = 3;
constexpr int serving_descriptor = 4;  // of the forwarder

std::optional<unsigned> number(const std::string& text) {
    unsigned value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, value);
    return ec == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

log::Level level(const std::string& name) {
    if (name == "error") return log::Level::error;
    if (name == "warn") return log::Level::warn;
    return name == "debug" ? log::Level::debug : log::Level::info;
}

}  // namespace

/// What the keeper starts: `role NAME UID GID LEVEL TARGET [WORKERS ROOT]`, "-" for a user or a
/// root that is not given up. Not for people.
int role_command(const Arguments& arguments) {
    const std::vector<std::string>& words = arguments.words;
    if (words.size() < 5) return wrong_usage(arguments, "only porchlight itself starts a role");
    const std::string& role = words[0];
    // The keeper says when to end, by closing the channel: a Ctrl-C or a stop of the whole service
    // must not reach the agent before it withdrew.
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signal, SIG_IGN);
    // Started from /proc/self/exe, it would be called "exe" in every list of processes.
    ::prctl(PR_SET_NAME, ("pl-" + role).c_str());
    log::start(words[4] == "syslog" ? log::Target::syslog : log::Target::standard_error,
               level(words[3]), role);
    Confinement confinement;
    const auto uid = number(words[1]);
    const auto gid = number(words[2]);
    if (uid && gid) confinement.user = User{*uid, *gid};
    if (role == "forwarder") {
        confinement.parent_death_signal = SIGKILL;
        if (words.size() > 6 && words[6] != "-") confinement.root = words[6];
    }
    if (auto confined = confine(confinement); !confined) {
        log::error("cannot give up its privileges", {{"error", confined.error().message}});
        return exit_failed;
    }
    net::Channel keeper{FileDescriptor(keeper_descriptor)};
    if (role == "agent") return run_agent(std::move(keeper));
    if (role == "provision") return acme::run_provision(std::move(keeper));
    if (role == "forwarder") {
        const unsigned workers = words.size() > 5 ? number(words[5]).value_or(1) : 1;
        return forwarder::run(
            {std::move(keeper), net::Channel(), workers, FileDescriptor(serving_descriptor)});
    }
    return wrong_usage(arguments, "there is no role " + role);
}

}  // namespace porchlight::agent
