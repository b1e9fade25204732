#include "dns/answer.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "dns/edns.h"

// One pass over a response that a resolver sent. Compression is why the generic Reader is not
// enough: a name may continue anywhere before itself, so the scan looks at the whole message by
// offset. Each pointer must aim before the piece of name it ends, which makes every name finite;
// a bound on pointers keeps a hostile message from costing more than its size.

namespace porchlight::dns {
namespace {

using namespace std::chrono_literals;

constexpr int pointers_max = 32;
constexpr std::string_view runs_on = "has a compressed name that runs into what refers to it";
constexpr std::size_t ttl_octets = 4;
constexpr std::uint8_t flag_authentic_low = flag::authentic_data;  // in the flags' second octet

/// Types whose data may hold compressed names, and where (RFC 1035, RFC 3597 section 4): octets
/// before the names, how many names, octets behind them.
struct NamesInData {
    std::uint16_t type;
    std::uint8_t before;
    std::uint8_t names;
    std::uint8_t behind;
};
constexpr NamesInData names_in_data[] = {
    {2, 0, 1, 0},   // NS
    {5, 0, 1, 0},   // CNAME
    {6, 0, 2, 20},  // SOA
    {12, 0, 1, 0},  // PTR
    {14, 0, 2, 0},  // MINFO
    {15, 2, 1, 0},  // MX
    {17, 0, 2, 0},  // RP
    {18, 2, 1, 0},  // AFSDB
    {21, 2, 1, 0},  // RT
    {26, 2, 2, 0},  // PX
    {33, 6, 1, 0},  // SRV
    {36, 2, 1, 0},  // KX
    {39, 0, 1, 0},  // DNAME
};

std::uint16_t u16_at(Bytes message, std::size_t at) {
    return static_cast<std::uint16_t>(message[at] << 8 | message[at + 1]);
}

std::uint32_t u32_at(Bytes message, std::size_t at) {
    return static_cast<std::uint32_t>(u16_at(message, at)) << 16 | u16_at(message, at + 2);
}

void put_u16(Buffer& message, std::size_t at, std::uint16_t value) {
    message[at] = static_cast<std::uint8_t>(value >> 8);
    message[at + 1] = static_cast<std::uint8_t>(value);
}

void put_u32(Buffer& message, std::size_t at, std::uint32_t value) {
    put_u16(message, at, static_cast<std::uint16_t>(value >> 16));
    put_u16(message, at + 2, static_cast<std::uint16_t>(value));
}

void clear_authentic(Buffer& message, Answer& answer) {
    message[3] = static_cast<std::uint8_t>(message[3] & ~flag_authentic_low);
    answer.authentic = false;
}

std::uint8_t lower(std::uint8_t octet) {
    return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet + ('a' - 'A')) : octet;
}

using NameOctets = std::array<std::uint8_t, name_octets_max>;

/// The name at `at`, in full and in lower case, of a message whose names were checked that far.
Bytes plain_name(Bytes message, std::size_t at, NameOctets& out) {
    std::size_t size = 0;
    while (message[at] != 0) {
        if (message[at] >= 0xc0) {
            at = u16_at(message, at) & 0x3fff;
            continue;
        }
        for (const std::size_t end = at + message[at] + 1u; at < end; ++at)
            out[size++] = lower(message[at]);
    }
    out[size++] = 0;
    return Bytes(out).first(size);
}

/// Whether the name at `at` is the one at `above`, or lies below it.
bool is_within(Bytes message, std::size_t at, std::size_t above) {
    NameOctets octets, octets_above;
    const Bytes name = plain_name(message, at, octets);
    const Bytes end = plain_name(message, above, octets_above);
    std::size_t label = 0;
    while (name.size() - label > end.size()) label += name[label] + 1u;
    return std::ranges::equal(name.subspan(label), end);
}

bool is_same_name(Bytes message, std::size_t one, std::size_t other) {
    return is_within(message, one, other) && is_within(message, other, one);
}

class Scan {
  public:
    Scan(Bytes message, const TtlLimits& limits) : message_(message), limits_(limits) {}

    void run(const Question& asked) {
        header();
        question(asked);
        if (answer_.truncated) return;
        for (int section = 0; section < 3; ++section) {
            for (unsigned left = counts_[section]; left > 0 && !failed(); --left)
                record(section, asked);
        }
        if (at_ != message_.size()) fail("has octets left over");
        conclude();
    }

    bool failed() const { return !why_.empty(); }
    const Answer& answer() const { return answer_; }
    Error error() const {
        std::string text = "response: ";
        text += why_;
        return {Errc::malformed, std::move(text)};
    }

  private:
    enum Section { answers, authorities, additionals };

    void fail(std::string_view why) {
        if (why_.empty()) why_ = why;
        message_ = {};  // everything after this reads as zero
        at_ = 0;
    }

    std::size_t left() const { return message_.size() - at_; }

    std::uint16_t u16() {
        if (left() < 2) fail("ends too early");
        if (failed()) return 0;
        at_ += 2;
        return u16_at(message_, at_ - 2);
    }

    std::uint32_t u32() {
        const std::uint32_t high = u16();
        return high << 16 | u16();
    }

    void skip(std::size_t count) {
        if (count > left())
            fail("ends too early");
        else
            at_ += count;
    }

    void header() {
        answer_.id = u16();
        const std::uint16_t flags = u16();
        if ((flags & flag::response) == 0) fail("is no response");
        if ((flags & flag::opcode) != 0) fail("has another opcode");
        answer_.truncated = (flags & flag::truncated) != 0;
        answer_.rcode = flags & flag::rcode;
        answer_.authentic = (flags & flag::authentic_data) != 0;
        if (u16() != 1) fail("has not one question");
        for (std::uint16_t& count : counts_) count = u16();
    }

    void question(const Question& asked) {
        const Bytes name = asked.name.wire();
        if (left() < name.size()) fail("ends too early");
        if (failed()) return;
        const Bytes here = message_.subspan(at_, name.size());
        // A length octet is below 64, where lower() changes nothing.
        const bool same = std::equal(name.begin(), name.end(), here.begin(),
                                     [](auto a, auto b) { return lower(a) == lower(b); });
        skip(name.size());
        if (!same || u16() != asked.type || u16() != class_in) fail("answers another question");
    }

    /// Moves behind the name that begins here, having checked all of it.
    void name() {
        std::size_t piece = at_;  // where the piece of name being read begins
        std::size_t at = at_;
        // A prior occurrence (RFC 1035 section 4.1.4) ends before what refers to it begins.
        std::size_t limit = message_.size();
        std::size_t behind = 0;  // known once a pointer ended the name in place
        std::size_t size = 0;
        for (int pointers = 0;;) {
            if (at >= limit) return fail(pointers > 0 ? runs_on : "ends too early");
            const std::uint8_t length = message_[at];
            // Once the OPT is cut out, offsets from it on are wrong.
            const std::size_t step = length >= 0xc0 ? 2u : length + 1u;
            if (pointers > 0 && at + step > limit) return fail(runs_on);
            if (pointers > 0 && answer_.opt_at != 0 && at + step > answer_.opt_at)
                return fail("has a name compressed against its OPT or what stands behind it");
            if (pointers > 0 && touches_ttl(at, step))
                return fail("has a name compressed against a TTL, which changes");
            if (length >= 0xc0) {
                if (at + 1 >= message_.size()) return fail("ends too early");
                const std::size_t target = u16_at(message_, at) & 0x3fff;
                if (target >= piece || target < header_octets)
                    return fail("has a compression pointer that does not point back to a name");
                if (++pointers > pointers_max) return fail("has too many compression pointers");
                if (behind == 0) behind = at + 2;
                limit = piece;
                at = piece = target;
                continue;
            }
            if (length > 63) return fail("has a label of unknown kind");
            size += step;
            at += step;
            if (size > name_octets_max) return fail("has a name above 255 octets");
            if (length == 0) break;
        }
        at_ = behind != 0 ? behind : at;
    }

    void record(int section, const Question& asked) {
        const std::size_t start = at_;
        name();
        const std::uint16_t record_type = u16();
        if (failed()) return;
        if (record_type == type::opt) return opt(start, section);
        if (u16() != class_in) fail("has a record of another class");
        note_ttl(at_);
        const std::uint32_t ttl = u32();
        const std::size_t data_bytes = u16();
        const std::size_t end = at_ + data_bytes;
        if (data_bytes > left()) fail("ends too early");
        if (failed()) return;
        least_ttl_ = std::min(least_ttl_, ttl);
        if (section == answers && (record_type == asked.type || asked.type == type::any))
            has_answer_ = true;
        const std::size_t data_at = at_;
        data(record_type, data_bytes);
        if (failed()) return;
        if (at_ != end) fail("has a record whose data has another size than its type");
        if (failed()) return;
        if (section == answers && record_type == type::cname &&
            is_same_name(message_, start, meant_at_))
            meant_at_ = data_at;
        // That of another zone says nothing of how long this name will be without data.
        if (section == authorities && record_type == type::soa &&
            is_within(message_, meant_at_, start)) {
            has_soa_ = true;  // its MINIMUM is the last of its five numbers
            least_negative_ = std::min({least_negative_, ttl, u32_at(message_, end - 4)});
        }
    }

    /// Moves behind a record's data. What holds no names and has no fixed size is opaque.
    void data(std::uint16_t record_type, std::size_t data_bytes) {
        if ((record_type == type::a && data_bytes != 4) ||
            (record_type == type::aaaa && data_bytes != 16))
            return fail("has an address of a wrong size");
        for (const NamesInData& layout : names_in_data) {
            if (layout.type != record_type) continue;
            skip(layout.before);
            for (int i = 0; i < layout.names && !failed(); ++i) name();
            return skip(layout.behind);
        }
        skip(data_bytes);
    }

    void note_ttl(std::size_t at) {
        if (answer_.ttl_count < Answer::ttls_max)
            answer_.ttl_at[answer_.ttl_count++] = static_cast<std::uint16_t>(at);
        else
            more_ttls_.push_back(static_cast<std::uint16_t>(at));
        answer_.ttls_walk = !more_ttls_.empty();
    }

    /// Whether octets that a name is made of are a TTL's too.
    bool touches_ttl(std::size_t at, std::size_t size) const {
        const auto one_of = [&](std::span<const std::uint16_t> ttls) {
            const auto next = std::upper_bound(
                ttls.begin(), ttls.end(), at,
                [](std::size_t octet, std::uint16_t ttl) { return octet < ttl + ttl_octets; });
            return next != ttls.end() && *next < at + size;
        };
        return one_of(std::span(answer_.ttl_at).first(answer_.ttl_count)) || one_of(more_ttls_);
    }

    void opt(std::size_t start, int section) {
        if (section != additionals) return fail("has an OPT outside its place");
        if (answer_.opt_at != 0) return fail("has two OPT records");
        if (message_[start] != 0) return fail("has an OPT that is not the root's");
        (void)u16();  // the server's UDP size: of no use on a stream
        const std::uint32_t extended = u32();
        answer_.rcode = static_cast<std::uint16_t>(answer_.rcode | (extended >> 24) << 4);
        const std::size_t data_bytes = u16();
        if (data_bytes > left()) fail("ends too early");
        if (failed()) return;
        for (const std::size_t end = at_ + data_bytes; at_ < end && !failed();) {
            const std::uint16_t code = u16();
            const std::size_t size = u16();
            if (failed()) return;
            if (at_ > end || size > end - at_) return fail("has an option that leaves its OPT");
            if (code == option::tcp_keepalive && size == 2)
                answer_.keepalive = u16_at(message_, at_);
            if (code == option::extended_error && size >= 2 && !answer_.extended_error)
                answer_.extended_error = u16_at(message_, at_);
            // Behind family and source prefix length.
            if (code == option::client_subnet && size >= 4 && message_[at_ + 3] != 0)
                is_for_one_subnet_ = true;
            skip(size);
        }
        answer_.opt_at = static_cast<std::uint16_t>(start);
        answer_.opt_bytes = static_cast<std::uint16_t>(at_ - start);
    }

    void conclude() {
        if (answer_.rcode == rcode::no_name)
            answer_.kind = Answer::Kind::no_name;
        else if (answer_.rcode == rcode::no_error)
            answer_.kind = has_answer_ ? Answer::Kind::positive : Answer::Kind::no_data;
        const std::chrono::seconds least(least_ttl_);
        if (answer_.kind == Answer::Kind::positive)
            answer_.ttl = std::min(std::max(least, limits_.positive_min), limits_.positive_max);
        else if (answer_.kind != Answer::Kind::failure && has_soa_)
            answer_.ttl =
                std::min({least, std::chrono::seconds(least_negative_), limits_.negative_max});
        if (is_for_one_subnet_) answer_.ttl = 0s;
    }

    Bytes message_;
    const TtlLimits& limits_;
    std::size_t at_ = 0;
    std::string_view why_;
    Answer answer_;
    std::vector<std::uint16_t> more_ttls_;  // that answer_ has no room for
    std::uint16_t counts_[3] = {};
    std::uint32_t least_ttl_ = UINT32_MAX;
    std::uint32_t least_negative_ = UINT32_MAX;
    bool has_answer_ = false;
    bool has_soa_ = false;
    bool is_for_one_subnet_ = false;
    std::size_t meant_at_ = header_octets;  // the name asked for, or what its CNAMEs lead to
};

std::size_t skip_checked_name(Bytes message, std::size_t at) {
    while (message[at] != 0) {
        if (message[at] >= 0xc0) return at + 2;
        at += message[at] + 1u;
    }
    return at + 1;
}

}  // namespace

namespace detail {

std::size_t first_record(Bytes message) {
    return skip_checked_name(message, header_octets) + 4;  // type and class
}

std::size_t next_record(Bytes message, std::size_t at, std::size_t& ttl_at) {
    at = skip_checked_name(message, at);
    ttl_at = u16_at(message, at) == type::opt ? 0 : at + 4;
    return at + 10 + u16_at(message, at + 8);
}

}  // namespace detail

Result<Answer> parse_answer(Bytes message, const Question& asked, const TtlLimits& limits) {
    if (message.size() > UINT16_MAX) return Error{Errc::malformed, "response: above 65535 octets"};
    Scan scan(message, limits);
    scan.run(asked);
    if (scan.failed()) return scan.error();
    return scan.answer();
}

void clean(Buffer& message, Answer& answer, const TtlLimits& limits, Origin origin) {
    put_u16(message, 0, 0);
    answer.id = 0;
    if (origin != Origin::trusted_validator) clear_authentic(message, answer);
    if (answer.truncated) return;
    if (answer.opt_at != 0) {
        const auto opt = message.begin() + answer.opt_at;
        message.erase(opt, opt + answer.opt_bytes);
        put_u16(message, 10, static_cast<std::uint16_t>(u16_at(message, 10) - 1));
        for (std::uint16_t& at : answer.ttl_at) {
            if (at > answer.opt_at) at = static_cast<std::uint16_t>(at - answer.opt_bytes);
        }
        answer.opt_at = answer.opt_bytes = 0;
    }
    // A negative answer's SOA must not outlive the answer at whoever keeps it next (RFC 2308
    // section 3).
    const bool negative =
        answer.kind == Answer::Kind::no_data || answer.kind == Answer::Kind::no_name;
    const std::chrono::seconds most = !negative         ? limits.positive_max
                                      : answer.ttl > 0s ? answer.ttl
                                                        : limits.negative_max;
    const std::chrono::seconds least = negative ? 0s : limits.positive_min;
    bool is_raised = false;
    for_each_ttl(message, [&](std::size_t at) {
        const std::chrono::seconds ttl(u32_at(message, at));
        is_raised |= ttl < least;
        put_u32(message, at,
                static_cast<std::uint32_t>(std::min(std::max(ttl, least), most).count()));
    });
    // Nobody validated it for longer than its own time (RFC 4035 section 5.3.3).
    if (is_raised) clear_authentic(message, answer);
}

void cut_additional(Buffer& message, Answer& answer) {
    clear_authentic(message, answer);
    std::size_t end = detail::first_record(message);
    std::size_t ttl_at = 0;
    for (unsigned left = u16_at(message, 6) + 0u + u16_at(message, 8); left > 0; --left)
        end = detail::next_record(message, end, ttl_at);
    message.resize(end);
    put_u16(message, 10, 0);
    while (answer.ttl_count > 0 && answer.ttl_at[answer.ttl_count - 1u] >= end) --answer.ttl_count;
}

Buffer empty_response(const Question& question, std::uint16_t code) {
    Writer out;
    out.u16(0);
    // RD as every client sets it, RA because we do recurse, CD as it was asked.
    out.u16(static_cast<std::uint16_t>(
        flag::response | flag::recursion_desired | flag::recursion_available |
        (question.checking_disabled ? flag::checking_disabled : 0) | (code & flag::rcode)));
    out.u16(1);
    out.zeros(6);
    write(out, question.name);
    out.u16(question.type);
    out.u16(class_in);
    return *out.take();
}

Buffer no_data_response(const Question& question, std::chrono::seconds ttl) {
    Writer out;
    out.bytes(empty_response(question, rcode::no_error));
    out.patch_u16(8, 1);
    write_soa(out, question.name.is_root() ? root_zone : 0xc000 | header_octets,
              static_cast<std::uint32_t>(ttl.count()));
    return *out.take();
}

void write_soa(Writer& out, std::uint16_t zone, std::uint32_t ttl_s) {
    const auto write_zone = [&] {
        if (zone == root_zone)
            out.u8(0);
        else
            out.u16(zone);
    };
    write_zone();
    out.u16(type::soa);
    out.u16(class_in);
    out.u32(ttl_s);
    out.counted_u16([&] {
        write_zone();
        out.text(std::string_view("\6nobody\7invalid\0", 16));
        out.u32(1);       // serial
        out.u32(3600);    // refresh
        out.u32(1200);    // retry
        out.u32(604800);  // expire
        out.u32(ttl_s);
    });
}

}  // namespace porchlight::dns
