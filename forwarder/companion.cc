#include "forwarder/companion.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "dns/edns.h"
#include "net/connect.h"
#include "net/deadline.h"

namespace porchlight::forwarder {
namespace {

using asio::ip::udp;

// What the home's server says of its names is passed on as it is and kept nowhere.
const dns::TtlLimits ttls{.negative_max = std::chrono::hours(24)};

udp::endpoint udp_endpoint(const Endpoint& to) {
    if (const Ipv4* v4 = std::get_if<Ipv4>(&to.address))
        return {asio::ip::address_v4(v4->octets), to.port};
    return {asio::ip::address_v6(std::get<Ipv6>(to.address).octets, to.scope), to.port};
}

Buffer query_for(const dns::Question& question, std::uint16_t id) {
    Writer out;
    dns::write_query(out, id, question, {});
    return *out.take();
}

/// The answer to `question` under `id`, cleaned.
Result<Response> read_response(Bytes message, const dns::Question& question, std::uint16_t id) {
    const Result<dns::Answer> facts = dns::parse_answer(message, question, ttls);
    if (!facts) return facts.error();
    if (facts->id != id) return Error{Errc::malformed, "an answer with another ID"};
    Response response{Buffer(message.begin(), message.end()), *facts};
    dns::clean(response.message, response.facts, ttls);
    return response;
}

Error failure_of(const error_code& ec) {
    return {ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor
                ? Errc::timeout
                : Errc::unavailable,
            "companion: " + ec.message()};
}

/// One more, for as long as it lives.
class Counted {
  public:
    explicit Counted(std::size_t& count) : count_(count) { ++count_; }
    Counted(const Counted&) = delete;
    ~Counted() { --count_; }

  private:
    std::size_t& count_;
};

}  // namespace

awaitable<Result<Response>> Companion::resolve(dns::Question question,
                                               std::chrono::milliseconds within) {
    if (in_flight_ >= in_flight_max)
        co_return Error{Errc::unavailable, "companion: too many questions at once"};
    const Counted counted(in_flight_);
    const Clock::time_point deadline = Clock::now() + std::min(within, answer_max);
    Result<Response> response = co_await ask_udp(question, std::min(within, answer_max));
    if (!response || !response->facts.truncated) co_return response;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left <= std::chrono::milliseconds::zero())
        co_return Error{Errc::timeout, "companion: no whole answer in time"};
    response = co_await ask_tcp(question, left);
    co_return response;
}

awaitable<Result<Response>> Companion::ask_udp(const dns::Question& question,
                                               std::chrono::milliseconds within) {
    // Connected, so that only the companion's datagrams arrive, and its absence shows at once. The
    // port is the kernel's choice, and random.
    const udp::endpoint to = udp_endpoint(address_);
    udp::socket socket(loop_);
    error_code ec;
    socket.open(to.protocol(), ec);
    if (!ec) socket.connect(to, ec);
    if (ec) co_return failure_of(ec);
    const auto id = static_cast<std::uint16_t>(random_.below(0x10000));
    const Buffer query = query_for(question, id);
    socket.send(asio::buffer(query), 0, ec);
    if (ec) co_return failure_of(ec);

    asio::steady_timer limit(loop_, within);
    const auto guarded = std::make_shared<udp::socket*>(&socket);
    // Weak, since the handler may run after this frame is gone.
    limit.async_wait([weak = std::weak_ptr(guarded)](error_code cancelled) {
        const auto open = weak.lock();
        if (open && !cancelled) (*open)->close(cancelled);
    });
    std::array<std::uint8_t, 4096> datagram;
    for (;;) {
        const std::size_t size = co_await socket.async_receive(
            asio::buffer(datagram), asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return failure_of(ec);
        Result<Response> response = read_response(Bytes(datagram).first(size), question, id);
        // Anybody on this machine can send to that port: what is no answer is not there.
        if (response) co_return response;
    }
}

awaitable<Result<Response>> Companion::ask_tcp(const dns::Question& question,
                                               std::chrono::milliseconds within) {
    Result<asio::ip::tcp::socket> socket = co_await net::connect_tcp(address_, within);
    if (!socket) co_return socket.error();
    const net::Deadline deadline(*socket, within);
    const auto id = static_cast<std::uint16_t>(random_.below(0x10000));
    Writer framed;
    framed.counted_u16([&] { dns::write_query(framed, id, question, {}); });
    error_code ec;
    co_await asio::async_write(*socket, asio::buffer(framed.view().data(), framed.size()),
                               asio::redirect_error(asio::use_awaitable, ec));
    std::array<std::uint8_t, 2> length{};
    if (!ec) {
        co_await asio::async_read(*socket, asio::buffer(length),
                                  asio::redirect_error(asio::use_awaitable, ec));
    }
    Buffer message(static_cast<std::size_t>(length[0] << 8 | length[1]));
    if (!ec) {
        co_await asio::async_read(*socket, asio::buffer(message),
                                  asio::redirect_error(asio::use_awaitable, ec));
    }
    if (ec) co_return failure_of(ec);
    Result<Response> response = read_response(message, question, id);
    if (response && response->facts.truncated)
        co_return Error{Errc::malformed, "companion: truncated on a stream"};
    co_return response;
}

}  // namespace porchlight::forwarder
