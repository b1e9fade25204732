#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "core/result.h"
#include "ra/announced.h"

namespace porchlight::ra {

/// What withdraw_now did, for people and for tests.
struct WithdrawOutcome {
    enum class Header {
        not_needed,  // nothing was announced
        asked,       // the RA daemon said which header hosts have
        remembered,  // it was silent; the stored header still held
        unknown,     // it was silent, and what was stored has ended: nothing was sent
    };
    Header header = Header::not_needed;
    unsigned packets = 0;  // that left
};

/// Takes back what a process that no longer runs announced: three times within about a second,
/// under a header that leaves the hosts' default route alone. Blocks for `ask_within`, in which the
/// RA daemon of this machine is asked for its header, and that second; never longer than some
/// seconds. Needs CAP_NET_RAW.
/// Where nobody knows the header, nothing is sent: the options' own lifetimes end them then. Where
/// it ends on the way, the rest leaves with Router Lifetime 0: hosts have no route left to lose.
/// Where the dead process was the RA daemon itself and no other has taken the link over, hosts hear
/// Router Lifetime 0. Fails when something had to be sent and could not be, for some seconds: it
/// still stands then.
Result<WithdrawOutcome> withdraw_now(
    const Announced& announced, std::chrono::milliseconds ask_within = std::chrono::seconds(1));

/// The same for many links, in the order of `announced`: `links_at_once` of them at a time, two
/// descriptors and a thread each, because nearly all of it is waiting.
inline constexpr std::size_t links_at_once = 64;
std::vector<Result<WithdrawOutcome>> withdraw_all(
    std::span<const Announced> announced,
    std::chrono::milliseconds ask_within = std::chrono::seconds(1));

}  // namespace porchlight::ra
