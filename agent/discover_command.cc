#include <algorithm>
#include <cstdio>

#include "agent/commands.h"
#include "agent/discover_designated.h"
#include "agent/discover_listen.h"
#include "agent/discover_report.h"
#include "agent/discover_trial.h"
#include "agent/discover_upgrade.h"
#include "agent/discover_verdict.h"
#include "agent/privileges.h"
#include "core/clock.h"
#include "core/escape.h"
#include "core/storage.h"
#include "net/link.h"

namespace porchlight::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto listen_default = 5000ms;
constexpr auto listen_max = 60000ms;
constexpr const char* system_roots = "/etc/ssl/certs/ca-certificates.crt";

int fail(const std::string& why) {
    std::fprintf(stderr, "discover: %s\n", why.c_str());
    return exit_failed;
}

/// "5", in seconds, or any duration that the configuration takes: "500ms", "1min".
std::optional<std::chrono::milliseconds> parse_timeout(const std::string& text) {
    const bool bare =
        !text.empty() && text.size() < 4 &&
        std::all_of(text.begin(), text.end(), [](char c) { return '0' <= c && c <= '9'; });
    const auto parsed = parse_duration(bare ? text + "s" : text);
    if (!parsed || *parsed < 100ms || *parsed > listen_max) return std::nullopt;
    return parsed;
}

Result<net::Link> find_link(const std::string& name) {
    const auto links = net::read_links();
    if (!links) return links.error();
    const auto found = std::find_if(links->begin(), links->end(),
                                    [&](const net::Link& one) { return one.name == name; });
    if (found == links->end())
        return Error{Errc::unavailable, "there is no interface " + escape(name)};
    if (!found->up) return Error{Errc::unavailable, escape(name) + " is down"};
    if (found->hardware_address.size() != 6)
        return Error{Errc::unavailable, escape(name) + " is no Ethernet or Wi-Fi"};
    return *found;
}

}  // namespace

int discover_command(const Arguments& arguments) {
    const std::string interface = arguments.value("interface");
    if (interface.empty()) return wrong_usage(arguments, "-i IFACE is missing");
    std::chrono::milliseconds within = listen_default;
    if (arguments.has("timeout")) {
        const auto parsed = parse_timeout(arguments.value("timeout"));
        if (!parsed) return wrong_usage(arguments, "--timeout takes seconds, from 1 to 60");
        within = *parsed;
    }
    std::optional<discover::Preconfigured> preconfigured;
    if (arguments.has("preconfigured")) {
        const auto parsed = discover::parse_preconfigured(arguments.value("preconfigured"));
        if (!parsed) return wrong_usage(arguments, "--preconfigured: " + parsed.error().message);
        preconfigured = *parsed;
    }
    const auto link = find_link(interface);
    if (!link) return fail(link.error().message);
    const std::string roots_file = arguments.value("roots", system_roots);
    FileStorage storage;
    const auto roots = storage.read(roots_file);
    if (!roots) return fail(roots.error().message);
    auto heard = discover::listen(*link, within, become_nobody);
    if (!heard && heard.error().code == Errc::denied)
        return fail(heard.error().message +
                    "; it takes root, to speak as a DHCP client beside the one that runs");
    if (!heard) return fail(heard.error().message);

    discover::ask_designations(heard->told, heard->notes, link->index, within);
    const SystemTime time;
    const auto tried = discover::try_all(
        heard->told, {.roots_pem = *roots, .within = within, .scope = link->index, .time = &time});
    if (!tried) return fail(roots_file + ": " + tried.error().message);

    discover::Report report{interface, *std::move(heard), {}, {}};
    report.verdict = discover::judge(interface, report.heard.told);
    if (preconfigured) report.upgrade = discover::judge_upgrade(*preconfigured, report.heard.told);
    const std::string text =
        arguments.has("json") ? discover::to_json(report) : discover::to_text(report);
    std::fputs(text.c_str(), stdout);
    const bool good = report.upgrade ? report.upgrade->upgrades : report.verdict.usable;
    return good ? exit_done : exit_failed;
}

}  // namespace porchlight::agent
