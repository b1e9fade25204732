#include "agent/option_refusals.h"

#include <algorithm>

#include "core/escape.h"
#include "dns/draft_resolver.h"

namespace porchlight::agent {
namespace {

using Refusal = std::optional<Error>;

constexpr std::size_t text_octets_max = 64;  // of what is repeated in a sentence
constexpr std::size_t alpn_id_octets_max = 255;
// What a count of addresses, or of their octets, has room for.
constexpr std::size_t dhcpv4_addresses_max = 63;
constexpr std::size_t draft_dhcpv4_addresses_max = 255;
constexpr std::size_t draft_dhcpv6_addresses_max = 4095;
constexpr std::size_t draft_ra_addresses_max = 126;

std::string in_quotes(std::string_view text) {
    return "\"" + escape(text.substr(0, text_octets_max)) + "\"";
}

std::string name_of(Carrier carrier) {
    return carrier == Carrier::dhcpv4   ? "dhcpv4"
           : carrier == Carrier::dhcpv6 ? "dhcpv6"
           : carrier == Carrier::ra     ? "ra"
                                        : "svcb";
}

bool has(const dns::SvcParams& params, std::uint16_t key) {
    switch (key) {
        case dns::key_alpn:
            return !params.alpn.empty();
        case dns::key_no_default_alpn:
            return params.no_default_alpn;
        case dns::key_port:
            return params.port.has_value();
        case dns::key_dohpath:
            return params.dohpath.has_value();
        default:
            return params.other.contains(key);
    }
}

/// One record at one place, member by member. The first complaint counts.
class Judge {
  public:
    Judge(Carrier carrier, const ResolverRecord& record, std::string place)
        : carrier_(carrier), record_(record), params_(record.params), place_(std::move(place)) {}

    Refusal as_rfc() {
        require(record_.priority.has_value(), "priority", "missing");
        require(record_.adn.has_value(), "adn", "missing");
        require(record_.templates.empty(), "templates",
                "dhcpv6 of draft-btw-11 alone has templates; dohpath is the path of one");
        require(record_.request.empty(), "request", "draft-btw-11 alone has requests");
        require(record_.request_of.empty(), "of", "draft-btw-11 alone has requests");
        if (carrier_ == Carrier::svcb) return as_svcb();
        judge_lifetime();
        if (record_.adn) judge_name();
        judge_addresses(carrier_ == Carrier::dhcpv4 ? dhcpv4_addresses_max : option_octets_max);
        require(!record_.addresses.empty() || params_ == dns::SvcParams(), "addresses",
                "missing; without an address " + name_of(carrier_) + " tells of a name alone");
        judge_params();
        for (const auto key : {dns::key_ipv4hint, dns::key_ipv6hint})
            require(!params_.other.contains(key), "params/" + dns::key_text(key),
                    "an address hint spoils the option; addresses has them");
        return refusal_;
    }

    Refusal as_draft() {
        require(!record_.priority, "priority",
                "draft-btw-11 has none; the first resolver is preferred");
        require(params_.mandatory.empty(), "mandatory", no_params);
        require(!params_.no_default_alpn, "no-default-alpn", no_params);
        require(params_.other.empty(), "params", no_params);
        if (!record_.request.empty() || !record_.request_of.empty()) return as_request();
        judge_lifetime();
        if (record_.adn) judge_name();
        judge_draft_addresses();
        require(params_.port != 0, "port", "0 stands for each protocol's own; leave port out");
        require(!params_.port || !record_.addresses.empty(), "port",
                "stands with the addresses, and there is none");
        judge_flags("alpn", params_.alpn);
        judge_templates();
        return refusal_;
    }

  private:
    static constexpr const char* no_params =
        "draft-btw-11 has no parameters but alpn, port and dohpath";

    Refusal as_svcb() {
        require(record_.addresses.empty(), "addresses",
                "svcb has none; ipv4hint and ipv6hint stand in params");
        require(!record_.lifetime, "lifetime", only_ra);
        judge_params();
        for (const auto key : {dns::key_ipv4hint, dns::key_ipv6hint}) judge_hint(key);
        return refusal_;
    }

    static constexpr const char* only_ra = "ra alone has one";

    void judge_lifetime() {
        const bool wanted = carrier_ == Carrier::ra;
        require(record_.lifetime.has_value() || !wanted, "lifetime", "missing; ra has one always");
        require(!record_.lifetime || wanted, "lifetime", only_ra);
    }

    void judge_name() {
        const dns::Name& adn = *record_.adn;
        require(!adn.is_root(), "adn", "the root names nobody");
        require(dns::is_host_name(adn), "adn", in_quotes(dns::to_text(adn)) + " is no host's name");
    }

    void judge_addresses(std::size_t count_max) {
        const bool v4 = carrier_ == Carrier::dhcpv4;
        for (std::size_t i = 0; i < record_.addresses.size(); ++i) {
            const IpAddress& address = record_.addresses[i];
            const std::string at = pointer("addresses", i);
            require(std::holds_alternative<Ipv4>(address) == v4, at,
                    to_text(address) + " is no " + (v4 ? "IPv4" : "IPv6") + " address, which " +
                        name_of(carrier_) + " carries alone");
            require(is_receivable(address), at,
                    to_text(address) + " is an address that hosts drop");
        }
        require(record_.addresses.size() <= count_max, "addresses",
                std::to_string(record_.addresses.size()) + " are more than the " +
                    std::to_string(count_max) + " that " + name_of(carrier_) + " can count");
    }

    void judge_params() {
        judge_alpn();
        require(!params_.no_default_alpn || !params_.alpn.empty(), "no-default-alpn",
                "needs alpn beside it");
        if (params_.dohpath)
            require(dns::is_template_text(*params_.dohpath), "dohpath", bad_template);
        const auto& mandatory = params_.mandatory;
        for (std::size_t i = 0; i < mandatory.size(); ++i) {
            const std::string at = pointer("mandatory", i);
            require(mandatory[i] != dns::key_mandatory, at, "mandatory never lists itself");
            require(i == 0 || mandatory[i] > mandatory[i - 1], at,
                    "keys stand in order of their numbers, each once");
            require(has(params_, mandatory[i]), at,
                    dns::key_text(mandatory[i]) + " is mandatory and not there");
        }
        const auto ohttp = params_.other.find(dns::key_ohttp);
        require(ohttp == params_.other.end() || ohttp->second.empty(), "params/ohttp",
                "ohttp has no value");
    }

    static constexpr const char* bad_template = "empty, no UTF-8, or with a NUL in it";

    void judge_alpn() {
        for (std::size_t i = 0; i < params_.alpn.size(); ++i)
            require(!params_.alpn[i].empty() && params_.alpn[i].size() <= alpn_id_octets_max,
                    pointer("alpn", i), "an id has 1 to 255 octets");
    }

    void judge_hint(std::uint16_t key) {
        const auto hint = params_.other.find(key);
        if (hint == params_.other.end()) return;
        const std::size_t unit =
            key == dns::key_ipv4hint ? sizeof(Ipv4::octets) : sizeof(Ipv6::octets);
        require(!hint->second.empty() && hint->second.size() % unit == 0,
                "params/" + dns::key_text(key),
                "no addresses of " + std::to_string(unit) + " octets each");
    }

    // What the draft alone has.

    Refusal as_request() {
        ResolverRecord alone;
        alone.request = record_.request;
        alone.request_of = record_.request_of;
        alone.why_not_usable = record_.why_not_usable;
        require(alone == record_, "request",
                "asks for protocols; it stands with nothing but \"of\"");
        require(carrier_ != Carrier::ra, "request", "ra has no requests");
        const bool v6 = carrier_ == Carrier::dhcpv6;
        require(v6 || record_.request_of.empty(), "of",
                "dhcpv4 has one option, which needs no name");
        require(!v6 || record_.request_of == "adn" || record_.request_of == "addresses", "of",
                "neither \"adn\" nor \"addresses\", the options of dhcpv6 that ask");
        judge_flags("request", record_.request);
        return refusal_;
    }

    /// The ids that bits in an octet stand for: no others, each once, in the order of the bits.
    void judge_flags(const std::string& member, const std::vector<std::string>& ids) {
        const bool told = record_.adn || !record_.addresses.empty();
        const bool wanted = told || member == "request";
        require(wanted || ids.empty(), member, "needs a name or an address that it is said of");
        require(!wanted || !ids.empty(), member, "missing; it is one of dot, h2 and doq at least");
        for (std::size_t i = 0; i < ids.size(); ++i)
            require(ids[i] == "dot" || ids[i] == "h2" || ids[i] == "doq", pointer(member, i),
                    in_quotes(ids[i]) +
                        " is none of dot, h2 (for all DNS over HTTPS) and doq, which "
                        "draft-btw-11 has bits for");
        require(ids == dns::alpn_of(dns::flags_of(ids)), member,
                "bits have one order, which is dot, h2, doq, each once");
    }

    void judge_draft_addresses() {
        const bool v4 = carrier_ == Carrier::dhcpv4;
        judge_addresses(v4                            ? draft_dhcpv4_addresses_max
                        : carrier_ == Carrier::dhcpv6 ? draft_dhcpv6_addresses_max
                                                      : draft_ra_addresses_max);
        require(!v4 || record_.adn, "adn", "missing; dhcpv4 has a name in every option");
        require(!v4 || !record_.addresses.empty(), "addresses",
                "missing; dhcpv4 of draft-btw-11 has an address in every option");
        require(record_.adn || !record_.addresses.empty() || !record_.templates.empty(), "",
                "has neither name, address nor template, so there is no option for it");
    }

    void judge_templates() {
        const bool v6 = carrier_ == Carrier::dhcpv6;
        require(v6 || !params_.dohpath, "dohpath", "dhcpv6 of draft-btw-11 alone has templates");
        require(v6 || record_.templates.empty(), "templates",
                "dhcpv6 of draft-btw-11 alone has templates");
        require(!params_.dohpath || record_.templates.empty(), "dohpath",
                "stands beside templates; make it one of them");
        if (params_.dohpath) judge_path(*params_.dohpath);
        std::size_t octets = 0;
        for (std::size_t i = 0; i < record_.templates.size(); ++i) {
            judge_template(record_.templates[i], pointer("templates", i));
            octets += 2 + record_.templates[i].size();
        }
        require(octets <= option_octets_max, "templates",
                std::to_string(octets) + " octets are more than the " +
                    std::to_string(option_octets_max) + " that an option has room for");
    }

    bool serves_doh() const { return (dns::flags_of(params_.alpn) & dns::draft_doh) != 0; }

    void judge_path(const std::string& path) {
        require(record_.adn.has_value(), "dohpath", "needs adn, of whose template it is a part");
        require(serves_doh(), "dohpath", "needs h2 in alpn");
        require(dns::is_usable_dohpath(path), "dohpath",
                in_quotes(path) + " does not begin with / or names no variable dns");
    }

    void judge_template(const std::string& text, const std::string& at) {
        require(dns::is_template_text(text), at, bad_template);
        if (!record_.adn) {
            require(record_.addresses.empty(), at, "needs adn, which is its host");
            return;
        }
        const auto parsed = dns::parse_doh_template(text);
        const std::uint16_t port = params_.port.value_or(dns::DohTemplate().port);
        require(serves_doh(), at, "needs h2 in alpn");
        require(parsed && parsed->host == *record_.adn && parsed->port == port, at,
                in_quotes(text) + " is no template for this name and port");
        require(record_.templates.size() > 1 || !parsed ||
                    text != dns::doh_template(*record_.adn, params_.port.value_or(0), parsed->path),
                at, "says no more than a path; make it dohpath");
    }

    void require(bool holds, const std::string& member, const std::string& why) {
        if (holds || refusal_) return;
        refusal_ = refused_at(member.empty() ? place_ : place_ + "/" + member, why);
    }

    Carrier carrier_;
    const ResolverRecord& record_;
    const dns::SvcParams& params_;
    std::string place_;
    Refusal refusal_;
};

}  // namespace

Error refused_at(const std::string& place, const std::string& why) {
    return {Errc::refused, place + ": " + why};
}

std::optional<Error> why_not_encodable(Carrier carrier, dns::Format format,
                                       std::span<const ResolverRecord> records) {
    const bool draft = format == dns::Format::draft_btw_11 && carrier != Carrier::svcb;
    for (std::size_t i = 0; i < records.size(); ++i) {
        Judge judge(carrier, records[i], pointer("", i));
        if (Refusal why = draft ? judge.as_draft() : judge.as_rfc()) return why;
        if (i > 0 && !records[i].request.empty() && carrier == Carrier::dhcpv4)
            return refused_at(pointer("", i), "dhcpv4 has one option, and one request fills it");
        // A message either asks or offers.
        if (records[i].request.empty() != records[0].request.empty())
            return refused_at(pointer("", i),
                              "requests and resolvers stand in no message together");
    }
    return std::nullopt;
}

}  // namespace porchlight::agent
