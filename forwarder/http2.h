#pragma once

#include <nghttp2/nghttp2.h>

#include <memory>
#include <vector>

#include "forwarder/http.h"
#include "forwarder/http2_budget.h"
#include "forwarder/http_exchange.h"

namespace porchlight::forwarder {

class Session;

/// HTTP/2 (RFC 9113). nghttp2 makes and reads the frames in memory. Requests are answered as they
/// come, each in its own time and in any order. A client that floods us with what asks nothing is
/// told to calm down, and left.
class Http2 : public Http {
  public:
    /// Null without memory. `session` and `exchanges` outlive it.
    static std::unique_ptr<Http2> create(Session& session, HttpExchanges& exchanges);
    ~Http2() override;

    Heard receive(Bytes input) override;
    bool write(Writer& out) override;
    Writer* answer_to(std::int32_t stream) override;
    void answered(std::int32_t stream) override;
    void leave() override;
    void end() override;
    bool is_over() const override;
    bool is_hearing() const override { return hearing_ != 0; }
    Clock::time_point hears_since() const override;
    std::size_t held() const override { return held_; }
    std::size_t octets() const override;

  private:
    struct Callbacks;
    struct Free {
        void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
    };

    Http2(Session& session, HttpExchanges& exchanges) : session_(session), exchanges_(exchanges) {}

    HttpExchange* exchange_of(std::int32_t stream) const;
    void begin(std::int32_t stream);
    void hear_frame(const nghttp2_frame& frame);
    void hear_body(HttpExchange& exchange, Bytes part, bool is_last);
    void judge(HttpExchange& exchange, HttpStatus status);
    void tell_to_go_on(std::int32_t stream);
    void respond(HttpExchange& exchange, HttpStatus status);
    void respond_limited(HttpExchange& exchange);
    std::size_t read_answer(HttpExchange& exchange, std::span<std::uint8_t> into, bool& ends);
    void forget_body(HttpExchange& exchange);
    void close_stream(HttpExchange& exchange);
    void admit(Http2Budget::Event event);
    void end_new_streams();
    void break_off(std::uint32_t error);

    Session& session_;
    HttpExchanges& exchanges_;
    std::unique_ptr<nghttp2_session, Free> http_;
    std::vector<std::unique_ptr<HttpExchange>> open_;
    Http2Budget budget_;
    std::size_t held_ = 0;
    std::size_t body_octets_ = 0;  // of requests that are not whole, or not answered
    std::uint32_t hearing_ = 0;    // requests that have not been judged
    Heard heard_ = Heard::pieces;
    bool leaving_ = false;
    bool ended_ = false;
};

}  // namespace porchlight::forwarder
