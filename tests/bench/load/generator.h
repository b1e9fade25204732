#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string>

#include "connection.h"

namespace porchlight::bench {

using Clock = std::chrono::steady_clock;

struct Options {
    std::string mode = "flood", protocol = "dot", prefix = "cached";
    std::uint16_t port = 853;
    std::uint32_t connections = 1, depth = 1, names = 0;
    std::uint64_t count = 0;  // questions; 0: as many as the time allows
    double seconds = 1;
    bool resume = false, warm = false;
};

/// Connections and the loop that drives them, on one thread.
class Generator {
  public:
    explicit Generator(const Options& options);
    ~Generator();
    Generator(const Generator&) = delete;

    /// Opens all, a few handshakes at a time; with `ask_one` each asks once and is answered.
    void open_all(bool ask_one);
    /// Keeps `depth` questions of each connection waiting until `end`, or `questions` were
    /// answered, or nothing was for three seconds.
    void flood(Clock::time_point end, std::uint32_t depth,
               std::uint64_t questions = std::numeric_limits<std::uint64_t>::max(),
               std::chrono::seconds patience = std::chrono::seconds(3));
    /// One wait. `step` is called for each connection that something happened to, open or not.
    void turn(Clock::time_point until, const std::function<void(Connection&)>& step);
    /// Waits for the answers that are missing, at most so long; what is missing then is lost.
    void drain(std::chrono::milliseconds at_most);

    std::deque<Connection>& connections() { return connections_; }
    Tally& tally() { return common_.tally; }
    void offer_tickets() { common_.offer_tickets = true; }

  private:
    Common common_;
    std::deque<Connection> connections_;
};

}  // namespace porchlight::bench
