#include "forwarder/http1.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "forwarder/session.h"
#include "forwarder/sessions.h"

namespace porchlight::forwarder {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t pending_octets_max =
    DohRequest::fields_octets_max + DohRequest::message_octets_max;

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

struct Http1::Parser : http::request_parser<http::string_body> {
    Parser() {
        header_limit(static_cast<std::uint32_t>(DohRequest::fields_octets_max));
        body_limit(DohRequest::message_octets_max);
        eager(true);
    }
};

Http1::Http1(Session& session, HttpExchanges& exchanges)
    : session_(session),
      exchanges_(exchanges),
      exchange_(exchanges.take()),
      parser_(std::make_unique<Parser>()) {}

Http1::~Http1() {
    exchanges_.give_back(std::move(exchange_));
}

Http::Heard Http1::receive(Bytes input) {
    if (ended_) return Heard::frames;
    // Who sends request upon request while one is answered is no browser.
    if (input.size() > pending_octets_max - std::min(pending_octets_max, pending_.size())) {
        ended_ = true;
        return Heard::broken;
    }
    if (!is_hearing()) hears_since_ = session_.home().now();
    if (!exchanges_.add_body(*exchange_, input.size(), session_.bodies())) {
        ++session_.home().counters().doh_bodies_refused;
        ended_ = true;
        if (!waiting_) respond(HttpStatus::unavailable);
        return Heard::requests;
    }
    pending_.insert(pending_.end(), input.begin(), input.end());
    Heard heard = Heard::pieces;
    while (!waiting_ && !ended_ && !pending_.empty() && has_room() && hear())
        heard = Heard::requests;
    return heard;
}

/// Answers that did not leave yet keep the next request waiting.
bool Http1::has_room() const {
    return out_.size() < session_.home().limits().output_bytes_max;
}

/// Reads on in what is pending; true: a request was whole, or wrong.
bool Http1::hear() {
    boost::system::error_code wrong;
    const std::size_t used =
        parser_->put(boost::asio::const_buffer(pending_.data(), pending_.size()), wrong);
    if (wrong == http::error::need_more) wrong = {};
    if (wrong) {
        ended_ = true;
        const bool in_first_line = std::ranges::find(pending_, '\n') == pending_.end();
        if (wrong == http::error::body_limit)
            judge(HttpStatus::content_too_large);
        else if (wrong != http::error::header_limit)
            judge(HttpStatus::bad_request);
        else
            judge(in_first_line ? HttpStatus::uri_too_long : HttpStatus::fields_too_large);
        return true;
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(used));
    if (parser_->is_header_done() && !head_heard_) hear_head();
    if (parser_->is_done()) {
        hear_end();
        return true;
    }
    return continues_or_refuses();
}

void Http1::hear_head() {
    head_heard_ = true;
    const auto& asked = parser_->get();
    DohRequest& request = exchange_->request;
    request.set_method(view(asked.method_string()));
    request.set_target(view(asked.target()), session_.home().doh_paths(),
                       session_.home().devices());
    for (const auto& field : asked)
        request.add_field(view(field.name_string()), view(field.value()));
    head_status_ = request.judge_head();
    // HTTP/1.0 knows no such answer.
    waits_to_go_on_ = asked.version() >= 11 && request.waits_to_go_on();
}

void Http1::hear_end() {
    auto status = head_status_;
    if (!status) {
        exchange_->request.add_body(bytes_of(parser_->get().body()));
        status = exchange_->request.judge_body();
    }
    ended_ = leaving_ || !parser_->keep_alive();
    forget_request();
    judge(*status);
}

/// A client that wants to be sure before it sends its body is told to go on, or told at once what
/// else becomes of its request (RFC 9110 section 10.1.1). True: that.
bool Http1::continues_or_refuses() {
    if (!std::exchange(waits_to_go_on_, false)) return false;
    if (!head_status_) {
        out_.text("HTTP/1.1 100 Continue\r\n\r\n");
        return false;
    }
    const HttpStatus status = *head_status_;
    ended_ = true;  // whether the body comes all the same nobody knows
    forget_request();
    judge(status);
    return true;
}

void Http1::forget_request() {
    parser_ = std::make_unique<Parser>();
    head_heard_ = waits_to_go_on_ = false;
}

void Http1::judge(HttpStatus status) {
    if (!session_.admit_query()) return respond_limited();
    if (status != HttpStatus::ok) return respond(status);
    waiting_ = true;
    const auto given = session_.ask(exchange_->request, 0, exchange_->answer);
    if (!given) return respond_limited();
    if (*given == Responder::Given::not_known) return;
    respond(*given == Responder::Given::answered ? HttpStatus::ok : HttpStatus::bad_request);
}

void Http1::respond_limited() {
    ++session_.home().counters().queries_refused;
    ended_ = true;
    respond(HttpStatus::too_many_requests);
}

void Http1::respond(HttpStatus status) {
    waiting_ = false;
    hears_since_ = session_.home().now();  // the next request, if its front is here
    if (status != HttpStatus::ok && status != HttpStatus::too_many_requests)
        ++session_.home().counters().doh_bad_requests;
    const Bytes answer = exchange_->answer.view();
    exchange_->fields.set(status, answer);
    out_.text("HTTP/1.1 ");
    out_.text(exchange_->fields.status());
    out_.text(" ");
    out_.text(view(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)))));
    out_.text("\r\n");
    for (const DohFields::Field& one : exchange_->fields.fields()) {
        out_.text(one.name);
        out_.text(": ");
        out_.text(one.value);
        out_.text("\r\n");
    }
    if (ended_) out_.text("connection: close\r\n");
    out_.text("\r\n");
    out_.bytes(answer);
    exchanges_.give_back(std::move(exchange_));
    exchange_ = exchanges_.take();
}

bool Http1::write(Writer& out) {
    out.bytes(out_.view());
    out_.truncate(0);
    return false;
}

std::size_t Http1::octets() const {
    return sizeof *this + sizeof *parser_ + parser_->get().body().capacity() + pending_.capacity() +
           out_.capacity() + exchange_->octets();
}

/// The answer to the last request says that it is (RFC 9112 section 9.6).
void Http1::leave() {
    leaving_ = true;
    if (waiting_ || !is_hearing()) ended_ = true;
}

bool Http1::is_hearing() const {
    return !waiting_ && !ended_ && (!pending_.empty() || parser_->got_some());
}

Writer* Http1::answer_to(std::int32_t) {
    return waiting_ ? &exchange_->answer : nullptr;
}

/// What came behind the request is read when the session looks for it again.
void Http1::answered(std::int32_t) {
    respond(HttpStatus::ok);
}

}  // namespace porchlight::forwarder
