#include "http2.h"

#include <cstdint>
#include <string_view>

#include "answer.h"

namespace porchlight::bench {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t preface_bytes = 24;
constexpr std::size_t head_bytes = 9;
enum Type : std::uint8_t { data = 0, headers = 1, settings = 4, ping = 6, window_update = 8 };
constexpr std::uint8_t end_stream = 1;
constexpr std::uint8_t acknowledges = 1;
constexpr std::uint8_t end_headers = 4;
// ":status: 200" by its index, "content-type" by its own and the value as it is.
constexpr auto answer_headers =
    "\x88\x0f\x10\x17"
    "application/dns-message"sv;

void append_number(std::string& out, std::size_t value, int octets) {
    for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift & 255);
}

void append_head(std::string& out, std::size_t size, Type type, std::uint8_t flags,
                 std::size_t stream) {
    append_number(out, size, 3);
    append_number(out, type, 1);
    append_number(out, flags, 1);
    append_number(out, stream, 4);
}

std::size_t number(std::string_view octets) {
    std::size_t value = 0;
    for (char octet : octets) value = value << 8 | static_cast<unsigned char>(octet);
    return value;
}

bool append_response(std::string_view query, std::size_t stream, std::string& out) {
    append_head(out, answer_headers.size(), headers, end_headers, stream);
    out.append(answer_headers);
    const std::size_t start = out.size();
    append_head(out, 0, data, end_stream, stream);
    if (!append_answer(query, out)) return false;
    const std::size_t size = out.size() - start - head_bytes;
    out[start + 1] = static_cast<char>(size >> 8);
    out[start + 2] = static_cast<char>(size & 255);
    append_head(out, 4, window_update, 0, 0);
    append_number(out, query.size(), 4);
    return true;
}

}  // namespace

int Http2::answer(std::string& in, std::string& out) {
    std::size_t at = 0;
    if (!greeted_) {
        if (in.size() < preface_bytes) return 0;
        at = preface_bytes;
        greeted_ = true;
        append_head(out, 0, settings, 0, 0);
    }
    int questions = 0;
    while (in.size() - at >= head_bytes) {
        const std::string_view rest = std::string_view(in).substr(at);
        const std::size_t size = number(rest.substr(0, 3));
        if (rest.size() < head_bytes + size) break;
        const auto type = static_cast<std::uint8_t>(rest[3]);
        const auto flags = static_cast<std::uint8_t>(rest[4]);
        const std::string_view body = rest.substr(head_bytes, size);
        if (type == settings && !(flags & acknowledges))
            append_head(out, 0, settings, acknowledges, 0);
        if (type == ping && !(flags & acknowledges)) {
            append_head(out, size, ping, acknowledges, 0);
            out.append(body);
        }
        if (type == data && (flags & end_stream)) {
            if (!append_response(body, number(rest.substr(5, 4)) & 0x7fffffff, out)) return -1;
            ++questions;
        }
        at += head_bytes + size;
    }
    in.erase(0, at);
    return questions;
}

}  // namespace porchlight::bench
