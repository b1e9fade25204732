#include "agent/probe.h"

#include <array>
#include <utility>

#include "core/reader.h"
#include "core/writer.h"
#include "dns/query.h"

namespace porchlight::agent {
namespace {

awaitable<Result<Buffer>> read_message(net::TlsStream& stream, std::chrono::milliseconds within) {
    Buffer have;
    std::array<std::uint8_t, 1024> part;
    for (;;) {
        if (have.size() >= 2) {
            const std::size_t size = static_cast<std::size_t>(have[0] << 8 | have[1]);
            if (have.size() >= size + 2)
                co_return Buffer(have.begin() + 2,
                                 have.begin() + 2 + static_cast<std::ptrdiff_t>(size));
        }
        Result<std::size_t> got = co_await stream.read_some(part, within);
        if (!got) co_return got.error();
        if (*got == 0) co_return Error{Errc::unavailable, "the listener closed the connection"};
        have.insert(have.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*got));
    }
}

}  // namespace

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
    const Buffer query = probe_query(adn_, id);
    Writer framed;
    framed.counted_u16([&] { framed.bytes(query); });
    const Buffer octets = *framed.take();
    Result<void> sent = co_await stream.write(octets, answer_within);
    if (!sent) co_return sent;
    Result<Buffer> message = co_await read_message(stream, answer_within);
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
