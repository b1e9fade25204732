#include "dhcp/long_option.h"

#include <algorithm>

#include "core/reader.h"
#include "core/writer.h"

namespace porchlight::dhcp {
namespace {

// RFC 2131 section 2, RFC 2132 sections 2, 3.1, 3.2 and 9.3.
constexpr std::size_t octets_before_sname = 44;
constexpr std::size_t sname_octets = 64;
constexpr std::size_t file_octets = 128;
constexpr std::uint32_t cookie = 0x63825363;
constexpr std::uint8_t code_pad = 0;
constexpr std::uint8_t code_end = 255;
constexpr std::uint8_t code_overload = 52;
constexpr std::uint8_t overload_file = 1;
constexpr std::uint8_t overload_sname = 2;

/// Calls `visit` with each option's code and data, up to the end option or the field's end.
template <class Visit>
void for_each_option(Reader& in, Visit visit) {
    while (!in.empty()) {
        const std::uint8_t code = in.u8();
        if (code == code_pad) continue;
        if (code == code_end) return;
        visit(code, in.bytes(in.u8()));  // without data where they end too early
    }
}

}  // namespace

Buffer split_option(std::uint8_t code, Bytes payload) {
    Buffer options;
    while (!payload.empty()) {
        const Bytes piece = payload.first(std::min(payload.size(), option_octets_max));
        options.push_back(code);
        options.push_back(static_cast<std::uint8_t>(piece.size()));
        options.insert(options.end(), piece.begin(), piece.end());
        payload = payload.subspan(piece.size());
    }
    return options;
}

Result<std::map<std::uint8_t, Buffer>> join_options(Bytes message) {
    Reader in(message);
    in.bytes(octets_before_sname);
    const Bytes sname = in.bytes(sname_octets);
    const Bytes file = in.bytes(file_octets);
    if (in.u32() != cookie) in.fail("is no DHCP");

    std::map<std::uint8_t, Buffer> joined;
    const auto join = [&](std::uint8_t code, Bytes data) {
        Buffer& whole = joined[code];
        whole.insert(whole.end(), data.begin(), data.end());
    };
    for_each_option(in, join);
    if (in.failed()) return in.error("DHCPv4 message");

    const auto found = joined.find(code_overload);
    const bool overloads = found != joined.end() && found->second.size() == 1;
    const std::uint8_t overload = overloads ? found->second.front() : std::uint8_t(0);
    const auto join_from = [&](Bytes field) {
        Reader part(field);
        for_each_option(part, join);
        return !part.failed();
    };
    if ((overload & overload_file) != 0 && !join_from(file))
        return Error{Errc::malformed, "DHCPv4 message: options in file end too early"};
    if ((overload & overload_sname) != 0 && !join_from(sname))
        return Error{Errc::malformed, "DHCPv4 message: options in sname end too early"};
    return joined;
}

Result<Buffer> join_option(Bytes message, std::uint8_t code) {
    auto joined = join_options(message);
    if (!joined) return joined.error();
    return std::move((*joined)[code]);
}

}  // namespace porchlight::dhcp
