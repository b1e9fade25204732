#include "agent/setup_look.h"

#include <net/if.h>
#include <net/route.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "agent/port_holder.h"

namespace porchlight::agent::setup {
namespace {

namespace fs = std::filesystem;

/// Files of /proc say that they are empty, so they are read to their end.
std::string text_of_file(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Links that an IPv4 default route leaves by: proc(5), of the main table.
std::set<std::string> ipv4_default_routes() {
    std::set<std::string> names;
    std::stringstream lines(text_of_file("/proc/self/net/route"));
    std::string line;
    std::getline(lines, line);  // headings
    while (std::getline(lines, line)) {
        std::stringstream fields(line);
        std::string name, destination, gateway, mask;
        unsigned flags = 0, skipped = 0;
        fields >> name >> destination >> gateway >> std::hex >> flags >> std::dec;
        fields >> skipped >> skipped >> skipped >> mask;
        const bool used = (flags & RTF_UP) != 0 && (flags & RTF_REJECT) == 0;
        if (fields && used && destination == "00000000" && mask == "00000000") names.insert(name);
    }
    return names;
}

Result<std::vector<FoundLink>> look_at_links() {
    const auto links = net::read_links();
    if (!links) return links.error();
    const auto v6 = net::read_default_routes();
    if (!v6) return v6.error();
    const std::set<std::string> v4 = ipv4_default_routes();
    std::vector<FoundLink> found;
    for (const net::Link& link : *links) {
        const fs::path facts = fs::path("/sys/class/net") / link.name;
        std::error_code none;
        FoundLink one{link};
        unsigned flags = 0;
        std::stringstream(text_of_file(facts / "flags")) >> std::hex >> flags;
        one.loopback = link.name == "lo" || (flags & IFF_LOOPBACK) != 0;
        one.bridge = fs::exists(facts / "bridge", none);
        one.bridge_port = fs::exists(facts / "brport", none);
        one.default_route =
            v4.contains(link.name) || std::find(v6->begin(), v6->end(), link.index) != v6->end();
        found.push_back(std::move(one));
    }
    return found;
}

/// Which network namespace a process is in; nothing where we may not know.
std::optional<std::string> network_of(const fs::path& process) {
    std::error_code failed;
    const fs::path network = fs::read_symlink(process / "ns/net", failed);
    return failed ? std::nullopt : std::optional(network.string());
}

std::vector<std::string> arguments_of(const fs::path& process) {
    std::stringstream words(text_of_file(process / "cmdline"));
    std::vector<std::string> arguments;
    std::string word;
    std::getline(words, word, '\0');  // the program
    while (std::getline(words, word, '\0')) arguments.push_back(word);
    return arguments;
}

std::string directory_of(const fs::path& process) {
    std::error_code failed;
    const fs::path directory = fs::read_symlink(process / "cwd", failed);
    return failed ? "" : directory.string();
}

/// The processes of a program in this network. Another network's, such as a container's, is none of
/// this router's. One for each command line: dnsmasq has a helper, radvd a half with privileges,
/// both with the words of the whole.
std::vector<fs::path> processes_of(const std::string& program) {
    const auto here = network_of("/proc/self");
    std::set<std::vector<std::string>> seen;
    std::vector<fs::path> found;
    std::error_code failed;
    for (fs::directory_iterator process("/proc", failed), end; !failed && process != end;
         process.increment(failed)) {
        const std::string name = process->path().filename();
        if (name.find_first_not_of("0123456789") != name.npos) continue;
        if (text_of_file(process->path() / "comm") != program + "\n") continue;
        // One that has ended and was not waited for has a name still, and nothing else.
        if (text_of_file(process->path() / "cmdline").empty()) continue;
        const auto there = network_of(process->path());
        if (here && there && *here != *there) continue;
        if (seen.insert(arguments_of(process->path())).second) found.push_back(process->path());
    }
    return found;
}

}  // namespace

std::vector<DnsmasqFound> look_at_dnsmasq(Storage& storage) {
    const bool init_script = ::access("/etc/init.d/dnsmasq", X_OK) == 0;
    std::vector<DnsmasqFound> found;
    for (const fs::path& process : processes_of("dnsmasq"))
        found.push_back(read_dnsmasq({arguments_of(process), text_of_file(process / "cgroup"),
                                      init_script, directory_of(process)},
                                     storage));
    return found;
}

Result<Found> look(Storage& storage) {
    auto links = look_at_links();
    if (!links) return links.error();
    Found found{std::move(*links), look_at_dnsmasq(storage)};
    for (const fs::path& process : processes_of("radvd"))
        found.radvd.push_back(read_radvd(arguments_of(process), directory_of(process), storage));
    found.odhcpd = !processes_of("odhcpd").empty();
    found.https_holder = holder_of(https_port);
    return found;
}

}  // namespace porchlight::agent::setup
