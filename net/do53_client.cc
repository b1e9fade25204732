#include "net/do53_client.h"

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>

#include "core/clock.h"
#include "dns/answer.h"
#include "dns/edns.h"
#include "net/connect.h"
#include "net/deadline.h"
#include "net/exchange.h"
#include "net/framed_message.h"

namespace porchlight::net {
namespace {

using asio::ip::udp;

constexpr std::size_t answer_octets_max = 65535;

udp::endpoint udp_endpoint(const Endpoint& to) {
    if (const auto* v4 = std::get_if<Ipv4>(&to.address))
        return {asio::ip::address_v4(v4->octets), to.port};
    return {asio::ip::address_v6(std::get<Ipv6>(to.address).octets, to.scope), to.port};
}

/// Whether `message` answers that very question, asked under that number.
std::optional<dns::Answer> answer_to(Bytes message, const dns::Question& asked, std::uint16_t id) {
    const auto answer = dns::parse_answer(message, asked, {});
    if (!answer || answer->id != id) return std::nullopt;
    return *answer;
}

Buffer query(std::uint16_t id, const dns::Question& asked) {
    Writer out;
    dns::write_query(out, id, asked, {});
    return {out.view().begin(), out.view().end()};
}

/// One question by UDP from a port of its own. An answer that is not to it is a stranger's.
awaitable<Result<Buffer>> ask_udp(Endpoint resolver, dns::Question asked, std::uint16_t id,
                                  std::chrono::milliseconds within) {
    auto executor = co_await asio::this_coro::executor;
    const udp::endpoint to = udp_endpoint(resolver);
    auto socket = std::make_shared<udp::socket>(executor);  // shared with the timer's handler
    error_code ec;
    socket->open(to.protocol(), ec);
    if (!ec) socket->connect(to, ec);
    const Buffer octets = query(id, asked);
    if (!ec) socket->send(asio::buffer(octets), 0, ec);
    if (ec) co_return Error{Errc::unavailable, "cannot ask: " + ec.message()};

    asio::steady_timer deadline(executor, within);
    deadline.async_wait([weak = std::weak_ptr(socket)](error_code stopped) {
        error_code ignored;
        if (const auto open = weak.lock(); open && !stopped) open->close(ignored);
    });
    Buffer room(answer_octets_max);
    for (;;) {
        const auto into = asio::buffer(room);
        const std::size_t got =
            co_await socket->async_receive(into, asio::redirect_error(asio::use_awaitable, ec));
        if (!socket->is_open())
            co_return Error{Errc::timeout, "no answer after " + to_text(within)};
        if (ec) co_return Error{Errc::unavailable, ec.message()};
        const Bytes message = Bytes(room).first(got);
        if (answer_to(message, asked, id)) co_return Buffer(message.begin(), message.end());
    }
}

awaitable<Result<Buffer>> ask_tcp(Endpoint resolver, dns::Question asked, std::uint16_t id,
                                  Exchange exchange) {
    auto socket = co_await connect_tcp(resolver, exchange.left());
    if (!socket) co_return exchange.failed(socket.error());
    const Deadline deadline(*socket, exchange.left());
    error_code ec;
    const Buffer octets = framed(query(id, asked));
    const auto out = asio::buffer(octets);
    co_await asio::async_write(*socket, out, asio::redirect_error(asio::use_awaitable, ec));
    std::array<std::uint8_t, 2> length{};
    const auto head = asio::buffer(length);
    if (!ec)
        co_await asio::async_read(*socket, head, asio::redirect_error(asio::use_awaitable, ec));
    Buffer message(static_cast<std::size_t>(length[0]) << 8 | length[1]);
    const auto body = asio::buffer(message);
    if (!ec)
        co_await asio::async_read(*socket, body, asio::redirect_error(asio::use_awaitable, ec));
    if (deadline.passed()) co_return exchange.timed_out();
    if (ec) co_return Error{Errc::unavailable, "the connection broke"};
    if (!answer_to(message, asked, id))
        co_return Error{Errc::malformed, "what came is no answer to the question"};
    co_return message;
}

}  // namespace

awaitable<Result<Buffer>> ask_do53(Endpoint resolver, dns::Question asked, Random& random,
                                   std::chrono::milliseconds within) {
    const Exchange exchange(within);
    const auto half = within / 2;
    Result<Buffer> answer = Error{Errc::timeout, "no answer"};
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto id = static_cast<std::uint16_t>(random.below(0x10000));
        answer = co_await ask_udp(resolver, asked, id, half);
        if (answer || answer.error().code != Errc::timeout) break;
    }
    if (!answer) co_return answer.error();
    const auto read = dns::parse_answer(*answer, asked, {});
    if (!read || !read->truncated) co_return answer;
    const auto id = static_cast<std::uint16_t>(random.below(0x10000));
    co_return co_await ask_tcp(resolver, asked, id, exchange);
}

}  // namespace porchlight::net
