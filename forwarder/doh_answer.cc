#include "forwarder/doh_answer.h"

#include <algorithm>
#include <charconv>

#include "core/reader.h"
#include "dns/answer.h"
#include "dns/query.h"

namespace porchlight::forwarder {
namespace {

constexpr std::uint8_t pointer_bits = 0xc0;
constexpr std::string_view age_text = "max-age=";
constexpr std::size_t soa_minimum_octets = 4;  // the last field of its data

/// A name's place; what it says does not matter, and where a pointer leads neither.
void skip_name(Reader& in) {
    for (std::uint8_t length = in.u8(); length != 0; length = in.u8()) {
        if ((length & pointer_bits) == pointer_bits) {
            in.u8();
            return;
        }
        in.bytes(length);
    }
}

struct Record {
    std::uint16_t type;
    std::uint32_t ttl;
    Bytes data;
};

Record read_record(Reader& in) {
    skip_name(in);
    Record record{};
    record.type = in.u16();
    in.u16();  // class
    record.ttl = in.u32();
    record.data = in.bytes(in.u16());
    return record;
}

std::uint32_t u32_of(Bytes octets) {
    Reader in(octets);
    return in.u32();
}

std::string_view literal(std::uint32_t value, std::span<char> into) {
    const auto end = std::to_chars(into.data(), into.data() + into.size(), value).ptr;
    return {into.data(), static_cast<std::size_t>(end - into.data())};
}

}  // namespace

std::uint32_t max_age(Bytes message) {
    Reader in(message);
    in.u16();  // ID
    const std::uint16_t rcode = in.u16() & dns::flag::rcode;
    if (rcode != dns::rcode::no_error && rcode != dns::rcode::no_name) return 0;
    const std::uint16_t questions = in.u16(), answers = in.u16(), authorities = in.u16();
    in.u16();  // additional
    std::uint16_t asked = 0;
    for (unsigned i = 0; i < questions && !in.failed(); ++i) {
        skip_name(in);
        asked = in.u16();
        in.u16();  // class
    }
    constexpr std::uint32_t none = UINT32_MAX;
    std::uint32_t least = none;
    bool answers_nothing = true;  // a CNAME alone does not
    for (unsigned i = 0; i < answers && !in.failed(); ++i) {
        const Record record = read_record(in);
        least = std::min(least, record.ttl);
        if (record.type == asked || asked == dns::type::any) answers_nothing = false;
    }
    if (rcode == dns::rcode::no_name) answers_nothing = true;
    bool says_how_long = false;
    for (unsigned i = 0; i < authorities && !in.failed(); ++i) {
        const Record record = read_record(in);
        if (record.type != dns::type::soa || record.data.size() < soa_minimum_octets) continue;
        says_how_long = true;
        least = std::min({least, record.ttl, u32_of(record.data.last(soa_minimum_octets))});
    }
    if (in.failed() || least == none) return 0;
    return answers_nothing && !says_how_long ? 0 : least;
}

void DohFields::set(HttpStatus status, Bytes message) {
    count_ = 0;
    literal(static_cast<std::uint16_t>(status), status_);
    add("content-length", literal(static_cast<std::uint32_t>(message.size()), length_));
    switch (status) {
        case HttpStatus::ok: {
            add("content-type", "application/dns-message");
            std::ranges::copy(age_text, max_age_.begin());
            const auto number = std::span(max_age_).subspan(age_text.size());
            const std::size_t digits = literal(max_age(message), number).size();
            add("cache-control", {max_age_.data(), age_text.size() + digits});
            break;
        }
        case HttpStatus::method_not_allowed:
            add("allow", "GET, POST");
            break;
        case HttpStatus::too_many_requests:
            add("retry-after", "1");  // the rate's bucket has some again by then
            break;
        case HttpStatus::unavailable:
            add("retry-after", "5");
            break;
        default:
            break;
    }
}

}  // namespace porchlight::forwarder
