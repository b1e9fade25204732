#include "net/stub_resolver.h"

#include <algorithm>
#include <optional>

#include "dns/answer.h"
#include "dns/edns.h"
#include "dns/records.h"
#include "net/framed_message.h"

namespace porchlight::net {
namespace {

constexpr std::chrono::milliseconds attempt_max{5000};  // one address, handshake and answers
constexpr std::size_t padding_block_bytes = 128;        // RFC 8467 section 4.1

template <class Address>
Address address_of(Bytes data) {
    Address address;
    std::copy(data.begin(), data.end(), address.octets.begin());
    return address;
}

std::optional<IpAddress> address_in(const dns::Record& record) {
    if (record.type == dns::type::a && record.data.size() == 4)
        return address_of<Ipv4>(record.data);
    if (record.type == dns::type::aaaa && record.data.size() == 16)
        return address_of<Ipv6>(record.data);
    return std::nullopt;
}

}  // namespace

Result<std::vector<IpAddress>> addresses_in(Bytes message, const dns::Question& asked) {
    const Result<dns::Answer> answer = dns::parse_answer(message, asked, {});
    if (!answer) return answer.error();
    if (answer->kind == dns::Answer::Kind::failure)
        return Error{Errc::unavailable, "answered with code " + std::to_string(answer->rcode)};

    const std::vector<dns::Record> records = dns::records_of(message);
    const std::optional<dns::Name> owner = dns::end_of_chain(message, records, asked.name);
    if (!owner) return Error{Errc::malformed, "a CNAME without a name"};
    std::vector<IpAddress> addresses;
    for (const dns::Record& record : records) {
        if (record.section != dns::Section::answer || record.type != asked.type ||
            record.owner != *owner)
            continue;
        if (const auto address = address_in(record)) addresses.push_back(*address);
    }
    return addresses;
}

awaitable<Result<std::vector<IpAddress>>> StubResolver::resolve(dns::Name name,
                                                                std::chrono::milliseconds within) {
    const Clock::time_point end = Clock::now() + within;
    Error last{Errc::unavailable, "no resolver is configured for our own look-ups"};
    for (const Server& server : servers_) {
        for (const Endpoint& address : server.addresses) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
            if (left.count() <= 0) co_return last;
            auto found = co_await ask(server, address, name, std::min(left, attempt_max));
            if (found && found->empty())
                co_return Error{Errc::refused, dns::to_host(name) + " has no address"};
            if (found) co_return found;
            last = found.error().within("resolver " + dns::to_host(server.adn) + " at " +
                                        to_text(address));
        }
    }
    co_return last;
}

awaitable<Result<std::vector<IpAddress>>> StubResolver::ask(const Server& server, Endpoint address,
                                                            dns::Name name,
                                                            std::chrono::milliseconds within) {
    auto stream = co_await TlsStream::connect(tls_, address, dns::to_host(server.adn), within);
    if (!stream) co_return stream.error();

    // Both questions in one write; the answers may come in any order.
    const dns::Question questions[] = {{name, dns::type::aaaa}, {name, dns::type::a}};
    const auto first_id = static_cast<std::uint16_t>(random_.below(0xffff));
    Writer out;
    for (std::uint16_t i = 0; i < 2; ++i)
        out.counted_u16([&] {
            Writer query;
            dns::write_query(query, static_cast<std::uint16_t>(first_id + i), questions[i],
                             {.padding_bytes_block = padding_block_bytes});
            out.bytes(query.view());
        });
    const Result<void> sent = co_await (*stream)->write(out.view(), within);
    if (!sent) co_return sent.error();

    Buffer pending;
    std::vector<IpAddress> found[2];
    bool answered[2] = {false, false};
    while (!answered[0] || !answered[1]) {
        const Result<Buffer> message = co_await read_message(**stream, pending, within);
        if (!message) co_return message.error();
        Reader in(*message);
        const auto which = static_cast<std::uint16_t>(in.u16() - first_id);
        if (which > 1 || answered[which]) co_return Error{Errc::malformed, "an unasked answer"};
        auto addresses = addresses_in(*message, questions[which]);
        if (!addresses) co_return addresses.error();
        found[which] = std::move(*addresses);
        answered[which] = true;
    }
    found[0].insert(found[0].end(), found[1].begin(), found[1].end());
    co_return found[0];
}

}  // namespace porchlight::net
