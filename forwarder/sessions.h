#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "forwarder/serving.h"
#include "forwarder/session.h"
#include "net/asio.h"

namespace porchlight::forwarder {

/// All connections of one worker: opens and buries them, ends those that take too long by one sweep
/// over queues, and lends them the buffers that they need only while something happens.
class Sessions {
  public:
    /// The largest query that is read; with padding to any sane block it is far smaller.
    static constexpr std::size_t frame_octets_max = 16384;

    Sessions(asio::any_io_executor loop, Poller& poller, Responder& responder, Admission& admission,
             Serving& serving, Counters& counters);
    ~Sessions();

    void set_limits(const Limits& limits);
    /// Takes over a connection that was just accepted. `client` was counted by Admission, or null.
    void open(Stream stream, Client* client, Leg leg);
    void close_all();

    /// Around each of the poller's turns.
    void before_turn();
    void after_turn();

    /// Open DoT connections.
    std::uint32_t encrypted_count() const { return encrypted_count_; }
    /// By a host; the router's own probes don't count.
    std::optional<Clock::time_point> last_dot_query() const { return last_dot_query_; }

    // For sessions.
    Poller& poller() { return poller_; }
    Responder& responder() { return responder_; }
    Admission& admission() { return admission_; }
    Serving& serving() { return serving_; }
    Counters& counters() { return counters_; }
    const Limits& limits() const { return limits_; }
    Clock::time_point now() const { return now_; }
    /// To work in, during one call.
    std::span<std::uint8_t> input() { return input_; }
    Writer& output() { return output_; }
    Writer& late_output() { return late_output_; }
    Session* find(const Session::Ref& ref) const;
    void note_dot_query() { last_dot_query_ = now_; }
    void wait_for(Session& session, Waiting waiting);
    void mark_dirty(Session& session);
    void bury(Session& session);

  private:
    struct Timer;
    std::chrono::milliseconds given(Waiting waiting) const;
    void arm(Clock::time_point end);
    void sweep();
    void write_dirty();

    static constexpr std::array kinds{Waiting::handshake, Waiting::frame, Waiting::reading,
                                      Waiting::idle};

    asio::any_io_executor loop_;
    Poller& poller_;
    Responder& responder_;
    Admission& admission_;
    Serving& serving_;
    Counters& counters_;
    Limits limits_;
    Clock::time_point now_ = Clock::now();
    std::optional<Clock::time_point> last_dot_query_;
    std::uint32_t encrypted_count_ = 0;

    std::vector<std::unique_ptr<Session>> sessions_;
    std::vector<std::uint32_t> generations_;  // of each place
    std::vector<std::uint32_t> free_places_;
    std::vector<std::unique_ptr<Session>> buried_;  // freed when the turn ends
    std::vector<Session::Ref> dirty_;
    bool in_turn_ = false;
    bool write_posted_ = false;

    Deadlines deadlines_;
    std::unique_ptr<Timer> timer_;
    Clock::time_point armed_for_ = Clock::time_point::max();

    std::vector<std::uint8_t> input_;
    Writer output_;
    Writer late_output_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for handlers that come late
};

}  // namespace porchlight::forwarder
