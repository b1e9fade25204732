#include "agent/probe.h"

#include <utility>

#include "core/reader.h"
#include "core/writer.h"
#include "dns/query.h"
#include "net/framed_message.h"

namespace porchlight::agent {

awaitable<Result<void>> Probe::ask(net::TlsClient& client) {
    if (std::exchange(forgotten_, false)) stream_.reset();
    if (stream_ && Clock::now() - connected_ < connection_kept) {
        Result<void> answered = co_await ask_on(*stream_);
        if (answered) co_return answered;
    }
    stream_.reset();
    std::string name = dns::to_host(adn_);
    Result<std::unique_ptr<net::TlsStream>> connected =
        co_await net::TlsStream::connect(client, listener_, std::move(name), answer_within);
    if (!connected) co_return connected.error();
    stream_ = std::move(*connected);
    connected_ = Clock::now();
    Result<void> answered = co_await ask_on(*stream_);
    if (!answered) stream_.reset();
    co_return answered;
}

awaitable<Result<void>> Probe::ask_on(net::TlsStream& stream) {
    const std::uint16_t id = ++id_;
    const Buffer octets = net::framed(probe_query(adn_, id));
    Result<void> sent = co_await stream.write(octets, answer_within);
    if (!sent) co_return sent;
    Buffer pending;
    Result<Buffer> message = co_await net::read_message(stream, pending, answer_within);
    if (!message) co_return message.error();
    if (!answers_probe(*message, id))
        co_return Error{Errc::malformed, "the listener's answer is not one to our question"};
    co_return Result<void>();
}

Buffer probe_query(const dns::Name& adn, std::uint16_t id) {
    Writer out;
    out.u16(id);
    out.u16(dns::flag::recursion_desired);
    out.u16(1);
    out.zeros(6);
    dns::write(out, adn);
    out.u16(dns::type::a);
    out.u16(dns::class_in);
    return *out.take();
}

bool answers_probe(Bytes message, std::uint16_t id) {
    Reader in(message);
    const bool same = in.u16() == id;
    const std::uint16_t flags = in.u16();
    return same && !in.failed() && (flags & dns::flag::response) != 0 &&
           (flags & dns::flag::rcode) == 0;
}

}  // namespace porchlight::agent
