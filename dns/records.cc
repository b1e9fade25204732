#include "dns/records.h"

#include <algorithm>
#include <array>

#include "core/reader.h"
#include "dns/answer.h"
#include "dns/query.h"

namespace porchlight::dns {
namespace {

constexpr int chain_length_max = 8;  // CNAMEs in a row
constexpr std::size_t counts_at = 6;

}  // namespace

std::vector<Record> records_of(Bytes message) {
    Reader header(message);
    header.bytes(counts_at);
    std::array<std::uint16_t, 3> counts{};
    for (std::uint16_t& count : counts) count = header.u16();
    std::vector<Record> records;
    std::size_t at = detail::first_record(message);
    for (const Section section : {Section::answer, Section::authority, Section::additional}) {
        for (std::uint16_t i = 0; i < counts[static_cast<std::size_t>(section)]; ++i) {
            std::optional<Name> owner = expand_name(message, at);
            if (!owner) return records;
            Reader in(message.subspan(at));
            Record record;
            record.section = section;
            record.owner = std::move(*owner);
            record.type = in.u16();
            (void)in.u16();  // class
            record.ttl = in.u32();
            const std::uint16_t size = in.u16();
            record.data_at = at + in.offset();
            record.data = in.bytes(size);
            if (in.failed()) return records;
            at += in.offset();
            records.push_back(std::move(record));
        }
    }
    return records;
}

std::optional<Name> expand_name(Bytes message, std::size_t& at) {
    Buffer wire;
    std::size_t from = at;
    bool jumped = false;
    for (;;) {
        if (from >= message.size() || wire.size() > name_octets_max) return std::nullopt;
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
    Name name = read_name(in);
    if (!in.finished()) return std::nullopt;
    return name;
}

std::optional<Name> end_of_chain(Bytes message, const std::vector<Record>& records, Name name) {
    for (int step = 0; step < chain_length_max; ++step) {
        const auto alias = std::find_if(records.begin(), records.end(), [&](const Record& one) {
            return one.section == Section::answer && one.type == type::cname && one.owner == name;
        });
        if (alias == records.end()) break;
        std::size_t at = alias->data_at;
        std::optional<Name> target = expand_name(message, at);
        if (!target) return std::nullopt;
        name = std::move(*target);
    }
    return name;
}

}  // namespace porchlight::dns
