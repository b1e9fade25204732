#include "forwarder/dot_connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "dns/edns.h"

namespace porchlight::forwarder {
namespace {

constexpr std::size_t length_bytes = 2;
constexpr std::size_t read_bytes = 4096;
// Reading waits for as long as the connection lives: idle and silent connections are ended by
// their own rules.
constexpr std::chrono::hours read_max{24};

}  // namespace

DotConnection::DotConnection(asio::any_io_executor loop, std::shared_ptr<net::TlsClient> tls,
                             Settings settings)
    : loop_(std::move(loop)),
      tls_(std::move(tls)),
      settings_(std::move(settings)),
      idle_timer_(loop_),
      last_used_(Clock::now()) {}

std::shared_ptr<DotConnection> DotConnection::open(asio::any_io_executor loop,
                                                   std::shared_ptr<net::TlsClient> tls,
                                                   Settings settings) {
    const std::shared_ptr<DotConnection> connection(
        new DotConnection(loop, std::move(tls), std::move(settings)));
    asio::co_spawn(loop, run(connection), asio::detached);
    return connection;
}

bool DotConnection::takes_more() const {
    return !is_closed() && !leaving_ && in_flight_.size() < in_flight_max;
}

Clock::duration DotConnection::silence(Clock::time_point now) const {
    return owed_since_ ? now - *owed_since_ : Clock::duration::zero();
}

std::uint16_t DotConnection::ask(std::shared_ptr<Exchange> exchange) {
    std::uint16_t id = 0;
    do id = static_cast<std::uint16_t>(random_.below(0x10000));
    while (in_flight_.contains(id));
    Writer framed;
    framed.counted_u16([&] {
        dns::write_query(framed, id, exchange->question,
                         {.keepalive = !asked_keepalive_,
                          .authentic_data = settings_.origin == dns::Origin::trusted_validator,
                          .padding_bytes_block = padding_bytes_block});
    });
    asked_keepalive_ = true;
    const Bytes bytes = framed.view();
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    in_flight_.emplace(id, std::move(exchange));
    last_used_ = Clock::now();
    start_writing();
    return id;
}

void DotConnection::forget(std::uint16_t id, const std::shared_ptr<Exchange>& exchange) {
    const auto found = in_flight_.find(id);
    if (found != in_flight_.end() && found->second == exchange) in_flight_.erase(found);
}

void DotConnection::stop() {
    end({Errc::unavailable, "the connection was given up"});
}

awaitable<void> DotConnection::run(std::shared_ptr<DotConnection> self) {
    Error why;
    try {
        why = co_await self->live();
    } catch (const std::exception& failed) {  // the one catch: no memory, no descriptor
        why = {Errc::internal, failed.what()};
    }
    self->end(std::move(why));
}

awaitable<Error> DotConnection::live() {
    Result<std::unique_ptr<net::TlsStream>> dialled =
        co_await net::TlsStream::connect(*tls_, settings_.address, settings_.identity, connect_max);
    if (!dialled) co_return dialled.error();
    if (is_closed()) co_return failure_;  // given up meanwhile
    stream_ = std::move(*dialled);
    watch_idle(Clock::now() + idle_);
    start_writing();

    Buffer input;
    for (;;) {
        const std::size_t had = input.size();
        input.resize(had + read_bytes);
        const std::span<std::uint8_t> room = std::span(input).subspan(had);
        const Result<std::size_t> got = co_await stream_->read_some(room, read_max);
        if (!got) co_return got.error();
        if (*got == 0) co_return Error{Errc::unavailable, "the server closed the connection"};
        owed_since_.reset();
        last_used_ = Clock::now();
        input.resize(had + *got);
        const std::size_t used = take_messages(input);
        input.erase(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(used));
        if (leaving_ && in_flight_.empty())
            co_return Error{Errc::unavailable, "the server asked us to go"};
    }
}

void DotConnection::start_writing() {
    if (writing_ || !stream_ || out_.empty() || is_closed()) return;
    writing_ = true;
    asio::co_spawn(loop_, write_all(shared_from_this()), asio::detached);
}

awaitable<void> DotConnection::write_all(std::shared_ptr<DotConnection> self) {
    // First the rest of this turn of the loop: what it asks still goes into the same record.
    co_await asio::post(self->loop_, asio::use_awaitable);
    while (!self->is_closed() && !self->out_.empty()) {
        const Buffer batch = std::exchange(self->out_, Buffer());
        if (!self->owed_since_) self->owed_since_ = Clock::now();
        const Result<void> written = co_await self->stream_->write(batch, write_max);
        if (!written) self->end(written.error());
    }
    self->writing_ = false;
}

/// Takes each whole message off the front of `input`; how many octets that were.
std::size_t DotConnection::take_messages(Bytes input) {
    std::size_t used = 0;
    while (input.size() - used >= length_bytes) {
        const std::size_t size = static_cast<std::size_t>(input[used] << 8 | input[used + 1]);
        if (input.size() - used - length_bytes < size) break;
        take_message(input.subspan(used + length_bytes, size));
        used += length_bytes + size;
    }
    return used;
}

void DotConnection::take_message(Bytes message) {
    if (message.size() < length_bytes) return;
    const auto found = in_flight_.find(static_cast<std::uint16_t>(message[0] << 8 | message[1]));
    if (found == in_flight_.end()) return;  // late, or never asked
    const std::shared_ptr<Exchange> exchange = std::move(found->second);
    in_flight_.erase(found);

    settings_.on_reading(&exchange->question);
    read_answer(message, *exchange);
    settings_.on_reading(nullptr);
}

void DotConnection::read_answer(Bytes message, Exchange& exchange) {
    Result<dns::Answer> facts = dns::parse_answer(message, exchange.question, settings_.ttls);
    if (facts && facts->truncated) facts = Error{Errc::malformed, "truncated on a stream"};
    if (facts) {
        has_answered_ = true;
        note_keepalive(facts->keepalive);
    }
    if (exchange.result) return;  // another connection was faster
    if (facts) {
        Response response{Buffer(message.begin(), message.end()), *facts};
        dns::clean(response.message, response.facts, settings_.ttls, settings_.origin);
        exchange.result.emplace(std::move(response));
    } else {
        exchange.result.emplace(facts.error());
    }
    exchange.wake.cancel();
}

void DotConnection::note_keepalive(std::optional<std::uint16_t> tenths_s) {
    if (!tenths_s) return;
    leaving_ = *tenths_s == 0;
    if (leaving_) return;
    idle_ = std::min(idle_max, std::chrono::milliseconds(100) * *tenths_s);
    watch_idle(last_used_ + idle_);
}

void DotConnection::watch_idle(Clock::time_point until) {
    idle_timer_.expires_at(until);
    idle_timer_.async_wait([weak = weak_from_this()](error_code ec) {
        const auto self = weak.lock();
        if (ec || !self || self->is_closed()) return;
        const Clock::time_point end = self->last_used_ + self->idle_;
        const Clock::time_point now = Clock::now();
        if (!self->in_flight_.empty())
            self->watch_idle(now + self->idle_);
        else if (now < end)
            self->watch_idle(end);
        else
            self->end({Errc::unavailable, "idle"});
    });
}

void DotConnection::end(Error why) {
    if (is_closed()) return;
    closed_at_ = Clock::now();
    failure_ = std::move(why);
    if (stream_) stream_->close();
    idle_timer_.cancel();
    const auto lost = std::exchange(in_flight_, {});
    for (const auto& [id, exchange] : lost) exchange->wake.cancel();
}

}  // namespace porchlight::forwarder
