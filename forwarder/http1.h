#pragma once

#include <memory>
#include <optional>

#include "forwarder/http.h"
#include "forwarder/http_exchange.h"

namespace porchlight::forwarder {

class Session;

/// HTTP/1.1 (RFC 9112), for clients that speak no HTTP/2: one request after the other. Beast's
/// parser reads them. A client that asks whether to go on with its body is answered (RFC 9110
/// section 10.1.1). After a request that can't be read to its end the connection ends.
class Http1 : public Http {
  public:
    /// `session` and `exchanges` outlive it.
    Http1(Session& session, HttpExchanges& exchanges);
    ~Http1() override;

    Heard receive(Bytes input) override;
    bool write(Writer& out) override;
    Writer* answer_to(std::int32_t stream) override;
    void answered(std::int32_t stream) override;
    void leave() override;
    void end() override { ended_ = true; }
    bool is_over() const override { return ended_ && !waiting_ && out_.size() == 0; }
    bool is_hearing() const override;
    Clock::time_point hears_since() const override { return hears_since_; }
    std::size_t held() const override { return out_.size(); }
    std::size_t octets() const override;

  private:
    struct Parser;

    bool hear();
    void hear_head();
    void hear_end();
    bool continues_or_refuses();
    void forget_request();
    bool has_room() const;
    void judge(HttpStatus status);
    void respond_limited();
    void respond(HttpStatus status);

    Session& session_;
    HttpExchanges& exchanges_;
    std::unique_ptr<HttpExchange> exchange_;
    std::unique_ptr<Parser> parser_;
    Buffer pending_;  // heard, and not read yet
    Writer out_;      // responses
    Clock::time_point hears_since_{};
    std::optional<HttpStatus> head_status_;  // once it was heard; none: the body decides
    bool head_heard_ = false;
    bool waits_to_go_on_ = false;  // the client, with its body
    bool waiting_ = false;         // for the answer to the one request
    bool leaving_ = false;         // after the request that has begun
    bool ended_ = false;
};

}  // namespace porchlight::forwarder
