#include "dns/records.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/reader.h"
#include "dns/answer.h"
#include "dns/query.h"

namespace porchlight::dns {
namespace {

constexpr int chain_length_max = 8;      // CNAMEs in a row
constexpr std::size_t reached_max = 32;  // names that a question leads to
constexpr std::size_t counts_at = 6;

/// The name with `owner`, which it lies below, replaced by `target` (RFC 6672 section 2.2).
std::optional<Name> substituted(const Name& name, const Name& owner, const Name& target) {
    const Bytes labels = name.wire().first(name.wire().size() - owner.wire().size());
    Buffer wire(labels.begin(), labels.end());
    wire.insert(wire.end(), target.wire().begin(), target.wire().end());
    Reader in(wire);
    Name whole = read_name(in);
    if (!in.finished()) return std::nullopt;  // longer than a name may be
    return whole;
}

/// Where a record of the answer section sends who asks for `name`.
std::optional<Name> target_of(Bytes message, const Record& record, const Name& name) {
    const bool is_alias = record.type == type::cname && record.owner == name;
    const bool is_alias_above =
        record.type == type::dname && record.owner != name && name.is_within(record.owner);
    if (!is_alias && !is_alias_above) return std::nullopt;
    std::size_t at = record.data_at;
    std::optional<Name> target = expand_name(message, at);
    return target && is_alias_above ? substituted(name, record.owner, *target) : target;
}

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

bool all_belong(Bytes message, const std::vector<Record>& records, const Name& name) {
    const std::size_t answers = static_cast<std::size_t>(
        std::count_if(records.begin(), records.end(),
                      [](const Record& one) { return one.section == Section::answer; }));
    const std::span<const Record> answer(records.data(), answers);  // the first section
    const auto is_among = [](const std::vector<Name>& names, const Name& one) {
        return std::find(names.begin(), names.end(), one) != names.end();
    };
    std::vector<Name> reached{name};
    std::vector<Name> left_by;  // owners of DNAMEs that were followed
    for (std::size_t i = 0; i < reached.size(); ++i) {
        for (const Record& record : answer) {
            std::optional<Name> target = target_of(message, record, reached[i]);
            if (!target) continue;
            if (record.type == type::dname && !is_among(left_by, record.owner))
                left_by.push_back(record.owner);
            if (is_among(reached, *target)) continue;
            if (reached.size() == reached_max) return false;
            reached.push_back(*std::move(target));
        }
    }
    return std::all_of(answer.begin(), answer.end(), [&](const Record& record) {
        return is_among(reached, record.owner) || is_among(left_by, record.owner);
    });
}

}  // namespace porchlight::dns
