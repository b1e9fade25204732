#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "forwarder/handshake_queue.h"
#include "forwarder/http_exchange.h"
#include "forwarder/serving.h"
#include "forwarder/session.h"
#include "net/asio.h"

namespace porchlight::forwarder {

/// All connections of one worker: opens and buries them, ends those that take too long by one sweep
/// over queues, and lends them the buffers that they need only while something happens.
class Sessions final : public Shedder {
  public:
    /// The largest query that is read; with padding to any sane block it is far smaller.
    static constexpr std::size_t frame_octets_max = 16384;

    Sessions(asio::any_io_executor loop, Poller& poller, Responder& responder, Admission& admission,
             Serving& serving, Counters& counters, unsigned workers);
    ~Sessions();

    /// Limits, what DoH listeners serve, and which device each client is that said so. Behind
    /// Lookup::apply() with the same settings.
    void apply(const Settings& settings);
    /// Counts a connection that was just accepted, to be opened or to leave; null: over a limit.
    Client* enter(const Peer& peer) { return admission_.enter(peer, limits_, now_, this); }
    void leave(Client& client) { admission_.leave(client, limits_, now_); }
    /// Takes it over. `client` entered, or is null where nothing is limited per client.
    void open(Stream stream, Client* client, Leg leg);
    /// Ends, without loss, those whose listener is gone; `stays` says whose is not.
    void leave_unless(const std::function<bool(const Leg&)>& stays);
    /// Ends all without loss, and then calls `then` on the loop. Takes `leaving_max` at most.
    void leave_all(std::function<void()> then);
    void close_all();
    void shed_soon() override;

    /// Around each of the poller's turns.
    void before_turn();
    void after_turn();
    /// Computes one handshake, if one is due.
    void after_wake();

    /// Open connections over TLS.
    std::uint32_t dot_count() const { return dot_count_; }
    std::uint32_t doh_count() const { return doh_count_; }
    std::uint32_t handshakes_waiting() const {
        return static_cast<std::uint32_t>(handshakes_.size());
    }
    /// By a host, over DoT or DoH; the router's own probes don't count.
    std::optional<Clock::time_point> last_encrypted_query() const { return last_encrypted_query_; }

    // For sessions.
    Poller& poller() { return poller_; }
    Responder& responder() { return responder_; }
    Admission& admission() { return admission_; }
    Serving& serving() { return serving_; }
    Counters& counters() { return counters_; }
    const Limits& limits() const { return limits_; }
    const std::vector<std::string>& doh_paths() const { return doh_paths_; }
    /// Ids of devices.
    const std::vector<std::string>& devices() const { return devices_; }
    /// What a client says of itself by the name that it asks TLS for; none: nothing that is known.
    std::optional<View> view_by(std::string_view server_name) const;
    bool doh_http1() const { return doh_http1_; }
    HttpExchanges& exchanges() { return exchanges_; }
    Clock::time_point now() const { return now_; }
    void established(Client& client, bool resumed) {
        admission_.established(client, resumed, limits_, now_);
    }
    /// For a question that has to be looked up; none: over a limit.
    std::optional<WaitingPlace> place_for_question(Client* client) {
        return client != nullptr ? admission_.place_for_question(*client, limits_) : WaitingPlace();
    }
    /// To work in, during one call.
    std::span<std::uint8_t> input() { return input_; }
    Writer& output() { return output_; }
    Writer& late_output() { return late_output_; }
    Session* find(const Session::Ref& ref) const;
    void note_encrypted_query() { last_encrypted_query_ = now_; }
    void wait_for(Session& session, Waiting waiting);
    /// Until its handshake may be computed: then Session::take_turn().
    HandshakeQueue::Turn wait_for_turn(const Session& session, const Client& client);
    void give_up(const HandshakeQueue::Turn& turn);
    void mark_dirty(Session& session);
    void bury(Session& session);

  private:
    struct Timer;
    std::uint32_t* count_of(const Leg& leg);
    std::chrono::milliseconds given(Waiting waiting) const;
    std::chrono::milliseconds idle_given(const Limits& limits) const;
    void arm(Clock::time_point end);
    void sweep();
    void close_shed();
    void write_dirty();
    void compute_handshake(Session& session);
    void wait_for_credit();
    void tell_if_empty();

    static constexpr std::array kinds{Waiting::handshake, Waiting::frame,     Waiting::reading,
                                      Waiting::idle,      Waiting::idle_http, Waiting::leaving};

    asio::any_io_executor loop_;
    Poller& poller_;
    Responder& responder_;
    Admission& admission_;
    Serving& serving_;
    Counters& counters_;
    Limits limits_;
    std::vector<std::string> doh_paths_;
    std::vector<std::string> devices_;
    std::string adn_;  // of this resolver, without a dot at its end; empty: none
    bool doh_http1_ = false;
    Clock::time_point now_ = Clock::now();
    std::optional<Clock::time_point> last_encrypted_query_;
    std::uint32_t dot_count_ = 0;
    std::uint32_t doh_count_ = 0;

    HttpExchanges exchanges_;  // outlives those who borrow from it

    std::vector<std::unique_ptr<Session>> sessions_;
    std::vector<std::uint32_t> generations_;  // of each place
    std::vector<std::uint32_t> free_places_;
    std::vector<std::unique_ptr<Session>> buried_;  // freed when the turn ends
    std::vector<Session::Ref> dirty_;
    std::function<void()> when_empty_;
    std::vector<Session::Ref> writing_;  // those of them whose turn it is
    bool in_turn_ = false;
    bool write_posted_ = false;

    Deadlines deadlines_;
    std::unique_ptr<Timer> timer_;
    Clock::time_point armed_for_ = Clock::time_point::max();

    unsigned workers_;
    HandshakeQueue handshakes_;
    std::unique_ptr<Timer> credit_timer_;
    Clock::time_point credit_awaited_{};

    std::vector<std::uint8_t> input_;
    Writer output_;
    Writer late_output_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for handlers that come late
};

}  // namespace porchlight::forwarder
