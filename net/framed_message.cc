#include "net/framed_message.h"

#include "core/writer.h"
#include "net/exchange.h"

namespace porchlight::net {

namespace {

constexpr std::size_t read_octets = 2048;

}  // namespace

Buffer framed(Bytes message) {
    Writer out;
    out.u16(static_cast<std::uint16_t>(message.size()));
    out.bytes(message);
    return {out.view().begin(), out.view().end()};
}

bool take_message(Buffer& pending, Buffer& message) {
    if (pending.size() < 2) return false;
    const std::size_t size = static_cast<std::size_t>(pending[0]) << 8 | pending[1];
    if (pending.size() < 2 + size) return false;
    const auto end = pending.begin() + static_cast<std::ptrdiff_t>(2 + size);
    message.assign(pending.begin() + 2, end);
    pending.erase(pending.begin(), end);
    return true;
}

awaitable<Result<Buffer>> read_message(TlsStream& stream, Buffer& pending,
                                       std::chrono::milliseconds within) {
    Buffer message;
    const Exchange exchange(within);
    while (!take_message(pending, message)) {
        const std::size_t have = pending.size();
        pending.resize(have + read_octets);
        const std::span<std::uint8_t> room = std::span(pending).subspan(have);
        const Result<std::size_t> got = co_await stream.read_some(room, exchange.left());
        pending.resize(have + (got ? *got : 0));
        if (!got) co_return exchange.failed(got.error());
        if (*got == 0) co_return Error{Errc::unavailable, "closed before it answered"};
    }
    co_return message;
}

}  // namespace porchlight::net
