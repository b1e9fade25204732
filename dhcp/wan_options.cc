#include "dhcp/wan_options.h"

#include <algorithm>
#include <iterator>

#include "core/reader.h"
#include "dhcp/draft_v4.h"
#include "dhcp/v4_dnr.h"
#include "dhcp/v6_dnr.h"
#include "dhcp/vendor_opts.h"
#include "dns/draft_resolver.h"

namespace porchlight::dhcp {
namespace {

bool has_draft(const dns::Forms& forms) {
    return std::find(forms.formats.begin(), forms.formats.end(), dns::Format::draft_btw_11) !=
           forms.formats.end();
}

void append(WanOptions& whole, std::vector<dns::EncryptedResolver> resolvers) {
    std::move(resolvers.begin(), resolvers.end(), std::back_inserter(whole.resolvers));
}

/// Plain resolvers that hosts could reach; the others of the option are passed over.
template <class Address>
void read_plain(WanOptions& whole, Bytes data, const char* option) {
    constexpr std::size_t size = sizeof(Address::octets);
    Reader in(data);
    std::vector<IpAddress> addresses;
    while (!in.empty()) {
        const Bytes octets = in.bytes(size);
        Address address;
        std::copy(octets.begin(), octets.end(), address.octets.begin());
        if (is_receivable(address)) addresses.push_back(address);
    }
    if (in.finished())
        whole.plain.insert(whole.plain.end(), addresses.begin(), addresses.end());
    else
        whole.refused.push_back({in.error(option).message, Buffer(data.begin(), data.end())});
}

void read_dnr(WanOptions& whole, const V4Option& option) {
    const auto dnr = parse_v4_dnr(option.data);
    if (!dnr) {
        whole.refused.push_back({dnr.error().message, option.data});
        return;
    }
    for (const V4DnrInstance& instance : *dnr) whole.resolvers.push_back(resolver_of(instance));
}

void read_draft(WanOptions& whole, const V4Option& option) {
    const auto instances = parse_v4_enc_dns(option.data);
    if (!instances) {
        whole.refused.push_back({instances.error().message, option.data});
        return;
    }
    std::vector<dns::DraftResolver> received;
    for (const V4EncDns& instance : *instances) received.push_back(draft_resolver_of(instance));
    append(whole, dns::resolvers_of(received));
}

void read_dnr(WanOptions& whole, const V6Option& option) {
    const auto dnr = parse_v6_dnr(option.data);
    if (dnr)
        whole.resolvers.push_back(resolver_of(*dnr));
    else
        whole.refused.push_back({dnr.error().message, option.data});
}

void read_refresh(WanOptions& whole, const V6Option& option) {
    Reader in(option.data);
    const std::chrono::seconds refresh(in.u32());
    if (in.finished())
        whole.refresh = refresh;
    else
        whole.refused.push_back({in.error("DHCPv6 option 32").message, option.data});
}

void read_draft(WanOptions& whole, std::span<const V6Option> options,
                const dns::DraftCodePoints& codes) {
    const DraftReceivedV6 received = read_draft_v6(options, codes);
    for (const Error& error : received.malformed) whole.refused.push_back({error.message, {}});
    append(whole, dns::resolvers_of(received.resolvers));
}

void read_vendor(WanOptions& whole, const V6Option& option, const dns::DraftCodePoints& codes) {
    const auto vendor = parse_vendor_opts(option.data);
    if (!vendor)
        whole.refused.push_back({vendor.error().message, option.data});
    else if (vendor->enterprise == codes.enterprise)
        read_draft(whole, vendor->options, within(codes));
}

}  // namespace

WanOptions read_wan_v4(std::span<const V4Option> options, const dns::Forms& forms) {
    WanOptions whole;
    for (const V4Option& option : options) {
        if (option.code == v4_dnr_code)
            read_dnr(whole, option);
        else if (option.code == v4_plain_resolvers_code)
            read_plain<Ipv4>(whole, option.data, "DHCPv4 option 6");
        else if (has_draft(forms) && option.code == forms.code_points.dhcpv4)
            read_draft(whole, option);
    }
    return whole;
}

WanOptions read_wan_v6(Bytes run, const dns::Forms& forms) {
    WanOptions whole;
    const auto options = parse_v6_options(run);
    if (!options) {
        whole.refused.push_back({options.error().message, Buffer(run.begin(), run.end())});
        return whole;
    }
    const dns::DraftCodePoints& codes = forms.code_points;
    for (const V6Option& option : *options) {
        if (option.code == v6_dnr_code)
            read_dnr(whole, option);
        else if (option.code == v6_plain_resolvers_code)
            read_plain<Ipv6>(whole, option.data, "DHCPv6 option 23");
        else if (option.code == v6_refresh_time_code)
            read_refresh(whole, option);
        else if (option.code == vendor_opts_code && has_draft(forms) && codes.enterprise != 0)
            read_vendor(whole, option, codes);
    }
    if (has_draft(forms) && codes.enterprise == 0) read_draft(whole, *options, codes);
    return whole;
}

}  // namespace porchlight::dhcp
