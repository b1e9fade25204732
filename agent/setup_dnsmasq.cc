#include "agent/setup_dnsmasq.h"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace porchlight::agent::setup {
namespace {

constexpr std::string_view blanks = " \t\r";

/// A '#' begins a comment at the line's begin or behind a blank.
std::string_view without_comment(std::string_view line) {
    for (std::size_t at = 0; at < line.size(); ++at)
        if (line[at] == '#' && (at == 0 || blanks.find(line[at - 1]) != blanks.npos))
            return line.substr(0, at);
    return line;
}

/// The options that matter, by letter; the others' letters are of no interest.
std::string_view long_name(char letter) {
    switch (letter) {
        case 'C':
            return "conf-file";
        case '7':
            return "conf-dir";
        case 'x':
            return "pid-file";
        case 'l':
            return "dhcp-leasefile";
        case 'r':
            return "resolv-file";
        case 'i':
            return "interface";
        case 'I':
            return "except-interface";
        case 'S':
            return "server";
        case 's':
            return "domain";
        case 'F':
            return "dhcp-range";
        case '2':
            return "no-dhcp-interface";
        default:
            return {};
    }
}

/// dnsmasq's conf-dir: a directory and which of its files count.
struct ConfDir {
    std::string path;
    std::vector<std::string> only;  // endings; empty: all
    std::vector<std::string> skipped;

    explicit ConfDir(const std::string& value) {
        const std::vector<std::string> words = comma_separated(value);
        if (!words.empty()) path = words.front();
        while (path.size() > 1 && path.ends_with('/')) path.pop_back();
        for (std::size_t i = 1; i < words.size(); ++i) {
            const bool wanted = words[i].starts_with('*');
            (wanted ? only : skipped).push_back(words[i].substr(wanted ? 1 : 0));
        }
    }

    bool takes(const std::string& name) const {
        const auto ends = [&](const std::string& ending) { return name.ends_with(ending); };
        if (name.starts_with('.') || name.starts_with('#') || name.ends_with('~')) return false;
        if (std::any_of(skipped.begin(), skipped.end(), ends)) return false;
        return only.empty() || std::any_of(only.begin(), only.end(), ends);
    }

    /// The path of a file of ours that dnsmasq would read; empty where there is none.
    std::string fragment() const {
        std::vector<std::string> names{"porchlight.conf"};
        for (const std::string& ending : only) names.push_back("porchlight" + ending);
        for (const std::string& name : names)
            if (takes(name)) return path + "/" + name;
        return {};
    }
};

class Reading {
  public:
    Reading(Storage& storage, std::string directory)
        : storage_(storage), directory_(std::move(directory)) {}

    DnsmasqFound read(const std::vector<std::string>& arguments) {
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const std::string& word = arguments[i];
            if (word.size() < 2 || word[0] != '-') continue;
            std::string name, value;
            bool complete = true;
            if (word[1] == '-') {
                const std::size_t equals = word.find('=');
                name = word.substr(2, equals == word.npos ? word.npos : equals - 2);
                complete = equals != word.npos;
                if (complete) value = word.substr(equals + 1);
            } else {
                name = long_name(word[1]);
                value = word.substr(2);
                complete = !value.empty();
            }
            const bool next = i + 1 < arguments.size() && !arguments[i + 1].starts_with('-');
            if (!complete && next) value = arguments[i + 1];
            // On the command line it replaces the default file, in a file it adds one.
            if (name == "conf-file" && !value.empty())
                found_.config_file = value;
            else
                take(name, value);
        }
        if (const std::string path = begun_at(found_.config_file, "conf-file"); !path.empty()) {
            found_.config_file = path;
            read_file(path);
        }
        return std::move(found_);
    }

  private:
    void take(const std::string& name, const std::string& value) {
        if (name == "interface") {
            add(found_.interfaces, value);
        } else if (name == "except-interface") {
            add(found_.except_interfaces, value);
        } else if (name == "domain") {
            const auto words = comma_separated(value);
            // "domain=guests.lan,192.168.2.0/24" is of a part of the home.
            if (words.size() == 1 && words[0] != "#") found_.domain = words[0];
        } else if (name == "server") {
            // "/lan/192.168.1.1" is for some names alone.
            if (!value.empty() && !value.starts_with('/')) found_.servers.push_back(value);
        } else if (name == "pid-file" && !value.empty()) {
            found_.pid_file = used_at(value);
        } else if (name == "dhcp-leasefile" && !value.empty()) {
            found_.lease_file = used_at(value);
        } else if (name == "resolv-file" && !value.empty()) {
            found_.resolv_file = used_at(value);
        } else if (name == "conf-file") {
            if (const std::string path = begun_at(value, name); !path.empty()) read_file(path);
        } else if (name == "conf-dir") {
            if (const std::string path = begun_at(value, name); !path.empty())
                read_directory(ConfDir(path));
        } else {
            take_dhcp(name, value);
        }
    }

    void take_dhcp(const std::string& name, const std::string& value) {
        if (name == "enable-ra") found_.enable_ra = true;
        if (name == "no-dhcp-interface" || name == "no-dhcpv4-interface")
            add(found_.no_dhcpv4, value);
        if (name == "no-dhcp-interface" || name == "no-dhcpv6-interface")
            add(found_.no_dhcpv6, value);
        if (name != "dhcp-range") return;
        if (auto range = parse_dhcp_range(value)) found_.ranges.push_back(*std::move(range));
    }

    static void add(std::vector<std::string>& list, const std::string& value) {
        for (std::string& word : comma_separated(value)) list.push_back(std::move(word));
    }

    /// A path as it was meant when dnsmasq began; empty where that can't be told.
    std::string begun_at(const std::string& path, const std::string& option) {
        if (path.empty() || path.starts_with('/')) return path;
        if (!directory_.empty() && directory_ != "/") return directory_ + "/" + path;
        found_.unread.push_back(option + "=" + path);
        return {};
    }

    /// A path as dnsmasq takes it now.
    std::string used_at(const std::string& path) const {
        if (path.starts_with('/')) return path;
        return directory_ + (directory_.ends_with('/') ? "" : "/") + path;
    }

    void read_directory(const ConfDir& directory) {
        if (found_.fragment.empty()) found_.fragment = directory.fragment();
        for (const std::string& name : storage_.list(directory.path))
            if (directory.takes(name)) read_file(directory.path + "/" + name);
    }

    void read_file(const std::string& path) {
        // Files may name each other in a circle.
        if (++files_ > dnsmasq_files_max) return;
        const auto octets = storage_.read(path);
        if (!octets) return;
        std::stringstream lines{std::string(text_of(*octets))};
        for (std::string line; std::getline(lines, line);) {
            const std::string_view setting = without_comment(line);
            const std::size_t equals = std::min(setting.find('='), setting.size());
            const std::string_view value = setting.substr(std::min(equals + 1, setting.size()));
            take(trimmed(setting.substr(0, equals)), trimmed(value));
        }
    }

    Storage& storage_;
    std::string directory_;
    DnsmasqFound found_;
    int files_ = 0;
};

/// The unit of systemd's that a process belongs to, if it is one of dnsmasq's: not NetworkManager's
/// or libvirt's, which start one of their own.
std::string unit_of(const std::string& cgroups) {
    std::stringstream lines(cgroups);
    for (std::string line; std::getline(lines, line);) {
        const std::string unit = line.substr(line.rfind('/') + 1);
        if (unit.starts_with("dnsmasq") && unit.ends_with(".service")) return unit;
    }
    return {};
}

/// Where a distribution's init script has the configuration, or writes it to.
bool is_systems_own(const std::string& config_file) {
    for (std::string_view prefix : {"/etc/", "/var/etc/", "/tmp/etc/"})
        if (config_file.starts_with(prefix)) return true;
    return false;
}

}  // namespace

DnsmasqFound read_dnsmasq(const DnsmasqProcess& process, Storage& storage) {
    DnsmasqFound found = Reading(storage, process.directory).read(process.arguments);
    if (const std::string unit = unit_of(process.cgroups); !unit.empty())
        found.restart = {"systemctl", "restart", unit.substr(0, unit.rfind('.'))};
    else if (process.init_script && is_systems_own(found.config_file))
        found.restart = {"/etc/init.d/dnsmasq", "restart"};
    return found;
}

bool serves(const DnsmasqFound& dnsmasq, const std::string& interface) {
    if (any_matches(dnsmasq.except_interfaces, interface)) return false;
    return dnsmasq.interfaces.empty() || any_matches(dnsmasq.interfaces, interface);
}

}  // namespace porchlight::agent::setup
