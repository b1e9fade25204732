#include "acme/dns_update.h"

#include <array>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "acme/tsig.h"
#include "core/reader.h"
#include "core/writer.h"
#include "dns/query.h"
#include "net/connect.h"
#include "net/deadline.h"

namespace porchlight::acme {
namespace {

constexpr std::uint16_t opcode_update = 5 << 11;

struct Reason {
    std::uint16_t rcode;
    const char* code;
    const char* message;
};

constexpr std::array reasons{
    Reason{1, "formerr", "the server could not read the update"},
    Reason{2, "servfail", "the server failed"},
    Reason{4, "notimp", "the server takes no updates"},
    Reason{5, "refused", "the server's policy refuses this update"},
    Reason{8, "nxrrset", "the server missed a record that should exist"},
    Reason{9, "notauth", "the server is not authoritative for the zone, or refuses the key"},
    Reason{10, "notzone", "the record's name lies outside the zone"},
};

Failure failed(const std::string& code, std::string message) {
    return {"dns-update." + code, std::move(message)};
}

std::string clocks_apart(WallTime server, WallTime ours) {
    const auto apart = server - ours;
    return "the server's clock says " + to_text(server) + ", ours " + to_text(ours) + ": " +
           std::to_string(std::abs(apart.count())) + " s " +
           (apart.count() >= 0 ? "behind" : "ahead");
}

std::optional<Failure> judge(std::uint16_t rcode, const TsigAnswer& tsig, WallTime now) {
    if (tsig.error == tsig_error::bad_sig)
        return failed("badsig", "the server finds our signature wrong");
    if (tsig.error == tsig_error::bad_key)
        return failed("badkey", "the server does not know our key");
    if (tsig.error == tsig_error::bad_time)
        return failed("badtime", tsig.server_time ? clocks_apart(*tsig.server_time, now)
                                                  : "the server finds our time wrong");
    if (rcode == 0) return std::nullopt;
    for (const Reason& reason : reasons)
        if (reason.rcode == rcode) return failed(reason.code, reason.message);
    return failed("rcode-" + std::to_string(rcode), "the server answered with an unknown code");
}

/// Sends one message and receives one, each behind two octets of length (RFC 1035 section 4.2.2).
awaitable<Result<Buffer>> exchange(Endpoint server, Bytes message,
                                   std::chrono::milliseconds within) {
    auto socket = co_await net::connect_tcp(server, within);
    if (!socket) co_return socket.error();
    Writer out;
    out.counted_u16([&] { out.bytes(message); });
    Buffer answer(2);
    error_code ec;
    const net::Deadline deadline(*socket, within);
    const Bytes octets = out.view();
    co_await asio::async_write(*socket, asio::const_buffer(octets.data(), octets.size()),
                               asio::redirect_error(asio::use_awaitable, ec));
    if (!ec)
        co_await asio::async_read(*socket, asio::buffer(answer),
                                  asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) {
        Reader size(answer);
        answer.resize(size.u16());
        co_await asio::async_read(*socket, asio::buffer(answer),
                                  asio::redirect_error(asio::use_awaitable, ec));
    }
    if (deadline.passed()) co_return Error{Errc::timeout, "no answer after " + to_text(within)};
    if (ec) co_return Error{Errc::unavailable, "no answer: " + ec.message()};
    co_return answer;
}

}  // namespace

Buffer write_update(std::uint16_t id, const dns::Name& zone, UpdateKind kind,
                    const std::vector<TxtRecord>& records) {
    Writer out;
    out.u16(id);
    out.u16(opcode_update);
    out.u16(1);  // one zone
    out.u16(0);  // no prerequisites
    out.u16(static_cast<std::uint16_t>(records.size()));
    out.u16(0);
    dns::write(out, zone);
    out.u16(dns::type::soa);
    out.u16(dns::class_in);
    for (const TxtRecord& record : records) {
        // Class NONE with data deletes the one record that has this data (section 2.5.4).
        const bool add = kind == UpdateKind::add;
        dns::write(out, record.name);
        out.u16(dns::type::txt);
        out.u16(add ? dns::class_in : dns::class_none);
        out.u32(add ? static_cast<std::uint32_t>(txt_ttl.count()) : 0);
        out.counted_u16([&] { out.counted_u8([&] { out.text(record.value); }); });
    }
    return *out.take();
}

std::optional<Failure> read_update_answer(Bytes answer, std::uint16_t id, const TsigKey& key,
                                          Bytes request_mac, WallTime now) {
    Reader in(answer);
    const std::uint16_t answered_id = in.u16();
    const std::uint16_t flags = in.u16();
    in.bytes(8);
    if (in.failed() || answered_id != id || (flags & dns::flag::response) == 0 ||
        (flags & dns::flag::opcode) != opcode_update)
        return failed("malformed", "the server sent no answer to an update");
    const auto rcode = static_cast<std::uint16_t>(flags & 0x000f);
    const Result<TsigAnswer> tsig = verify_tsig(answer, key, request_mac, now);
    if (tsig) return judge(rcode, *tsig, now);
    // A refusal that nobody signed is believed as a refusal: the worst it can do is the truth.
    if (rcode != 0) return judge(rcode, {}, now);
    return failed(tsig.error().code == Errc::malformed ? "malformed" : "unsigned",
                  tsig.error().message);
}

awaitable<std::optional<Failure>> send_update(DnsUpdate to, UpdateKind kind,
                                              std::vector<TxtRecord> records,
                                              const TimeSource& time, Random& random,
                                              std::chrono::milliseconds within) {
    if (!is_tsig_algorithm(to.key.algorithm))
        co_return failed("algorithm", "no TSIG algorithm of this name: " + to.key.algorithm);
    const auto id = static_cast<std::uint16_t>(random.below(0x10000));
    Buffer message = write_update(id, to.zone, kind, records);
    const Buffer mac = sign_tsig(message, to.key, time.wall());
    const Result<Buffer> answer = co_await exchange(to.server, message, within);
    if (!answer)
        co_return failure_of("dns-update", answer.error().within("server " + to_text(to.server)));
    std::optional<Failure> failure = read_update_answer(*answer, id, to.key, mac, time.wall());
    if (failure) failure->message = "server " + to_text(to.server) + ": " + failure->message;
    co_return failure;
}

}  // namespace porchlight::acme
