#include "acme/tsig.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/reader.h"
#include "core/writer.h"
#include "dns/query.h"

namespace porchlight::acme {
namespace {

constexpr std::size_t additional_count_at = 10;  // in the header

/// The record's own fields (section 4.2).
struct Tsig {
    std::uint64_t time_signed = 0;  // 48 bits
    std::uint16_t fudge = 0;
    Buffer mac;
    std::uint16_t original_id = 0;
    std::uint16_t error = 0;
    Buffer other;
};

const EVP_MD* digest_of(std::string_view algorithm) {
    if (algorithm == "hmac-sha256") return EVP_sha256();
    if (algorithm == "hmac-sha384") return EVP_sha384();
    if (algorithm == "hmac-sha512") return EVP_sha512();
    return nullptr;
}

dns::Name algorithm_name(const TsigKey& key) {
    return *dns::parse_name(key.algorithm);
}

/// Lower case, as names enter the digest (section 4.3.3).
Buffer canonical(const dns::Name& name) {
    Buffer wire(name.wire().begin(), name.wire().end());
    for (std::uint8_t& octet : wire)
        if (octet >= 'A' && octet <= 'Z') octet = static_cast<std::uint8_t>(octet + 32);
    return wire;
}

void write_u48(Writer& out, std::uint64_t value) {
    out.u16(static_cast<std::uint16_t>(value >> 32));
    out.u32(static_cast<std::uint32_t>(value));
}

std::uint64_t read_u48(Reader& in) {
    const std::uint64_t high = in.u16();
    return high << 32 | in.u32();
}

Buffer mac_of(Bytes request_mac, Bytes message, const TsigKey& key, const Tsig& tsig) {
    Writer covered;
    if (!request_mac.empty()) covered.counted_u16([&] { covered.bytes(request_mac); });
    covered.bytes(message);
    covered.bytes(canonical(key.name));
    covered.u16(dns::class_any);
    covered.u32(0);  // TTL
    covered.bytes(canonical(algorithm_name(key)));
    write_u48(covered, tsig.time_signed);
    covered.u16(tsig.fudge);
    covered.u16(tsig.error);
    covered.counted_u16([&] { covered.bytes(tsig.other); });

    std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    const Bytes octets = covered.view();
    HMAC(digest_of(key.algorithm), key.secret.data(), static_cast<int>(key.secret.size()),
         octets.data(), octets.size(), mac.data(), &size);
    return Buffer(mac.begin(), mac.begin() + size);
}

/// Skips a name that may be compressed.
void skip_name(Reader& in) {
    while (const std::uint8_t length = in.u8()) {
        if (length >= 0xc0) {
            in.u8();
            return;
        }
        if (length > 63) in.fail("has a label above 63 octets");
        in.bytes(length);
    }
}

/// Where the message's last record begins; 0 if its form is wrong or there is no additional one.
std::size_t last_record_at(Bytes message) {
    Reader in(message);
    in.bytes(4);
    const std::uint16_t questions = in.u16();
    std::size_t records = 0;
    std::uint16_t additional = 0;
    for (int section = 0; section < 3; ++section) records += additional = in.u16();
    for (std::uint16_t i = 0; i < questions && !in.failed(); ++i) {
        skip_name(in);
        in.bytes(4);
    }
    std::size_t last = 0;
    for (std::size_t i = 0; i < records && !in.failed(); ++i) {
        last = in.offset();
        skip_name(in);
        in.bytes(8);  // type, class, TTL
        in.bytes(in.u16());
    }
    return in.finished() && additional > 0 ? last : 0;
}

Result<Tsig> parse_tsig(Bytes record, const TsigKey& key) {
    Reader in(record);
    Tsig tsig;
    const dns::Name name = dns::read_name(in);
    const std::uint16_t type = in.u16();
    in.bytes(6);  // class and TTL; what they hold enters the digest as they should be
    dns::Name algorithm;
    in.counted_u16([&](Reader& data) {
        algorithm = dns::read_name(data);
        tsig.time_signed = read_u48(data);
        tsig.fudge = data.u16();
        const Bytes mac = data.bytes(data.u16());
        tsig.mac.assign(mac.begin(), mac.end());
        tsig.original_id = data.u16();
        tsig.error = data.u16();
        const Bytes other = data.bytes(data.u16());
        tsig.other.assign(other.begin(), other.end());
    });
    if (!in.finished()) return in.error("TSIG");
    if (type != dns::type::tsig) return Error{Errc::refused, "the answer is not signed"};
    if (name != key.name || algorithm != algorithm_name(key))
        return Error{Errc::refused, "the answer is signed with another key"};
    return tsig;
}

void write(Writer& out, const TsigKey& key, const Tsig& tsig) {
    dns::write(out, key.name);
    out.u16(dns::type::tsig);
    out.u16(dns::class_any);
    out.u32(0);
    out.counted_u16([&] {
        dns::write(out, algorithm_name(key));
        write_u48(out, tsig.time_signed);
        out.u16(tsig.fudge);
        out.counted_u16([&] { out.bytes(tsig.mac); });
        out.u16(tsig.original_id);
        out.u16(tsig.error);
        out.counted_u16([&] { out.bytes(tsig.other); });
    });
}

/// The message as it was before its TSIG: without the record, one additional record fewer, with
/// the ID that was signed.
Buffer without_tsig(Bytes message, std::size_t tsig_at, std::uint16_t original_id) {
    Reader header(message);
    header.bytes(additional_count_at);
    const auto additional = static_cast<std::uint16_t>(header.u16() - 1);
    Writer out;
    out.u16(original_id);
    out.bytes(message.subspan(2, additional_count_at - 2));
    out.u16(additional);
    out.bytes(message.subspan(additional_count_at + 2, tsig_at - additional_count_at - 2));
    return *out.take();
}

}  // namespace

bool is_tsig_algorithm(std::string_view name) {
    return digest_of(name) != nullptr;
}

Buffer sign_tsig(Buffer& message, const TsigKey& key, WallTime now) {
    Reader header(message);
    Tsig tsig;
    tsig.original_id = header.u16();
    tsig.time_signed = static_cast<std::uint64_t>(now.time_since_epoch().count());
    tsig.fudge = static_cast<std::uint16_t>(tsig_fudge.count());
    tsig.mac = mac_of({}, message, key, tsig);
    header.bytes(additional_count_at - 2);
    const auto additional = static_cast<std::uint16_t>(header.u16() + 1);

    Writer out;
    out.bytes(message);
    write(out, key, tsig);
    out.patch_u16(additional_count_at, additional);
    message = *out.take();
    return tsig.mac;
}

Result<TsigAnswer> verify_tsig(Bytes answer, const TsigKey& key, Bytes request_mac, WallTime now) {
    const std::size_t at = last_record_at(answer);
    if (at == 0) return Error{Errc::refused, "the answer is not signed"};
    const Result<Tsig> tsig = parse_tsig(answer.subspan(at), key);
    if (!tsig) return tsig.error();

    TsigAnswer verdict;
    verdict.error = tsig->error;
    if (tsig->mac.empty() &&
        (tsig->error == tsig_error::bad_sig || tsig->error == tsig_error::bad_key))
        return verdict;
    const Buffer message = without_tsig(answer, at, tsig->original_id);
    const Buffer mac = mac_of(request_mac, message, key, *tsig);
    if (mac.size() != tsig->mac.size() ||
        CRYPTO_memcmp(mac.data(), tsig->mac.data(), mac.size()) != 0)
        return Error{Errc::refused, "the answer's signature is wrong"};
    if (tsig->error == tsig_error::bad_time && tsig->other.size() == 6) {
        Reader other(tsig->other);
        verdict.server_time =
            WallTime(std::chrono::seconds(static_cast<std::int64_t>(read_u48(other))));
        return verdict;
    }
    const std::int64_t apart =
        static_cast<std::int64_t>(tsig->time_signed) - now.time_since_epoch().count();
    if (std::llabs(apart) > tsig->fudge)
        return Error{Errc::refused, "the answer was signed at another time"};
    return verdict;
}

}  // namespace porchlight::acme
