#include "forwarder/nxdomain_cut.h"

#include <algorithm>

#include "core/writer.h"
#include "dns/answer.h"
#include "dns/records.h"

namespace porchlight::forwarder {
namespace {

constexpr std::uint16_t cut_type = 0;  // reserved, RFC 6895 section 3.1
constexpr std::size_t type_and_class_octets = 4;
constexpr std::size_t soa_numbers_octets = 20;

std::size_t behind_question(Bytes message) {
    std::size_t at = dns::header_octets;
    (void)dns::expand_name(message, at);
    return at + type_and_class_octets;
}

/// Appends the record with its names in full, so that it may stand anywhere, and returns where its
/// TTL does; nothing if it is not in form.
std::optional<std::uint16_t> write_soa(Writer& out, Bytes message, const dns::Record& soa) {
    std::size_t at = soa.data_at;
    const auto primary = dns::expand_name(message, at);
    const auto mailbox = primary ? dns::expand_name(message, at) : std::nullopt;
    const std::size_t end = soa.data_at + soa.data.size();
    if (!mailbox || at + soa_numbers_octets != end) return std::nullopt;
    dns::write(out, soa.owner);
    out.u16(dns::type::soa);
    out.u16(dns::class_in);
    const std::size_t ttl_at = out.size();
    out.u32(soa.ttl);
    out.counted_u16([&] {
        dns::write(out, *primary);
        dns::write(out, *mailbox);
        out.bytes(message.subspan(at, soa_numbers_octets));
    });
    return static_cast<std::uint16_t>(ttl_at);
}

}  // namespace

bool may_be_cut(const dns::Question& question) {
    return !question.dnssec_ok && !question.checking_disabled;
}

dns::Question cut_question(const dns::Name& name, const dns::Question& asked) {
    dns::Question question;
    question.name = name;
    question.type = cut_type;
    question.view = asked.view;
    return question;
}

std::vector<dns::Question> cut_questions(const dns::Question& asked) {
    std::vector<dns::Question> questions;
    dns::Name name = asked.name;
    for (std::size_t labels = name.label_count(); labels > 0; --labels, name = name.parent())
        if (labels <= cut_labels_max) questions.push_back(cut_question(name, asked));
    return questions;
}

std::optional<Cut> cut_of(Bytes response, const dns::Question& question) {
    const std::vector<dns::Record> records = dns::records_of(response);
    const bool is_alias = std::any_of(records.begin(), records.end(), [](const auto& record) {
        return record.section == dns::Section::answer;
    });
    const auto soa = std::find_if(records.begin(), records.end(), [&](const auto& record) {
        return record.section == dns::Section::authority && record.type == dns::type::soa &&
               question.name.is_within(record.owner);
    });
    if (is_alias || soa == records.end()) return std::nullopt;
    Writer out;
    out.bytes(dns::empty_response(cut_question(question.name, question), dns::rcode::no_name));
    out.patch_u16(8, 1);
    const auto ttl_at = write_soa(out, response, *soa);
    if (!ttl_at) return std::nullopt;
    return Cut{*out.take(), *ttl_at};
}

Buffer response_from_cut(Bytes cut, const dns::Question& question) {
    Writer out;
    out.bytes(dns::empty_response(question, dns::rcode::no_name));
    out.patch_u16(8, 1);
    out.bytes(cut.subspan(behind_question(cut)));
    return *out.take();
}

}  // namespace porchlight::forwarder
