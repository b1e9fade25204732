#include "net/stub_resolver.h"

#include <algorithm>
#include <optional>

#include "dns/answer.h"
#include "dns/edns.h"

namespace porchlight::net {
namespace {

constexpr std::chrono::milliseconds attempt_max{5000};  // one address, handshake and answers
constexpr int chain_length_max = 8;                     // CNAMEs in a row
constexpr std::size_t padding_block_bytes = 128;        // RFC 8467 section 4.1

struct Record {
    dns::Name owner;
    std::uint16_t type = 0;
    std::size_t data_at = 0;
    Bytes data;
};

/// The name at `at`, which moves behind it. Pointers only ever lead backwards, so it ends.
std::optional<dns::Name> expand_name(Bytes message, std::size_t& at) {
    Buffer wire;
    std::size_t from = at;
    bool jumped = false;
    for (;;) {
        if (from >= message.size() || wire.size() > dns::name_octets_max) return std::nullopt;
        const std::uint8_t length = message[from];
        if (length >= 0xc0) {
            if (from + 1 >= message.size()) return std::nullopt;
            const std::size_t target = static_cast<std::size_t>(length & 0x3f) << 8 |
                                       static_cast<std::size_t>(message[from + 1]);
            if (target >= from) return std::nullopt;
            if (!jumped) at = from + 2;
            jumped = true;
            from = target;
            continue;
        }
        if (from + 1 + length > message.size()) return std::nullopt;
        wire.insert(wire.end(), message.begin() + static_cast<std::ptrdiff_t>(from),
                    message.begin() + static_cast<std::ptrdiff_t>(from + 1 + length));
        from += 1u + length;
        if (length == 0) break;
    }
    if (!jumped) at = from;
    Reader in(wire);
    dns::Name name = dns::read_name(in);
    if (!in.finished()) return std::nullopt;
    return name;
}

/// The records of the answer section of a message whose form was checked.
std::vector<Record> answers_of(Bytes message) {
    Reader header(message);
    header.bytes(6);
    const std::uint16_t count = header.u16();
    std::vector<Record> records;
    std::size_t at = dns::detail::first_record(message);
    for (std::uint16_t i = 0; i < count && at < message.size(); ++i) {
        std::optional<dns::Name> owner = expand_name(message, at);
        if (!owner) break;
        Reader in(message.subspan(at));
        Record record;
        record.owner = std::move(*owner);
        record.type = in.u16();
        in.bytes(6);  // class and TTL
        const std::uint16_t size = in.u16();
        record.data_at = at + in.offset();
        record.data = in.bytes(size);
        if (in.failed()) break;
        at += in.offset();
        records.push_back(std::move(record));
    }
    return records;
}

template <class Address>
Address address_of(Bytes data) {
    Address address;
    std::copy(data.begin(), data.end(), address.octets.begin());
    return address;
}

std::optional<IpAddress> address_in(const Record& record) {
    if (record.type == dns::type::a && record.data.size() == 4)
        return address_of<Ipv4>(record.data);
    if (record.type == dns::type::aaaa && record.data.size() == 16)
        return address_of<Ipv6>(record.data);
    return std::nullopt;
}

/// Reads one message behind its two octets of length (RFC 7858 section 3.3).
awaitable<Result<Buffer>> read_message(TlsStream& stream, Buffer& pending,
                                       std::chrono::milliseconds within) {
    for (;;) {
        if (pending.size() >= 2) {
            const std::size_t size = static_cast<std::size_t>(pending[0]) << 8 | pending[1];
            if (pending.size() >= 2 + size) {
                const auto end = pending.begin() + static_cast<std::ptrdiff_t>(2 + size);
                Buffer message(pending.begin() + 2, end);
                pending.erase(pending.begin(), end);
                co_return message;
            }
        }
        const std::size_t have = pending.size();
        pending.resize(have + 2048);
        const std::span<std::uint8_t> room = std::span(pending).subspan(have);
        const Result<std::size_t> got = co_await stream.read_some(room, within);
        pending.resize(have + (got ? *got : 0));
        if (!got) co_return got.error();
        if (*got == 0) co_return Error{Errc::unavailable, "closed before it answered"};
    }
}

}  // namespace

Result<std::vector<IpAddress>> addresses_in(Bytes message, const dns::Question& asked) {
    const Result<dns::Answer> answer = dns::parse_answer(message, asked, {});
    if (!answer) return answer.error();
    if (answer->kind == dns::Answer::Kind::failure)
        return Error{Errc::unavailable, "answered with code " + std::to_string(answer->rcode)};

    const std::vector<Record> records = answers_of(message);
    dns::Name owner = asked.name;
    for (int step = 0; step < chain_length_max; ++step) {
        const auto alias = std::ranges::find_if(records, [&](const Record& record) {
            return record.type == dns::type::cname && record.owner == owner;
        });
        if (alias == records.end()) break;
        std::size_t at = alias->data_at;
        const std::optional<dns::Name> target = expand_name(message, at);
        if (!target) return Error{Errc::malformed, "a CNAME without a name"};
        owner = *target;
    }
    std::vector<IpAddress> addresses;
    for (const Record& record : records) {
        if (record.type != asked.type || record.owner != owner) continue;
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
