#include "agent/setup_dnsmasq.h"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace porchlight::agent::setup {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    text = text.substr(first, text.find_last_not_of(blanks) + 1 - first);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return std::string(text);
}

std::vector<std::string> comma_separated(const std::string& text) {
    std::vector<std::string> words;
    std::stringstream rest(text);
    for (std::string word; std::getline(rest, word, ',');)
        if (!trimmed(word).empty()) words.push_back(trimmed(word));
    return words;
}

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
    explicit Reading(Storage& storage) : storage_(storage) {}

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
        read_file(found_.config_file);
        return std::move(found_);
    }

  private:
    void take(const std::string& name, const std::string& value) {
        if (name == "interface" || name == "except-interface") {
            auto& list = name == "interface" ? found_.interfaces : found_.except_interfaces;
            for (std::string& word : comma_separated(value)) list.push_back(std::move(word));
        } else if (name == "domain") {
            const auto words = comma_separated(value);
            // "domain=guests.lan,192.168.2.0/24" is of a part of the home.
            if (words.size() == 1 && words[0] != "#") found_.domain = words[0];
        } else if (name == "server") {
            // "/lan/192.168.1.1" is for some names alone.
            if (!value.empty() && !value.starts_with('/')) found_.servers.push_back(value);
        } else if (!value.starts_with('/')) {
            return;  // relative to a directory that nobody knows any more
        } else if (name == "pid-file") {
            found_.pid_file = value;
        } else if (name == "resolv-file") {
            found_.resolv_file = value;
        } else if (name == "conf-file") {
            read_file(value);
        } else if (name == "conf-dir") {
            read_directory(ConfDir(value));
        }
    }

    void read_directory(const ConfDir& directory) {
        if (found_.fragment.empty()) found_.fragment = directory.fragment();
        for (const std::string& name : storage_.list(directory.path))
            if (directory.takes(name)) read_file(directory.path + "/" + name);
    }

    void read_file(const std::string& path) {
        // Files may name each other in a circle.
        if (!path.starts_with('/') || ++files_ > dnsmasq_files_max) return;
        const auto octets = storage_.read(path);
        if (!octets) return;
        std::stringstream lines{std::string(text_of(*octets))};
        for (std::string line; std::getline(lines, line);) {
            const std::string_view setting = without_comment(line);
            const std::size_t equals = setting.find('=');
            if (equals == setting.npos) continue;
            take(trimmed(setting.substr(0, equals)), trimmed(setting.substr(equals + 1)));
        }
    }

    Storage& storage_;
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

bool matches(const std::string& pattern, const std::string& interface) {
    if (!pattern.ends_with('*')) return pattern == interface;
    return interface.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& interface) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& one) { return matches(one, interface); });
}

}  // namespace

DnsmasqFound read_dnsmasq(const DnsmasqProcess& process, Storage& storage) {
    DnsmasqFound found = Reading(storage).read(process.arguments);
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
