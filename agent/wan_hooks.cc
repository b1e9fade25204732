#include "agent/wan_hooks.h"

#include <algorithm>
#include <charconv>

#include "agent/config_type.h"
#include "core/escape.h"
#include "core/writer.h"
#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"

namespace porchlight::agent {
namespace {

bool is_among(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(at), text.size());
        if (end > 0) parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

std::optional<std::chrono::seconds> seconds_in(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failed != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return std::chrono::seconds(value);
}

/// Octets from hexadecimal digits. What are none is kept as it is, and so refused by whoever reads
/// the option and told to the user: no option that is well formed is all text.
Buffer octets_or_text(std::string_view text) {
    if (auto octets = octets_from_hex(text)) return *std::move(octets);
    return {text.begin(), text.end()};
}

/// The data of DHCPv4 option 6 from what a client made of it.
Buffer addresses_in(std::string_view text) {
    Writer out;
    for (const std::string_view word : split(text, ' '))
        if (const auto address = parse_ipv4(word)) out.bytes(*address);
    auto octets = out.take();
    return octets ? *std::move(octets) : Buffer();
}

/// The codes of those DHCPv4 options that tell of encrypted resolvers.
std::vector<std::uint8_t> codes_of(const dns::Forms& forms) {
    std::vector<std::uint8_t> codes{dhcp::v4_dnr_code};
    for (const dns::Format format : forms.formats)
        if (format == dns::Format::draft_btw_11) codes.push_back(forms.code_points.dhcpv4);
    return codes;
}

Error not_called_by(std::string_view client, std::string_view interface) {
    return {Errc::refused, "\"" + escape(interface) + "\" is no name of an interface; " +
                               std::string(client) + "'s script has one"};
}

void extend(std::optional<std::chrono::seconds>& longest,
            std::optional<std::chrono::seconds> another) {
    if (another && (!longest || *longest < *another)) longest = another;
}

/// The longest time that an address or a prefix is good for: "ADDRESS/LENGTH,PREFERRED,VALID,…".
void extend_to_valid(std::optional<std::chrono::seconds>& longest, std::string_view entries) {
    for (const std::string_view entry : split(entries, ' ')) {
        const auto fields = split(entry, ',');
        if (fields.size() > 2) extend(longest, seconds_in(fields[2]));
    }
}

/// Addresses or prefixes of one kind, and of an association, that dhcpcd is asked about.
constexpr int leases_looked_at = 4;

/// "0:1a:3": without leading zeros. What is printable as a whole stands there as text, as above.
Buffer octets_from_dhclient(std::string_view text) {
    Buffer octets;
    for (const std::string_view digits : split(text, ':')) {
        const auto octet = octets_from_hex(digits.size() == 1 ? "0" + std::string(digits) : digits);
        if (!octet || octet->size() != 1) return {text.begin(), text.end()};
        octets.push_back(octet->front());
    }
    return octets;
}

/// One option of a DHCPv6 message, if it is there.
void add_option(Writer& out, std::uint16_t code, Bytes data) {
    if (!data.empty()) write(out, dhcp::V6Option{code, {data.begin(), data.end()}});
}

/// A client that tells its one script by $reason what happened, in both families: those of DHCPv6
/// end in 6. `longest_lease` knows how long a DHCPv6 lease is good.
template <class Octets, class LongestLease>
Result<Heard> heard_by_reason(const char* client, const Environment& environment, Octets octets,
                              LongestLease longest_lease) {
    Heard heard;
    WanRecord& record = heard.record;
    std::string reason = environment("reason");
    record.interface = environment("interface");
    record.told_by = std::string(client) + " " + reason;
    if (!config::is_interface(record.interface)) return not_called_by(client, record.interface);
    const bool v6 = reason.ends_with('6');
    if (v6) reason.pop_back();
    record.source = v6 ? OfferSource::dhcpv6 : OfferSource::dhcpv4;
    if (is_among(reason, {"EXPIRE", "RELEASE", "STOP", "FAIL"})) heard.what = Heard::What::lost;
    if (!is_among(reason, {"BOUND", "RENEW", "REBIND", "REBOOT", "INFORM"})) return heard;
    heard.what = Heard::What::offer;
    if (v6) {
        Writer run;
        add_option(run, dhcp::v6_dnr_code, octets(environment("new_dhcp6_dnr")));
        Writer plain;
        const std::string servers = environment("new_dhcp6_name_servers");
        for (const std::string_view word : split(servers, ' '))
            if (const auto address = parse_ipv6(word)) plain.bytes(*address);
        add_option(run, dhcp::v6_plain_resolvers_code, plain.view());
        // Where there is no lease it counts as if the message itself were here.
        Writer refresh;
        if (const auto time = seconds_in(environment("new_dhcp6_info_refresh_time")))
            refresh.u32(static_cast<std::uint32_t>(time->count()));
        add_option(run, dhcp::v6_refresh_time_code, refresh.view());
        record.v6.assign(run.view().begin(), run.view().end());
        longest_lease(record.lifetime);
        return heard;
    }
    Buffer dnr = octets(environment("new_dnr"));
    if (!dnr.empty()) record.v4.push_back({dhcp::v4_dnr_code, std::move(dnr)});
    Buffer plain = addresses_in(environment("new_domain_name_servers"));
    if (!plain.empty()) record.v4.push_back({dhcp::v4_plain_resolvers_code, std::move(plain)});
    record.lifetime = seconds_in(environment("new_dhcp_lease_time"));
    return heard;
}

constexpr std::chrono::seconds endless{0xffffffff};

void forget_lease(WanRecord& record, const std::string& name, std::chrono::seconds now) {
    std::erase_if(record.leases, [&](const WanRecord::Lease& one) {
        return one.name == name || one.until <= now;
    });
}

/// The record's lifetime becomes that of the lease that lives for longest.
void last_with_leases(WanRecord& record) {
    const auto longest = std::max_element(
        record.leases.begin(), record.leases.end(),
        [](const WanRecord::Lease& a, const WanRecord::Lease& b) { return a.until < b.until; });
    if (longest == record.leases.end()) return;
    record.lifetime = longest->until == endless ? endless : longest->until - record.received;
}

}  // namespace

Result<Heard> heard_from_udhcpc(std::string_view event, const Environment& environment,
                                const dns::Forms& forms) {
    Heard heard;
    WanRecord& record = heard.record;
    record.interface = environment("interface");
    record.source = OfferSource::dhcpv4;
    record.told_by = "udhcpc " + std::string(event);
    if (!config::is_interface(record.interface)) return not_called_by("udhcpc", record.interface);
    // A refusal (nak) is followed by a deconfig; leasefail says only that nobody answered.
    if (event == "deconfig") heard.what = Heard::What::lost;
    if (!is_among(event, {"bound", "renew"})) return heard;
    heard.what = Heard::What::offer;
    for (const std::uint8_t code : codes_of(forms)) {
        const std::string value = environment("opt" + std::to_string(code));
        if (!value.empty()) record.v4.push_back({code, octets_or_text(value)});
    }
    Buffer plain = addresses_in(environment("dns"));
    if (!plain.empty()) record.v4.push_back({dhcp::v4_plain_resolvers_code, std::move(plain)});
    record.lifetime = seconds_in(environment("lease"));
    return heard;
}

Result<Heard> heard_from_odhcp6c(std::string_view interface, std::string_view event,
                                 const Environment& environment) {
    Heard heard;
    WanRecord& record = heard.record;
    record.interface = interface;
    record.source = OfferSource::dhcpv6;
    record.told_by = "odhcp6c " + std::string(event);
    if (!config::is_interface(interface)) return not_called_by("odhcp6c", interface);
    if (is_among(event, {"unbound", "stopped"})) heard.what = Heard::What::lost;
    if (is_among(event, {"bound", "informed", "updated", "rebound"}))
        heard.what = Heard::What::offer;
    // A Router Advertisement came; what DHCPv6 said before it is only said again.
    if (event == "ra-updated") heard.what = Heard::What::offer_if_other;
    record.v6 = octets_or_text(environment("PASSTHRU"));
    extend_to_valid(record.lifetime, environment("ADDRESSES"));
    extend_to_valid(record.lifetime, environment("PREFIXES"));
    return heard;
}

Result<Heard> heard_from_dhclient(const Environment& environment) {
    auto heard = heard_by_reason("dhclient", environment, octets_from_dhclient, [&](auto& longest) {
        extend(longest, seconds_in(environment("new_max_life")));
    });
    if (!heard || heard->record.source != OfferSource::dhcpv6) return heard;
    const std::string when = heard->what == Heard::What::lost ? "old_" : "new_";
    heard->lease = environment(when + "ip6_address");
    if (heard->lease.empty()) heard->lease = environment(when + "ip6_prefix");
    return heard;
}

Result<Heard> heard_from_dhcpcd(const Environment& environment) {
    return heard_by_reason("dhcpcd", environment, octets_or_text, [&](auto& longest) {
        for (int ia = 1; ia <= leases_looked_at; ++ia) {
            for (int one = 1; one <= leases_looked_at; ++one) {
                const std::string numbers[] = {std::to_string(ia), std::to_string(one)};
                for (const std::string& name : {"na" + numbers[0] + "_ia_addr" + numbers[1],
                                                "pd" + numbers[0] + "_prefix" + numbers[1]})
                    extend(longest, seconds_in(environment("new_dhcp6_ia_" + name + "_vltime")));
            }
        }
    });
}

WanRecord with_lease(WanRecord record, const std::string& name,
                     const std::optional<WanRecord>& former) {
    const auto life = record.lifetime.value_or(endless);
    const auto until = life == endless ? endless : record.received + life;
    if (former) record.leases = former->leases;
    forget_lease(record, name, record.received);
    if (record.leases.size() < wan_leases_max) record.leases.push_back({name, until});
    last_with_leases(record);
    return record;
}

std::optional<WanRecord> without_lease(WanRecord record, const std::string& name,
                                       std::chrono::seconds now) {
    forget_lease(record, name, now);
    if (record.leases.empty()) return std::nullopt;
    last_with_leases(record);
    return record;
}

WanRecord ending(WanRecord record, std::chrono::seconds now) {
    record.leases.clear();
    const auto until = now - record.received + lost_lease_grace;
    record.lifetime = std::min(record.lifetime.value_or(until), until);
    return record;
}

}  // namespace porchlight::agent
