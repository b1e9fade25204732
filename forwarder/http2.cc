#include "forwarder/http2.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "forwarder/memory.h"
#include "forwarder/session.h"
#include "forwarder/sessions.h"

namespace porchlight::forwarder {
namespace {

using Event = Http2Budget::Event;

constexpr std::size_t write_octets = 16384;    // one TLS record
constexpr std::size_t acks_queued_max = 100;   // of SETTINGS and PING, that were not written yet
constexpr std::size_t small_data_octets = 64;  // a body in such pieces wants to be work
constexpr std::size_t fields_max = 4;
constexpr unsigned unknown_type_min = 10;  // the first that RFC 9113 section 6 does not define
constexpr unsigned frame_types = 256;
/// Of a connection as of a stream: the one octet that makes a message too large can still come.
constexpr std::uint32_t window_octets = DohRequest::message_octets_max + 1;

Http2& self(void* user) {
    return *static_cast<Http2*>(user);
}

nghttp2_nv field(std::string_view name, std::string_view value) {
    const auto octets = [](std::string_view text) {
        return const_cast<std::uint8_t*>(bytes_of(text).data());  // nghttp2 knows no const
    };
    // Both live as long as their exchange, so nothing has to be copied.
    return {octets(name), octets(value), name.size(), value.size(),
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

Event event_of(const nghttp2_frame_hd& head) {
    switch (head.type) {
        case NGHTTP2_HEADERS:
            return Event::header;
        case NGHTTP2_CONTINUATION:
            return Event::continuation;
        case NGHTTP2_RST_STREAM:
            return Event::reset;
        case NGHTTP2_SETTINGS:
            return Event::settings;
        case NGHTTP2_PING:
            return Event::ping;
        default:
            return Event::other;
    }
}

bool is_shutdown_notice(const nghttp2_frame& frame) {
    return frame.hd.type == NGHTTP2_GOAWAY && frame.goaway.last_stream_id == INT32_MAX;
}

/// Of a stream that its client made an error on, which resets it as well as the client's own word
/// does. Not where it merely began too many.
bool is_reset_for_error(const nghttp2_frame& frame) {
    return frame.hd.type == NGHTTP2_RST_STREAM && frame.rst_stream.error_code != NGHTTP2_NO_ERROR &&
           frame.rst_stream.error_code != NGHTTP2_REFUSED_STREAM;
}

bool has_ended(const nghttp2_frame_hd& head) {
    return (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

struct OptionFree {
    void operator()(nghttp2_option* options) const { nghttp2_option_del(options); }
};
using Options = std::unique_ptr<nghttp2_option, OptionFree>;

/// How a session is set up. `table_bytes` are for the fields that we sent already (RFC 7541 section
/// 4). Null without memory.
Options make_options(std::uint32_t table_bytes) {
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) return nullptr;
    // A stream's window holds a whole message, and never opens again.
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_closed_streams(made, 1);
    nghttp2_option_set_max_deflate_dynamic_table_size(made, table_bytes);
    nghttp2_option_set_max_outbound_ack(made, acks_queued_max);
    // What nobody defined is ignored (RFC 9113 section 5.5), but only so much of it: nghttp2
    // says nothing of types that it was not told of.
    for (unsigned type = unknown_type_min; type < frame_types; ++type)
        nghttp2_option_set_user_recv_extension_type(made, static_cast<std::uint8_t>(type));
    return Options(made);
}

}  // namespace

/// What nghttp2 calls: made once, copied into each session.
struct Http2::Callbacks {
    nghttp2_session_callbacks* callbacks = nullptr;
    Options without_table = make_options(0);  // the usual ones

    Callbacks() {
        if (nghttp2_session_callbacks_new(&callbacks) != 0) return;
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, on_unknown);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    }

    static const Callbacks& get() {
        static const Callbacks made;
        return made;
    }

    static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
        const bool is_body = head->type == NGHTTP2_DATA && head->length >= small_data_octets;
        if (!is_body) self(user).admit(event_of(*head));
        return 0;
    }

    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) self(user).begin(frame->hd.stream_id);
        return 0;
    }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* user) {
        Http2& http = self(user);
        HttpExchange* exchange = http.exchange_of(frame->hd.stream_id);
        if (exchange == nullptr || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
        const std::string_view what = text_of({name, name_size});
        const std::string_view said = text_of({value, value_size});
        if (what == ":method")
            exchange->request.set_method(said);
        else if (what == ":path")
            exchange->request.set_target(said, http.session_.home().doh_paths(),
                                         http.session_.home().devices());
        else
            exchange->request.add_field(what, said);
        return 0;
    }

    static int on_data(nghttp2_session*, std::uint8_t flags, std::int32_t stream,
                       const std::uint8_t* data, std::size_t size, void* user) {
        Http2& http = self(user);
        if (HttpExchange* exchange = http.exchange_of(stream))
            http.hear_body(*exchange, {data, size}, (flags & NGHTTP2_FLAG_END_STREAM) != 0);
        return 0;
    }

    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        self(user).hear_frame(*frame);
        return 0;
    }

    static int on_unknown(nghttp2_session*, void** payload, const nghttp2_frame_hd*, void*) {
        *payload = nullptr;
        return 0;
    }

    /// A client that was answered before it had said all need not go on (RFC 9113 section 8.1). One
    /// that waited for that before it began does not, and would lose the answer by a reset.
    static int on_sent(nghttp2_session* http, const nghttp2_frame* frame, void* user) {
        if (is_reset_for_error(*frame)) self(user).admit(Event::reset);
        if (is_shutdown_notice(*frame)) nghttp2_submit_ping(http, NGHTTP2_FLAG_NONE, nullptr);
        const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (!carries || !has_ended(frame->hd)) return 0;
        const HttpExchange* exchange = self(user).exchange_of(frame->hd.stream_id);
        const bool waits =
            exchange != nullptr && exchange->request.waits_to_go_on() && exchange->heard == 0;
        if (!waits && nghttp2_session_get_stream_remote_close(http, frame->hd.stream_id) == 0)
            nghttp2_submit_rst_stream(http, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                      NGHTTP2_NO_ERROR);
        return 0;
    }

    static int on_close(nghttp2_session*, std::int32_t stream, std::uint32_t, void* user) {
        Http2& http = self(user);
        if (HttpExchange* exchange = http.exchange_of(stream)) http.close_stream(*exchange);
        return 0;
    }

    static ssize_t on_read(nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source* source, void* user) {
        bool ends = false;
        const std::size_t read =
            self(user).read_answer(*static_cast<HttpExchange*>(source->ptr), {into, size}, ends);
        if (ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(read);
    }
};

std::unique_ptr<Http2> Http2::create(Session& session, HttpExchanges& exchanges) {
    const Callbacks& made = Callbacks::get();
    const std::uint32_t table_bytes = session.home().limits().hpack_table_bytes;
    const Options own = table_bytes != 0 ? make_options(table_bytes) : nullptr;
    const nghttp2_option* const options = table_bytes != 0 ? own.get() : made.without_table.get();
    if (made.callbacks == nullptr || options == nullptr) return nullptr;
    std::unique_ptr<Http2> http(new Http2(session, exchanges));
    nghttp2_session* raw = nullptr;
    if (nghttp2_session_server_new2(&raw, made.callbacks, http.get(), options) != 0) return nullptr;
    http->http_.reset(raw);
    const std::array<nghttp2_settings_entry, 5> settings{{
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
         session.home().limits().streams_per_connection_max},
        {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, table_bytes},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window_octets},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, DohRequest::fields_octets_max},
        // Answers leave in the order in which they are there: no tree of priorities is kept.
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    }};
    if (nghttp2_submit_settings(raw, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0 ||
        nghttp2_session_set_local_window_size(raw, NGHTTP2_FLAG_NONE, 0, window_octets) != 0)
        return nullptr;
    return http;
}

Http2::~Http2() {
    for (auto& exchange : open_) exchanges_.give_back(std::move(exchange));
}

Http::Heard Http2::receive(Bytes input) {
    heard_ = Heard::pieces;
    if (!ended_ && nghttp2_session_mem_recv(http_.get(), input.data(), input.size()) < 0)
        break_off(NGHTTP2_PROTOCOL_ERROR);
    return ended_ ? Heard::broken : heard_;
}

bool Http2::write(Writer& out) {
    while (out.size() < write_octets) {
        const std::uint8_t* part = nullptr;
        const ssize_t size = nghttp2_session_mem_send(http_.get(), &part);
        if (size <= 0) return false;
        out.bytes({part, static_cast<std::size_t>(size)});
    }
    return true;
}

Writer* Http2::answer_to(std::int32_t stream) {
    HttpExchange* exchange = exchange_of(stream);
    return exchange != nullptr ? &exchange->answer : nullptr;
}

void Http2::answered(std::int32_t stream) {
    if (HttpExchange* exchange = exchange_of(stream)) respond(*exchange, HttpStatus::ok);
}

/// In two steps (RFC 9113 section 6.8): requests that are on their way while the client hears that
/// it should begin none are still answered. Its answer to a PING behind that shows that it heard
/// it.
void Http2::leave() {
    if (ended_ || std::exchange(leaving_, true)) return;
    nghttp2_submit_shutdown_notice(http_.get());
}

void Http2::end_new_streams() {
    nghttp2_submit_goaway(http_.get(), NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(http_.get()), NGHTTP2_NO_ERROR,
                          nullptr, 0);
}

void Http2::end() {
    if (leaving_ && is_over()) return;  // it was said
    break_off(NGHTTP2_NO_ERROR);
}

bool Http2::is_over() const {
    return nghttp2_session_want_read(http_.get()) == 0 &&
           nghttp2_session_want_write(http_.get()) == 0;
}

Clock::time_point Http2::hears_since() const {
    Clock::time_point first = session_.home().now();
    for (const auto& exchange : open_)
        if (!exchange->judged) first = std::min(first, exchange->begun);
    return first;
}

/// With what nghttp2 takes. An idle connection has no exchanges.
std::size_t Http2::octets() const {
    std::size_t octets = memory_cost::http2 + 2 * session_.home().limits().hpack_table_bytes;
    for (const auto& exchange : open_) octets += exchange->octets();
    return octets;
}

HttpExchange* Http2::exchange_of(std::int32_t stream) const {
    return static_cast<HttpExchange*>(nghttp2_session_get_stream_user_data(http_.get(), stream));
}

void Http2::begin(std::int32_t stream) {
    admit(Event::request);
    open_.push_back(exchanges_.take());
    HttpExchange& exchange = *open_.back();
    exchange.stream = stream;
    exchange.begun = session_.home().now();
    exchange.place = open_.size() - 1;
    nghttp2_session_set_stream_user_data(http_.get(), stream, &exchange);
    ++hearing_;
}

void Http2::hear_frame(const nghttp2_frame& frame) {
    heard_ = std::max(heard_, Heard::frames);
    const bool is_pong = frame.hd.type == NGHTTP2_PING && (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (is_pong && leaving_ && !ended_) return end_new_streams();
    if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
    HttpExchange* exchange = exchange_of(frame.hd.stream_id);
    if (exchange == nullptr || exchange->judged) return;
    if (frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
        const auto status = exchange->request.judge_head();
        const bool waits = exchange->request.waits_to_go_on() && !has_ended(frame.hd);
        if (status && (waits || *status == HttpStatus::ok)) return judge(*exchange, *status);
        if (waits) tell_to_go_on(frame.hd.stream_id);
        exchange->verdict = status;
    }
    if (frame.hd.type == NGHTTP2_DATA) exchange->heard += frame.hd.length;
    if (exchange->verdict && exchange->heard >= window_octets)
        judge(*exchange, *exchange->verdict);
    else if (has_ended(frame.hd))
        judge(*exchange, exchange->verdict ? *exchange->verdict : exchange->request.judge_body());
}

/// The connection's window opens again at once, or requests that are not whole would wait for each
/// other. What is kept is bounded by a stream's window, and for all of them by limits. What is
/// refused is told at the body's end where the window lets it come: clients lose an answer that a
/// reset of their request follows (RFC 9113 section 8.1 allows both).
void Http2::hear_body(HttpExchange& exchange, Bytes part, bool is_last) {
    nghttp2_session_consume_connection(http_.get(), part.size());
    if (exchange.judged) return;
    if (exchange.verdict) return;
    const std::size_t octets_max = session_.home().limits().doh_bodies_bytes_max;
    if (body_octets_ + part.size() > octets_max ||
        !exchanges_.add_body(exchange, part.size(), session_.bodies())) {
        ++session_.home().counters().doh_bodies_refused;
        return judge(exchange, HttpStatus::unavailable);
    }
    body_octets_ += part.size();
    if (exchange.request.add_body(part)) return;
    if (!is_last) return judge(exchange, HttpStatus::content_too_large);
    exchange.verdict = HttpStatus::content_too_large;
}

/// The request is told; whatever more comes of it is of no use.
void Http2::judge(HttpExchange& exchange, HttpStatus status) {
    if (ended_) return;
    exchange.judged = true;
    --hearing_;
    heard_ = std::max(heard_, Heard::requests);
    if (!session_.admit_query()) return respond_limited(exchange);
    if (status == HttpStatus::ok) {
        const auto given = session_.ask(exchange.request, exchange.stream, exchange.answer);
        if (!given) return respond_limited(exchange);
        if (*given == Responder::Given::not_known) return forget_body(exchange);
        if (*given == Responder::Given::nothing) status = HttpStatus::bad_request;
    }
    forget_body(exchange);
    respond(exchange, status);
}

void Http2::tell_to_go_on(std::int32_t stream) {
    const nghttp2_nv status = field(":status", "100");
    nghttp2_submit_headers(http_.get(), NGHTTP2_FLAG_NONE, stream, nullptr, &status, 1, nullptr);
}

void Http2::respond_limited(HttpExchange& exchange) {
    ++session_.home().counters().queries_refused;
    admit(Event::refused);
    forget_body(exchange);
    respond(exchange, HttpStatus::too_many_requests);
}

void Http2::respond(HttpExchange& exchange, HttpStatus status) {
    if (status != HttpStatus::ok && status != HttpStatus::too_many_requests)
        ++session_.home().counters().doh_bad_requests;
    exchange.answered = true;
    const Bytes answer = exchange.answer.view();
    exchange.fields.set(status, answer);
    std::array<nghttp2_nv, fields_max> fields;
    std::size_t count = 0;
    fields[count++] = field(":status", exchange.fields.status());
    for (const DohFields::Field& one : exchange.fields.fields())
        fields[count++] = field(one.name, one.value);
    held_ += answer.size();
    nghttp2_data_provider provider{};
    provider.source.ptr = &exchange;
    provider.read_callback = Callbacks::on_read;
    nghttp2_submit_response(http_.get(), exchange.stream, fields.data(), count,
                            answer.empty() ? nullptr : &provider);
}

std::size_t Http2::read_answer(HttpExchange& exchange, std::span<std::uint8_t> into, bool& ends) {
    const Bytes left = exchange.answer.view().subspan(exchange.sent);
    const std::size_t count = std::min(left.size(), into.size());
    std::memcpy(into.data(), left.data(), count);
    exchange.sent += count;
    held_ -= count;
    ends = count == left.size();
    return count;
}

void Http2::forget_body(HttpExchange& exchange) {
    body_octets_ -= exchanges_.forget_body(exchange);
}

void Http2::close_stream(HttpExchange& exchange) {
    if (!exchange.judged) --hearing_;
    if (exchange.answered) held_ -= exchange.answer.size() - exchange.sent;
    forget_body(exchange);
    const std::size_t place = exchange.place;
    std::swap(open_[place], open_.back());
    open_[place]->place = place;
    exchanges_.give_back(std::move(open_.back()));
    open_.pop_back();
}

void Http2::admit(Http2Budget::Event event) {
    if (event == Event::reset) ++session_.home().counters().doh_resets;
    if (ended_ || budget_.admit(event, session_.home().now())) return;
    ++session_.home().counters().doh_floods;
    break_off(NGHTTP2_ENHANCE_YOUR_CALM);
}

/// Streams that nothing more leaves for stay as they are; they go with us.
void Http2::break_off(std::uint32_t error) {
    if (std::exchange(ended_, true)) return;
    nghttp2_session_terminate_session(http_.get(), error);
}

}  // namespace porchlight::forwarder
