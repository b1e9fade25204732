#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "core/writer.h"
#include "forwarder/admission.h"
#include "forwarder/deadlines.h"
#include "forwarder/doh_request.h"
#include "forwarder/handshake_queue.h"
#include "forwarder/http.h"
#include "forwarder/poller.h"
#include "forwarder/responder.h"
#include "forwarder/stream.h"

namespace porchlight::forwarder {

class Sessions;

/// One client's connection, DNS over a stream (RFC 7766, RFC 7858) or over HTTP (RFC 8484). What
/// one read brings is answered into one buffer and leaves in one write; what has to be looked up is
/// answered when it is found, in any order. At its limits it stops reading, and goes on when there
/// is room again. Holds little of its own: buffers to work in belong to Sessions.
class Session : public Pollable, public DeadlineHook {
  public:
    struct Ref {
        std::uint32_t place = 0;
        std::uint32_t generation = 0;
    };

    /// `client` is null where nothing is limited per client.
    Session(Sessions& home, Ref ref, Stream stream, Client* client, Leg leg);
    ~Session() override;

    void on_ready(std::uint32_t events) override;
    /// Its time for what it waits for is over.
    void expire();
    /// Notes which device the client said it is, by the settings of today.
    void identify();
    /// Its handshake, which waited for the processor, is computed now.
    void take_turn();
    /// Writes what was delivered since the last turn, and reads on if that made room.
    void after_answers();
    /// Ends it without loss: what came is answered, nothing more is begun, and when all is said, or
    /// `leaving_max` is over, it is closed.
    void leave();
    void close(Stream::Close how);

    // For its HTTP.
    Sessions& home() { return home_; }
    /// Whether one query more is within the client's rate, or that of plain DNS.
    bool admit_query();
    /// Where bodies of the client's host are counted; null: nowhere.
    std::atomic<std::uint32_t>* bodies() const {
        return client_ != nullptr ? client_->bodies() : nullptr;
    }
    /// Appends the answer to what `request` asks, or looks it up, and HTTP is told when it is
    /// found. None: the client waits for too many already.
    std::optional<Responder::Given> ask(const DohRequest& request, std::int32_t stream,
                                        Writer& answer);

    const Ref& ref() const { return ref_; }
    const Leg& leg() const { return leg_; }
    bool is_closed() const { return closed_; }
    bool was_shed() const { return client_ != nullptr && client_->was_shed(); }

  private:
    /// Of what was read.
    struct Taken {
        std::size_t octets = 0;
        bool whole = false;  // something that could come in pieces is complete
        bool asked = false;
    };

    void on_events(std::uint32_t events);
    Serving::Host host() const;
    void on_events_waiting(std::uint32_t events);
    bool reads_too_often();
    void block();
    void shake_hands();
    void compute_handshake();
    void count_handshake();
    void count_failed_handshake();
    void serve(bool woken);
    std::size_t fill(std::span<std::uint8_t> into);
    Taken answer_frames(Bytes input, Writer& out);
    Taken answer_http(Bytes input, Writer& out);
    void write_http(Writer& out);
    void begin_http();
    void answer(Bytes message, Writer& out);
    void refuse(Bytes message, Writer& out);
    void count_query();
    void look_up(WaitingPlace place);
    void look_up(std::int32_t stream, WaitingPlace place);
    void deliver(const KeptQuery& asked, const Found& found);
    void deliver(std::int32_t stream, const KeptQuery& asked, const Found& found);
    void send(Bytes octets);
    std::size_t next_write(Bytes octets);
    void write_pending();
    void end_if_too_much_is_held();
    void break_off();
    void note_progress(const Taken& taken, bool sent);
    bool takes_held();
    void say_goodbye();
    bool is_held() const { return http_ && http_->held() != 0; }
    Waiting idling() const { return leg_.http ? Waiting::idle_http : Waiting::idle; }
    bool has_room() const;
    bool may_read() const;
    bool may_serve() const;
    Leg leg_now() const;
    std::size_t octets() const;
    void settle(bool asked = false);
    void set_deadline(bool asked);
    std::optional<Clock::time_point> hears_until(bool asked);
    void watch();
    void watch_for(std::uint32_t events);

    Sessions& home_;
    Ref ref_;
    Stream stream_;
    Client* client_;
    Leg leg_;
    std::unique_ptr<Http> http_;  // null: messages behind their length, RFC 1035 section 4.2.2
    Buffer in_;                   // the front of a frame, or frames that had to wait
    Buffer out_;                  // what the peer did not take yet
    HandshakeQueue::Turn turn_;   // none: it does not wait for one
    /// A piece of a frame or request is here; the epoch: none is.
    Clock::time_point hears_since_{};
    std::uint32_t events_ = 0;       // that the poller watches for
    std::uint32_t unheard_ = 0;      // of what was written, when it was looked at last
    std::uint32_t record_left_ = 0;  // octets of whole frames that were begun to be written
    std::uint32_t held_ = 0;         // by HTTP for want of room, when it was looked at last
    std::uint16_t in_flight_ = 0;
    static constexpr std::uint8_t reads_in_vain_max = 50;  // for one query, or the handshake
    std::uint8_t reads_in_vain_ = 0;  // since the last whole frame, or in the handshake
    bool established_ = false;
    bool write_blocked_ = false;
    bool tls_writes_ = false;       // its own messages, before it reads on
    bool stopped_reading_ = false;  // since the piece is here
    bool ending_ = false;           // reads no more; closes when all is answered and written
    bool deaf_ = false;             // and hears nothing of what was read already
    bool leaving_ = false;
    bool closed_ = false;
    bool dirty_ = false;  // known to Sessions as having something to write
    friend class Sessions;
};

}  // namespace porchlight::forwarder
