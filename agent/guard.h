#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "agent/guard_ports.h"
#include "agent/guard_rules.h"
#include "agent/rogues.h"
#include "core/clock.h"
#include "core/file_descriptor.h"
#include "net/asio.h"

namespace porchlight::agent {

/// What `status` tells of the guard.
struct GuardStatus {
    struct Counters {
        std::uint64_t frames = 0;     // that might have been such messages
        std::uint64_t malformed = 0;  // frames that nobody can read
        std::uint64_t untold = 0;     // news that were too many for the log
        PerServerKind messages;       // of routers and servers that are not this one
        PerServerKind naming;         // those of them that name a resolver which is not the home's
    };
    bool detects = false;
    bool blocks = false;             // the rules that do it are loaded
    bool validates_sources = false;  // likewise
    std::size_t leases = 0;          // that those go by
    GuardDropped dropped;            // by them, as it was read last
    std::vector<GuardPort> ports;
    std::vector<Rogue> rogues;
    Counters counters;
};

/// Listens for those who act as router or DHCP server of the home's links and are none (RFC 6105,
/// RFC 7610): the loops around judge() and Rogues. Needs no privilege, for its sockets are handed
/// over.
class Guard {
  public:
    /// What comes at one port faster than this is left to the kernel, which drops it.
    static constexpr int frames_per_turn_max = 32;
    static constexpr std::chrono::milliseconds pause_between_turns{20};
    /// Lines that one port may cause at once, and until when it may cause another: whoever forges
    /// addresses shall fill no log.
    static constexpr unsigned lines_max = 8;
    static constexpr std::chrono::minutes line_again_after{1};

    /// `time` outlives the executor's run.
    Guard(asio::any_io_executor loop, const TimeSource& time);
    ~Guard();

    /// Listens at these ports and no others, whose new ones come with their sockets, in order. What
    /// was heard at others is still known.
    void listen(const std::vector<GuardHandover::Port>& ports, std::vector<FileDescriptor> sockets);
    /// Whose words are no rogue's from now on. Before this nothing is judged.
    void set_facts(GuardFacts facts);
    /// `ports`, `rogues` and `counters`; the rest is not its to know.
    GuardStatus status() const;
    /// Whether anything is listened at on a link.
    bool listens_on(const std::string& link) const;

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the waiting coroutines, which may end after us
};

}  // namespace porchlight::agent
