#include "agent/provisions.h"

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include "agent/privileges.h"
#include "agent/role_arguments.h"
#include "agent/spawn.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::minutes order_may_take{15};
constexpr std::size_t count_max = 4;  // an order, a staple, and one of each on its way out

/// Where the account does not exist: a number that Debian and OpenWrt give to nobody.
constexpr User nameless{64773, 64773};

}  // namespace

Result<net::Channel> Provisions::start(bool as_own_user, const LogConfig& log,
                                       Clock::time_point now) {
    if (deadlines_.size() >= count_max) return Error{Errc::refused, "too many orders at once"};
    auto ends = net::Channel::pair();
    if (!ends) return ends.error();
    // Its own user, so that a CA's octets reach neither the agent nor the control socket.
    const std::optional<User> user =
        as_own_user ? std::optional(find_user("porchlight-provision").value_or(nameless))
                    : std::nullopt;
    auto pid = spawn_role(role_arguments("provision", user, log), {ends->second.descriptor()});
    if (!pid) return pid.error();
    deadlines_[*pid] = now + order_may_take;
    return std::move(ends->first);
}

void Provisions::end_overdue(Clock::time_point now) {
    for (auto& [pid, deadline] : deadlines_)
        if (now >= deadline) {
            ::kill(pid, SIGKILL);
            deadline = now + order_may_take;
        }
}

void Provisions::end_all() {
    for (const auto& [pid, deadline] : deadlines_) ::kill(pid, SIGKILL);
}

Clock::time_point Provisions::next_deadline() const {
    auto next = Clock::time_point::max();
    for (const auto& [pid, deadline] : deadlines_) next = std::min(next, deadline);
    return next;
}

}  // namespace porchlight::agent
