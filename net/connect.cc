#include "net/connect.h"

#include <netinet/tcp.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/deadline.h"

namespace porchlight::net {
namespace {

using asio::ip::tcp;

tcp::endpoint tcp_endpoint(const Endpoint& to) {
    if (const auto* v4 = std::get_if<Ipv4>(&to.address))
        return {asio::ip::address_v4(v4->octets), to.port};
    return {asio::ip::address_v6(std::get<Ipv6>(to.address).octets, to.scope), to.port};
}

/// A peer that stopped acknowledging is gone. The kernel alone would go on sending for a quarter of
/// an hour, into a line that is dead.
void give_up_unacknowledged(tcp::socket& socket) {
    const auto limit_ms = static_cast<unsigned>(unacknowledged_max.count());
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof limit_ms);
}

}  // namespace

awaitable<Result<tcp::socket>> connect_tcp(Endpoint to, std::chrono::milliseconds within,
                                           Source source) {
    tcp::socket socket(co_await asio::this_coro::executor);
    const tcp::endpoint peer = tcp_endpoint(to);
    error_code ec;
    socket.open(peer.protocol(), ec);
    if (!ec) socket.non_blocking(true, ec);
    if (!ec) socket.set_option(tcp::no_delay(true), ec);
    if (ec) co_return Error{Errc::internal, "cannot make a socket: " + ec.message()};
    if (source == Source::same_address) {
        to.port = 0;
        socket.bind(tcp_endpoint(to), ec);
        if (ec) co_return Error{Errc::unavailable, "the address is not ours: " + ec.message()};
    }

    const Deadline deadline(socket, within);
    co_await socket.async_connect(peer, asio::redirect_error(asio::use_awaitable, ec));
    if (deadline.passed()) co_return Error{Errc::timeout, "no connection after " + to_text(within)};
    if (ec) co_return Error{Errc::unavailable, "no connection: " + ec.message()};
    give_up_unacknowledged(socket);
    co_return Result<tcp::socket>(std::move(socket));
}

}  // namespace porchlight::net
