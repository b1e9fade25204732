#include "agent/probe.h"

#include <utility>

#include "core/base64url.h"
#include "core/reader.h"
#include "core/writer.h"
#include "dns/doh_path.h"
#include "dns/query.h"
#include "net/framed_message.h"

namespace porchlight::agent {

Probe::Probe(Endpoint listener, dns::Name adn, std::string dohpath)
    : listener_(listener), adn_(std::move(adn)), dohpath_(std::move(dohpath)) {}
Probe::~Probe() = default;

void Probe::drop() {
    doh_.reset();
    stream_.reset();
}

awaitable<Result<void>> Probe::ask(net::TlsClient& client) {
    if (std::exchange(forgotten_, false)) drop();
    if (stream_ && Clock::now() - connected_ < connection_kept) {
        Result<void> answered = co_await ask_once();
        if (answered) co_return answered;
    }
    drop();
    std::string name = dns::to_host(adn_);
    Result<std::unique_ptr<net::TlsStream>> connected =
        co_await net::TlsStream::connect(client, listener_, std::move(name), answer_within);
    if (!connected) co_return connected.error();
    stream_ = std::move(*connected);
    if (!dohpath_.empty()) doh_ = std::make_unique<net::DohClient>(*stream_);
    connected_ = Clock::now();
    Result<void> answered = co_await ask_once();
    if (!answered) drop();
    co_return answered;
}

awaitable<Result<void>> Probe::ask_once() {
    const std::uint16_t id = ++id_;
    Result<Buffer> message = Buffer();
    if (doh_)
        message = co_await ask_doh(id);
    else
        message = co_await ask_dot(id);
    if (!message) co_return message.error();
    if (!answers_probe(*message, id))
        co_return Error{Errc::malformed, "the listener's answer is not one to our question"};
    co_return Result<void>();
}

awaitable<Result<Buffer>> Probe::ask_dot(std::uint16_t id) {
    const Buffer octets = net::framed(probe_query(adn_, id));
    Result<void> sent = co_await stream_->write(octets, answer_within);
    if (!sent) co_return sent.error();
    Buffer pending;
    co_return co_await net::read_message(*stream_, pending, answer_within);
}

awaitable<Result<Buffer>> Probe::ask_doh(std::uint16_t id) {
    std::string authority = dns::to_host(adn_) + ":" + std::to_string(listener_.port);
    std::string path = dns::expand_dohpath(dohpath_, base64url(probe_query(adn_, id)));
    co_return co_await doh_->ask(std::move(authority), std::move(path), answer_within);
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
