#include "agent/port_holder.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "core/text.h"

namespace porchlight::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view state_listen = "0A";
constexpr std::string_view keeper = "porchlight", forwarder = "pl-forwarder";

std::string_view next_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return take_until(line, ' ');
}

template <class Integer>
std::optional<Integer> number(std::string_view text, int base) {
    Integer value = 0;
    const char* end = text.data() + text.size();
    const auto [at, failed] = std::from_chars(text.data(), end, value, base);
    if (failed != std::errc() || at != end || text.empty()) return std::nullopt;
    return value;
}

/// The socket of a line "  sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode".
std::optional<std::uint64_t> listener_in(std::string_view line, std::uint16_t port) {
    next_word(line);
    std::string_view local = next_word(line);
    take_until(local, ':');
    if (number<std::uint16_t>(local, 16) != port) return std::nullopt;
    next_word(line);
    if (next_word(line) != state_listen) return std::nullopt;
    for (int i = 0; i < 5; ++i) next_word(line);
    return number<std::uint64_t>(next_word(line), 10);
}

std::string contents(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Whether one of a process's descriptors is one of those sockets.
bool has_any(const fs::path& process, const std::set<std::uint64_t>& sockets) {
    std::error_code failed;
    for (fs::directory_iterator at(process / "fd", failed), end; !failed && at != end;
         at.increment(failed)) {
        std::error_code gone;
        const std::string target = fs::read_symlink(at->path(), gone).string();
        constexpr std::string_view prefix = "socket:[";
        if (gone || !target.starts_with(prefix)) continue;
        std::string_view inode(target);
        inode.remove_prefix(prefix.size());
        inode.remove_suffix(1);
        const auto its = number<std::uint64_t>(inode, 10);
        if (its && sockets.contains(*its)) return true;
    }
    return false;
}

}  // namespace

std::set<std::uint64_t> listening_at(std::string_view table, std::uint16_t port) {
    std::set<std::uint64_t> inodes;
    while (!table.empty())
        if (const auto inode = listener_in(take_until(table, '\n'), port)) inodes.insert(*inode);
    return inodes;
}

std::optional<std::string> holder_of(std::uint16_t port) {
    std::set<std::uint64_t> sockets = listening_at(contents("/proc/net/tcp"), port);
    sockets.merge(listening_at(contents("/proc/net/tcp6"), port));
    if (sockets.empty()) return std::nullopt;
    std::error_code failed;
    for (fs::directory_iterator at("/proc", failed), end; !failed && at != end;
         at.increment(failed)) {
        if (!number<unsigned>(at->path().filename().string(), 10)) continue;
        if (!has_any(at->path(), sockets)) continue;
        std::string text = contents(at->path() / "comm");
        std::string_view rest(text);
        std::string name(take_until(rest, '\n'));
        // Nobody else could share a port with ours.
        const bool is_ours = name.starts_with(keeper) || name == forwarder;
        return is_ours ? std::nullopt : std::optional(name);
    }
    return std::string();
}

}  // namespace porchlight::agent
