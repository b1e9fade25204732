// Beast parses and serialises; the octets travel by our own TlsStream, so that certificates are
// checked in one place and every wait has a limit.

#include "net/http_client.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>

#include "net/connect.h"
#include "net/deadline.h"

namespace porchlight::net {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t url_octets_max = 2048;
constexpr std::chrono::milliseconds attempt_max{10000};  // to connect to one address

constexpr std::uint16_t https_port = 443, http_port = 80;

std::string serialise(const HttpRequest& request, const HttpsUrl& url, std::uint16_t usual_port) {
    http::request<http::string_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(url.target);
    const std::string host = dns::to_host(url.host);
    message.set(http::field::host,
                url.port == usual_port ? host : host + ":" + std::to_string(url.port));
    message.set(http::field::user_agent, "porchlight/" PORCHLIGHT_VERSION);
    for (const auto& [name, value] : request.headers) message.set(name, value);
    message.body() = request.body;
    if (!request.body.empty() || request.method == "POST")
        message.content_length(request.body.size());

    std::string octets;
    http::serializer<true, http::string_body> serializer(message);
    while (!serializer.is_done()) {
        error_code ec;
        serializer.next(ec, [&](error_code&, const auto& buffers) {
            std::size_t size = 0;
            for (const auto& one : boost::beast::buffers_range_ref(buffers)) {
                octets.append(static_cast<const char*>(one.data()), one.size());
                size += one.size();
            }
            serializer.consume(size);
        });
        if (ec) break;  // a string in memory never fails
    }
    return octets;
}

HttpResponse to_response(http::response<http::string_body>&& message) {
    HttpResponse response;
    response.status = message.result_int();
    for (const auto& field : message)
        response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    response.body = std::move(message.body());
    return response;
}

/// One response from octets as they come.
class ResponseReader {
  public:
    explicit ResponseReader(bool head_only) : head_only_(head_only) { begin(); }

    /// Takes what came; true once the response is whole.
    Result<bool> put(Bytes octets) {
        pending_.insert(pending_.end(), octets.begin(), octets.end());
        while (!pending_.empty() && !parser_->is_done()) {
            error_code ec;
            const std::size_t used =
                parser_->put(asio::const_buffer(pending_.data(), pending_.size()), ec);
            pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(used));
            if (ec && ec != http::error::need_more)
                return Error{Errc::malformed, "HTTP: " + ec.message()};
            // Interim responses say nothing that we need (RFC 9110 section 15.2).
            if (parser_->is_done() && parser_->get().result_int() / 100 == 1)
                begin();
            else if (used == 0 || ec)
                break;
        }
        if (pending_.size() > HttpClient::header_bytes_max + HttpClient::body_bytes_max)
            return Error{Errc::malformed, "HTTP: a response beyond all limits"};
        return parser_->is_done();
    }

    /// The server closed; true if that is how the response ends.
    bool put_end() {
        error_code ec;
        if (parser_->got_some()) parser_->put_eof(ec);
        return !ec && parser_->is_done();
    }

    /// Whether another request may follow on the same connection.
    bool keeps_connection() const { return parser_->keep_alive() && pending_.empty(); }
    HttpResponse take() { return to_response(parser_->release()); }

  private:
    void begin() {
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(HttpClient::header_bytes_max));
        parser_->body_limit(HttpClient::body_bytes_max);
        parser_->eager(true);
        parser_->skip(head_only_);
    }

    bool head_only_;
    std::optional<http::response_parser<http::string_body>> parser_;
    Buffer pending_;
};

/// `scheme` is that with "://" behind it, which `text` begins with, or not.
Result<HttpsUrl> parse_url(std::string_view text, std::string_view scheme,
                           std::uint16_t usual_port) {
    const auto refuse = [](const char* why) { return Error{Errc::malformed, why}; };
    if (text.size() > url_octets_max) return refuse("a URL above 2048 octets");
    if (!text.starts_with(scheme))
        return refuse(usual_port == https_port ? "not an https URL" : "not an http URL");
    if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; }))
        return refuse("a URL with blanks or octets beyond ASCII");
    text.remove_prefix(scheme.size());
    text = text.substr(0, text.find('#'));
    const std::size_t host_end = std::min(text.find_first_of("/?"), text.size());
    std::string_view authority = text.substr(0, host_end);

    HttpsUrl url;
    url.port = usual_port;
    url.target = text.substr(host_end);
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
        const std::string_view port = authority.substr(colon + 1);
        const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), url.port);
        if (ec != std::errc() || end != port.data() + port.size() || url.port == 0)
            return refuse("a URL with a bad port");
        authority = authority.substr(0, colon);
    }
    Result<dns::Name> host = dns::parse_name(authority);
    if (!host || !dns::is_host_name(*host) || parse_ipv4(authority))
        return refuse("a URL without the name of a host");
    url.host = std::move(*host);
    return url;
}

/// Until a response is whole or the peer closes.
awaitable<Result<HttpResponse>> read_response(asio::ip::tcp::socket& socket) {
    ResponseReader reader(false);
    Buffer room(16384);
    for (;;) {
        error_code ec;
        const asio::mutable_buffer into = asio::buffer(room);
        const std::size_t got =
            co_await socket.async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
        if (ec == asio::error::eof && reader.put_end()) co_return reader.take();
        if (ec) co_return Error{Errc::unavailable, "no answer: " + ec.message()};
        const Result<bool> whole = reader.put(Bytes(room).first(got));
        if (!whole) co_return whole.error();
        if (*whole) co_return reader.take();
    }
}

/// Connects to one address and asks.
awaitable<Result<HttpResponse>> ask_in_clear(Endpoint to, std::string octets,
                                             std::chrono::milliseconds within) {
    const Clock::time_point end = Clock::now() + within;
    auto connected = co_await connect_tcp(to, std::min(within, attempt_max));
    if (!connected) co_return connected.error();
    asio::ip::tcp::socket& socket = *connected;
    const Deadline deadline(socket,
                            std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
    error_code ec;
    const asio::const_buffer request = asio::buffer(octets);
    co_await asio::async_write(socket, request, asio::redirect_error(asio::use_awaitable, ec));
    Result<HttpResponse> response = Error{Errc::unavailable, "not heard: " + ec.message()};
    if (!ec) response = co_await read_response(socket);
    if (!response && deadline.passed())
        co_return Error{Errc::timeout, "no answer after " + to_text(within)};
    co_return response;
}

}  // namespace

Result<HttpsUrl> parse_https_url(std::string_view text) {
    return parse_url(text, "https://", https_port);
}

Result<HttpsUrl> parse_http_url(std::string_view text) {
    return parse_url(text, "http://", http_port);
}

awaitable<Result<HttpResponse>> send_in_clear(StubResolver& resolver, HttpRequest request,
                                              std::chrono::milliseconds within) {
    const Clock::time_point end = Clock::now() + within;
    const Result<HttpsUrl> url = parse_http_url(request.url);
    if (!url) co_return url.error();
    const std::string octets = serialise(request, *url, http_port);
    const auto addresses = co_await resolver.resolve(url->host, within);
    if (!addresses) co_return addresses.error();
    Error last{Errc::timeout, "no time left to connect"};
    for (const IpAddress& address : *addresses) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        if (left.count() <= 0) break;
        const Endpoint to{address, url->port};
        Result<HttpResponse> response = co_await ask_in_clear(to, octets, left);
        if (response) co_return response;
        last = response.error().within(dns::to_host(url->host) + " at " + to_text(to));
    }
    co_return last;
}

std::string_view HttpResponse::header(std::string_view name) const {
    for (const auto& [field, value] : headers)
        if (boost::beast::iequals(field, name)) return value;
    return {};
}

awaitable<Result<HttpResponse>> HttpClient::send(HttpRequest request,
                                                 std::chrono::milliseconds within) {
    const Clock::time_point end = Clock::now() + within;
    const auto left = [end] {
        return std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    };
    const Result<HttpsUrl> url = parse_https_url(request.url);
    if (!url) co_return url.error();
    const std::string octets = serialise(request, *url, https_port);
    const bool head_only = request.method == "HEAD";

    if (stream_ && host_ == url->host && port_ == url->port) {
        Result<HttpResponse> response = co_await exchange(octets, head_only, left());
        if (response || heard_ || response.error().code != Errc::unavailable) co_return response;
    }
    const Result<void> connected = co_await connect(*url, left());
    if (!connected) co_return connected.error();
    co_return co_await exchange(octets, head_only, left());
}

awaitable<Result<void>> HttpClient::connect(HttpsUrl url, std::chrono::milliseconds within) {
    const Clock::time_point end = Clock::now() + within;
    stream_.reset();
    const auto addresses = co_await resolver_.resolve(url.host, within);
    if (!addresses) co_return addresses.error();

    Error last{Errc::timeout, "no time left to connect"};
    for (const IpAddress& address : *addresses) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        if (left.count() <= 0) break;
        const Endpoint to{address, url.port};
        auto stream = co_await TlsStream::connect(tls_, to, dns::to_host(url.host),
                                                  std::min(left, attempt_max));
        if (stream) {
            stream_ = std::move(*stream);
            host_ = url.host;
            port_ = url.port;
            co_return Result<void>();
        }
        last = stream.error().within(dns::to_host(url.host) + " at " + to_text(to));
    }
    co_return last;
}

awaitable<Result<HttpResponse>> HttpClient::exchange(std::string octets, bool head_only,
                                                     std::chrono::milliseconds within) {
    // Whatever ends this early leaves no connection that could be out of step.
    std::unique_ptr<TlsStream> stream = std::move(stream_);
    heard_ = false;
    const Result<void> sent = co_await stream->write(bytes_of(octets), within);
    if (!sent) co_return sent.error();

    const Clock::time_point end = Clock::now() + within;
    ResponseReader reader(head_only);
    Buffer room(16384);
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        const std::span<std::uint8_t> into(room);
        const Result<std::size_t> got = co_await stream->read_some(into, left);
        if (!got) co_return got.error();
        if (*got == 0 && reader.put_end()) co_return reader.take();
        if (*got == 0) co_return Error{Errc::unavailable, "closed before it answered"};
        heard_ = true;
        const Result<bool> whole = reader.put(Bytes(room).first(*got));
        if (!whole) co_return whole.error();
        if (*whole) break;
    }
    if (reader.keeps_connection()) stream_ = std::move(stream);
    co_return reader.take();
}

}  // namespace porchlight::net
