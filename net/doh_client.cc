// nghttp2 makes and reads frames in memory; the octets travel by our own TlsStream, so that
// certificates are checked in one place and every wait has a limit.

#include "net/doh_client.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <memory>
#include <string_view>

#include "net/exchange.h"

namespace porchlight::net {
namespace {

constexpr std::string_view message_type = "application/dns-message";
constexpr std::size_t body_octets_max = 65535;  // a DNS message has no more
constexpr std::size_t read_octets = 16384;

/// What the one response turned out to be.
struct Response {
    std::string status;
    std::string type;
    Buffer body;
    bool ended = false;
    bool too_long = false;
    bool reset = false;
};

using Session = std::unique_ptr<nghttp2_session, decltype(&nghttp2_session_del)>;

std::string_view view(const std::uint8_t* text, std::size_t size) {
    return text_of({text, size});
}

int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
              std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
              std::uint8_t, void* user) {
    auto& response = *static_cast<Response*>(user);
    // An interim response's status is overwritten by the final one's.
    if (view(name, name_size) == ":status") response.status = view(value, value_size);
    if (view(name, name_size) == "content-type") response.type = view(value, value_size);
    return 0;
}

int on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data,
            std::size_t size, void* user) {
    auto& response = *static_cast<Response*>(user);
    response.too_long = response.too_long || response.body.size() + size > body_octets_max;
    if (!response.too_long) response.body.insert(response.body.end(), data, data + size);
    return 0;
}

int on_close(nghttp2_session*, std::int32_t, std::uint32_t error, void* user) {
    auto& response = *static_cast<Response*>(user);
    response.ended = true;
    response.reset = error != NGHTTP2_NO_ERROR;
    return 0;
}

/// With the settings that begin the connection; null without memory.
Session start(Response& response) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session* session = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) == 0) {
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_session_client_new(&session, callbacks, &response);
        nghttp2_session_callbacks_del(callbacks);
    }
    const nghttp2_settings_entry no_push{NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    Session started(session, nghttp2_session_del);
    if (session != nullptr && nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &no_push, 1) != 0)
        started.reset();
    return started;
}

nghttp2_nv field(std::string_view name, std::string_view value) {
    const auto octets = [](std::string_view text) {
        return const_cast<std::uint8_t*>(bytes_of(text).data());  // nghttp2 copies
    };
    return {octets(name), octets(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

bool submit(nghttp2_session* session, std::string_view authority, std::string_view path) {
    const std::array fields{field(":method", "GET"), field(":scheme", "https"),
                            field(":authority", authority), field(":path", path),
                            field("accept", message_type)};
    return nghttp2_submit_request(session, nullptr, fields.data(), fields.size(), nullptr,
                                  nullptr) > 0;
}

/// What the session has to say now.
Buffer pending(nghttp2_session* session) {
    Buffer octets;
    const std::uint8_t* part = nullptr;
    for (;;) {
        const auto size = nghttp2_session_mem_send(session, &part);
        if (size <= 0) return octets;
        octets.insert(octets.end(), part, part + size);
    }
}

Result<Buffer> judged(Response& response) {
    if (response.too_long) return Error{Errc::malformed, "HTTP: a body above 65535 octets"};
    if (response.reset) return Error{Errc::refused, "HTTP: the server reset the request"};
    if (response.status != "200")
        return Error{Errc::refused, "HTTP: answered with status " + response.status};
    if (std::string_view(response.type).substr(0, message_type.size()) != message_type)
        return Error{Errc::refused, "HTTP: answered with something else than a DNS message"};
    return std::move(response.body);
}

}  // namespace

struct DohClient::Http {
    Response response;
    Session session = start(response);
};

DohClient::DohClient(TlsStream& stream) : stream_(stream), http_(std::make_unique<Http>()) {}
DohClient::~DohClient() = default;

awaitable<Result<Buffer>> DohClient::ask(std::string authority, std::string path,
                                         std::chrono::milliseconds within) {
    if (stream_.facts().alpn != doh_alpn)
        co_return Error{Errc::refused, "the server speaks no HTTP/2"};
    Response& response = http_->response;
    response = {};
    nghttp2_session* const session = http_->session.get();
    if (session == nullptr || !submit(session, authority, path))
        co_return Error{Errc::internal, "HTTP/2: no memory"};
    Buffer room(read_octets);
    const Exchange exchange(within);
    while (!response.ended && !response.too_long) {
        const Buffer octets = pending(session);
        const Result<void> sent = co_await stream_.write(octets, exchange.left());
        if (!sent) co_return exchange.failed(sent.error());
        const std::span<std::uint8_t> into(room);
        const Result<std::size_t> got = co_await stream_.read_some(into, exchange.left());
        if (!got) co_return exchange.failed(got.error());
        // Also one that never lets us wait, for it sends faster than we read.
        if (exchange.over()) co_return exchange.timed_out();
        if (*got == 0) co_return Error{Errc::unavailable, "closed before it answered"};
        if (nghttp2_session_mem_recv(session, room.data(), *got) < 0)
            co_return Error{Errc::malformed, "what came is no HTTP/2"};
        if (nghttp2_session_want_read(session) == 0 && !response.ended)
            co_return Error{Errc::unavailable, "HTTP/2: the server ended the connection"};
    }
    co_return judged(response);
}

}  // namespace porchlight::net
