#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "agent/backoff.h"
#include "core/result.h"
#include "net/channel.h"

namespace porchlight::agent {

/// One of the keeper's long-lived children: its process, its channel, when to start it again, and
/// whether it still answers.
class Child {
  public:
    static constexpr std::chrono::seconds question_interval{10};
    static constexpr unsigned unanswered_max = 3;

    /// `arguments` are those of the program itself, "role" and the rest.
    Child(std::string name, std::vector<std::string> arguments)
        : name_(std::move(name)), arguments_(std::move(arguments)) {}

    /// Starts it with our channel as descriptor 3 and `more` behind it.
    Result<void> start(const std::vector<int>& more, Clock::time_point now);
    /// Its process ended with `status` (wait(2)): notes when to start the next.
    void ended(int status, Clock::time_point now);
    /// Its process ended, and no other shall follow.
    void finished();
    /// Whether it was killed because it no longer answered.
    bool hung() const { return hung_; }
    /// It answered the watchdog.
    void answered() { unanswered_ = 0; }
    /// Asks when it is time to, and kills a child that left several questions unanswered. They are
    /// counted, not timed: while we ourselves were busy, nobody read the answers.
    void watch(std::uint16_t question, Clock::time_point now);
    /// Ends it: asks by closing the channel, then kills.
    void stop();

    const std::string& name() const { return name_; }
    bool running() const { return pid_ > 0; }
    pid_t pid() const { return pid_; }
    unsigned starts() const { return starts_; }
    net::Channel& channel() { return channel_; }
    /// When to start it; nothing while it runs.
    std::optional<Clock::time_point> start_at() const { return start_at_; }
    /// When there is something to do: to start it, or to watch it.
    Clock::time_point next_deadline() const { return start_at_ ? *start_at_ : next_question_; }
    /// Its end of the channel is closed: it is dying, or it must.
    void lost();
    /// Sends, and lets the watchdog deal with a child that does not read. False: it did not arrive.
    bool send(std::uint16_t kind, Bytes body, const std::vector<int>& descriptors = {});

  private:
    std::string name_;
    std::vector<std::string> arguments_;
    net::Channel channel_;
    pid_t pid_ = 0;
    unsigned starts_ = 0;
    Backoff backoff_;
    std::optional<Clock::time_point> start_at_ = Clock::time_point::min();
    unsigned unanswered_ = 0;
    bool hung_ = false;
    Clock::time_point next_question_{};
};

}  // namespace porchlight::agent
