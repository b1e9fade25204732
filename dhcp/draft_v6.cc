#include "dhcp/draft_v6.h"

#include "core/reader.h"
#include "dns/svc_params.h"

namespace porchlight::dhcp {
namespace {

std::string read_template(Reader& in) {
    const std::string_view text = text_of(in.rest());
    if (!dns::is_template_text(text)) in.fail("has a template that is empty or no UTF-8 text");
    return std::string(text);
}

/// `options` and those of one resolver more, if a host reads in all of them what was meant.
Result<std::vector<V6Option>> with(std::vector<V6Option> options,
                                   const dns::DraftResolver& resolver, std::size_t room,
                                   const dns::DraftCodePoints& codes) {
    const auto own = draft_v6_options(resolver, codes);
    if (!own) return own.error();
    std::vector<dns::DraftResolver> meant = read_draft_v6(options, codes).resolvers;
    meant.push_back(resolver);
    for (const V6Option& option : *own) {
        if (option.data.size() > room) return dns::does_not_fit(option.data.size(), room);
        options.push_back(option);
    }
    const DraftReceivedV6 received = read_draft_v6(options, codes);
    if (!received.malformed.empty()) return received.malformed.front();
    if (received.resolvers != meant) return dns::reads_differently();
    return options;
}

}  // namespace

Result<V6EncAdn> parse_v6_enc_adn(Bytes option) {
    Reader in(option);
    V6EncAdn enc;
    enc.flags = dns::read_draft_flags(in);
    enc.adn = dns::read_adn(in);
    if (!in.finished()) return in.error("OPTION_V6_ENC_ADN");
    return enc;
}

void write(Writer& out, const V6EncAdn& enc) {
    out.u8(enc.flags);
    dns::write(out, enc.adn);
}

Result<V6EncAddresses> parse_v6_enc_addresses(Bytes option) {
    Reader in(option);
    V6EncAddresses enc;
    enc.flags = dns::read_draft_flags(in);
    in.u8();  // unassigned
    enc.port = in.u16();
    enc.addresses = dns::read_addresses<Ipv6>(in);
    if (!in.finished()) return in.error("OPTION_V6_ENC_ADD");
    return enc;
}

void write(Writer& out, const V6EncAddresses& enc) {
    out.u8(enc.flags);
    out.u8(0);
    out.u16(enc.port);
    dns::write_addresses(out, enc.addresses);
}

Result<V6DohTemplates> parse_v6_doh_templates(Bytes option) {
    Reader in(option);
    V6DohTemplates doh;
    do {
        in.counted_u16([&](Reader& part) { doh.templates.push_back(read_template(part)); });
    } while (!in.empty());
    if (!in.finished()) return in.error("OPTION_V6_DOH_TEMPLATE");
    return doh;
}

void write(Writer& out, const V6DohTemplates& doh) {
    for (const std::string& text : doh.templates) out.counted_u16([&] { out.text(text); });
}

Result<std::vector<V6Option>> parse_v6_options(Bytes octets) {
    Reader in(octets);
    std::vector<V6Option> options;
    while (!in.empty()) {
        V6Option option;
        option.code = in.u16();
        const Bytes data = in.bytes(in.u16());
        option.data.assign(data.begin(), data.end());
        options.push_back(std::move(option));
    }
    if (!in.finished()) return in.error("DHCPv6 options");
    return options;
}

void write(Writer& out, const V6Option& option) {
    out.u16(option.code);
    out.counted_u16([&] { out.bytes(option.data); });
}

DraftReceivedV6 read_draft_v6(std::span<const V6Option> options,
                              const dns::DraftCodePoints& codes) {
    DraftReceivedV6 received;
    std::vector<dns::DraftName> names;
    std::vector<dns::DraftAddresses> addresses;
    std::vector<std::string> templates;
    const auto keep = [&](const auto& parsed, auto take) {
        if (parsed)
            take(*parsed);
        else
            received.malformed.push_back(parsed.error());
    };
    for (const auto& [code, data] : options) {
        if (code == codes.dhcpv6_adn)
            keep(parse_v6_enc_adn(data), [&](const V6EncAdn& enc) {
                names.push_back({enc.flags, enc.adn, std::nullopt});
            });
        if (code == codes.dhcpv6_addresses)
            keep(parse_v6_enc_addresses(data), [&](const V6EncAddresses& enc) {
                addresses.push_back({enc.flags,
                                     enc.port,
                                     {enc.addresses.begin(), enc.addresses.end()},
                                     std::nullopt});
            });
        if (code == codes.dhcpv6_templates)
            keep(parse_v6_doh_templates(data), [&](const V6DohTemplates& doh) {
                templates.insert(templates.end(), doh.templates.begin(), doh.templates.end());
            });
    }
    received.resolvers = dns::paired(names, addresses, templates);
    return received;
}

Result<std::vector<V6Option>> draft_v6_options(const dns::DraftResolver& resolver,
                                               const dns::DraftCodePoints& codes) {
    std::vector<V6Option> options;
    const auto add = [&](std::uint16_t code, const auto& option) -> Result<void> {
        Writer out;
        write(out, option);
        Result<Buffer> data = out.take();
        if (!data) return data.error();
        options.push_back({code, *std::move(data)});
        return {};
    };
    Result<void> added;
    if (resolver.adn) added = add(codes.dhcpv6_adn, V6EncAdn{resolver.flags, *resolver.adn});
    if (added && !resolver.addresses.empty())
        added =
            add(codes.dhcpv6_addresses, V6EncAddresses{resolver.flags, resolver.port,
                                                       dns::of_family<Ipv6>(resolver.addresses)});
    if (added && !resolver.templates.empty())
        added = add(codes.dhcpv6_templates, V6DohTemplates{resolver.templates});
    if (!added) return added.error();
    return options;
}

EncodedDraftV6 encode_draft_v6(std::span<const dns::EncryptedResolver> resolvers,
                               std::size_t count_max, std::size_t room,
                               const dns::DraftCodePoints& codes) {
    EncodedDraftV6 encoded;
    dns::DraftOffers found = dns::draft_offers<Ipv6>(resolvers);
    encoded.left_out = std::move(found.left_out);
    for (std::size_t told = 0; const auto& [priority, resolver] : found.offers) {
        Result<std::vector<V6Option>> grown = with(encoded.options, resolver, room, codes);
        if (grown && told == count_max) grown = dns::too_many(count_max);
        if (grown) {
            encoded.options = *std::move(grown);
            ++told;
        } else {
            encoded.left_out.push_back({priority, *resolver.adn, grown.error().message});
        }
    }
    return encoded;
}

}  // namespace porchlight::dhcp
