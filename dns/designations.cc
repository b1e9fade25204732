#include "dns/designations.h"

#include <algorithm>

#include "core/reader.h"
#include "dns/answer.h"
#include "dns/records.h"

namespace porchlight::dns {
namespace {

template <class Address>
void take_addresses(std::vector<IpAddress>& into, Bytes octets) {
    Reader in(octets);
    Address address;
    while (in.size() >= address.octets.size()) {
        for (std::uint8_t& octet : address.octets) octet = in.u8();
        const bool known = std::find(into.begin(), into.end(), IpAddress(address)) != into.end();
        if (is_receivable(address) && !known) into.emplace_back(address);
    }
}

std::vector<IpAddress> addresses_of(const Svcb& svcb, const std::vector<Record>& records) {
    std::vector<IpAddress> found;
    for (const Record& record : records) {
        if (record.section != Section::additional || record.owner != svcb.target) continue;
        if (record.type == type::a) take_addresses<Ipv4>(found, record.data);
        if (record.type == type::aaaa) take_addresses<Ipv6>(found, record.data);
    }
    if (!found.empty()) return found;
    const auto hint = [&](std::uint16_t key) {
        const auto at = svcb.params.other.find(key);
        return at == svcb.params.other.end() ? Bytes() : Bytes(at->second);
    };
    take_addresses<Ipv6>(found, hint(key_ipv6hint));
    take_addresses<Ipv4>(found, hint(key_ipv4hint));
    return found;
}

}  // namespace

Question designation_question() {
    return {*parse_name("_dns.resolver.arpa"), type::svcb};
}

Question designation_question(const Name& resolver) {
    // A name too long to stand behind another label has no such record: its own is asked then.
    const auto name = parse_name("_dns." + to_text(resolver));
    return {name ? *name : resolver, type::svcb};
}

Result<std::vector<Designation>> parse_designations(Bytes message, const Question& asked) {
    const Result<Answer> answer = parse_answer(message, asked, {});
    if (!answer) return answer.error();
    if (answer->kind == Answer::Kind::failure)
        return Error{Errc::unavailable, "answered with code " + std::to_string(answer->rcode)};

    std::vector<Designation> found;
    if (answer->kind != Answer::Kind::positive) return found;
    const std::vector<Record> records = records_of(message);
    const std::optional<Name> owner = end_of_chain(message, records, asked.name);
    if (!owner) return Error{Errc::malformed, "response: has a CNAME without a name"};
    for (const Record& record : records) {
        if (record.section != Section::answer || record.type != type::svcb ||
            record.owner != *owner)
            continue;
        Designation one;
        one.rdata.assign(record.data.begin(), record.data.end());
        one.ttl = std::chrono::seconds(record.ttl);
        if (auto svcb = parse_svcb(record.data)) {
            one.svcb = *std::move(svcb);
            one.addresses = addresses_of(one.svcb, records);
        } else {
            one.malformed = svcb.error().message;
        }
        found.push_back(std::move(one));
    }
    std::stable_sort(found.begin(), found.end(), [](const Designation& a, const Designation& b) {
        return a.svcb.priority < b.svcb.priority;
    });
    return found;
}

}  // namespace porchlight::dns
