#include "forwarder/names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "dns/answer.h"
#include "dns/query.h"
#include "forwarder/device_id.h"

namespace porchlight::forwarder {
namespace {

constexpr std::uint32_t ttl_fixed_s = 10800;     // RFC 6303 section 3
constexpr std::uint32_t ttl_home_s = 60;         // leases come and go
constexpr std::uint32_t ttl_designation_s = 60;  // of one and of none: both may end at once
constexpr std::uint16_t type_dnskey = 48;
/// Browsers ask for it before they choose a resolver by themselves.
constexpr std::string_view application_dns("\x13use-application-dns\3net\0", 25);
/// The codes that hosts hear from us, whoever found what is wrong: those of edns.h (RFC 9606
/// section 5).
constexpr std::string_view extended_errors = "exterr=3,15,18-19,22-23,29";

/// The labels of a name, counted from its right end, where zones begin.
class Labels {
  public:
    explicit Labels(Bytes name) : name_(name) {
        for (std::size_t at = 0; at < name.size() && name[at] != 0; at += name[at] + 1u)
            at_[count_++] = static_cast<std::uint8_t>(at);
    }
    std::size_t count() const { return count_; }
    /// Where the last `labels` labels begin.
    std::size_t at(std::size_t labels) const {
        return labels == 0 ? name_.size() - 1 : at_[count_ - labels];
    }
    /// The text of label number `index` from the right, from 0; empty where there is none.
    std::string_view operator[](std::size_t index) const {
        if (index >= count_) return {};
        const std::size_t at = at_[count_ - 1 - index];
        return text_of(name_.subspan(at + 1, name_[at]));
    }
    bool begins_label(std::size_t at) const {
        return std::binary_search(at_.begin(), at_.begin() + static_cast<std::ptrdiff_t>(count_),
                                  at);
    }

  private:
    Bytes name_;
    std::array<std::uint8_t, 128> at_{};
    std::size_t count_ = 0;
};

/// A zone of reverse names: the address's first elements, octets for in-addr.arpa, nibbles for
/// ip6.arpa, the last of them being anything from `last_min` to `last_max`.
enum class Scope : std::uint8_t { home, nowhere, loopback };
struct ReverseZone {
    std::uint8_t count;
    std::array<std::uint8_t, 8> first;  // without the last
    std::uint8_t last_min;
    std::uint8_t last_max;
    Scope scope;
};

constexpr ReverseZone reverse_v4[] = {
    {1, {}, 0, 0, Scope::nowhere},                   // this network
    {1, {}, 10, 10, Scope::home},                    // RFC 1918
    {2, {172}, 16, 31, Scope::home},                 //
    {2, {192}, 168, 168, Scope::home},               //
    {2, {100}, 64, 127, Scope::home},                // RFC 6598, RFC 7793
    {1, {}, 127, 127, Scope::loopback},              //
    {2, {169}, 254, 254, Scope::nowhere},            // link-local: multicast DNS only
    {3, {192, 0}, 2, 2, Scope::home},                // documentation
    {3, {198, 51}, 100, 100, Scope::home},           //
    {3, {203, 0}, 113, 113, Scope::home},            //
    {4, {255, 255, 255}, 255, 255, Scope::nowhere},  // broadcast
};

constexpr ReverseZone reverse_v6[] = {
    {2, {0xf}, 0xc, 0xd, Scope::home},                      // unique local, RFC 4193
    {3, {0xf, 0xe}, 0x8, 0xb, Scope::nowhere},              // link-local
    {8, {2, 0, 0, 1, 0, 0xd, 0xb}, 0x8, 0x8, Scope::home},  // documentation, RFC 3849
    {5, {3, 0xf, 0xf, 0xf}, 0, 0, Scope::home},             // documentation, RFC 9637
};
constexpr std::size_t v6_nibbles = 32;

/// The number that a label of a reverse name stands for: "0" to "255", or one hexadecimal digit.
std::optional<std::uint8_t> element(std::string_view label, bool v6) {
    if (v6) {
        if (label.size() != 1) return std::nullopt;
        const char c = label[0];
        if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
        if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
        return std::nullopt;
    }
    if (label.empty() || label.size() > 3 || (label.size() > 1 && label[0] == '0'))
        return std::nullopt;
    int value = 0;
    for (char c : label) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    if (value > 255) return std::nullopt;
    return static_cast<std::uint8_t>(value);
}

/// The address's elements that a reverse name spells, most significant first.
struct Elements {
    std::array<std::uint8_t, v6_nibbles> value{};
    std::size_t count = 0;
    bool v6 = false;
};

Elements elements_of(const Labels& labels) {
    Elements found;
    found.v6 = labels[1] == "ip6";
    const std::size_t most = found.v6 ? v6_nibbles : 4;
    while (found.count < most) {
        const auto value = element(labels[found.count + 2], found.v6);
        if (!value) break;
        found.value[found.count++] = *value;
    }
    return found;
}

const ReverseZone* zone_of(const Elements& elements) {
    const auto holds = [&](const ReverseZone& zone) {
        if (elements.count < zone.count) return false;
        const std::size_t last = zone.count - 1u;
        return std::equal(zone.first.begin(),
                          zone.first.begin() + static_cast<std::ptrdiff_t>(last),
                          elements.value.begin()) &&
               elements.value[last] >= zone.last_min && elements.value[last] <= zone.last_max;
    };
    const std::span<const ReverseZone> zones =
        elements.v6 ? std::span<const ReverseZone>(reverse_v6) : std::span(reverse_v4);
    const auto found = std::find_if(zones.begin(), zones.end(), holds);
    return found == zones.end() ? nullptr : &*found;
}

Decision own(OwnAnswer answer, std::size_t zone_at, std::uint32_t ttl_s = ttl_fixed_s) {
    return {Source::own, answer, static_cast<std::uint8_t>(zone_at), ttl_s};
}

/// Where `zone` begins in a name of it; nothing for other names, and for no zone at all.
std::optional<std::size_t> begin_of(const Labels& labels, Bytes name, Bytes zone) {
    if (zone.empty() || zone.size() > name.size()) return std::nullopt;
    const std::size_t at = name.size() - zone.size();
    if (!equal(name.subspan(at), zone) || !labels.begins_label(at)) return std::nullopt;
    return at;
}

/// NXDOMAIN below the zone that begins at `zone_at`; the zone's own name exists.
Decision nothing_below(std::size_t zone_at, std::uint32_t ttl_s = ttl_fixed_s) {
    return own(zone_at == 0 ? OwnAnswer::no_data : OwnAnswer::no_name, zone_at, ttl_s);
}

/// 127.in-addr.arpa: 127.0.0.1 is localhost, what lies between it and the zone is empty.
Decision loopback_v4(const Labels& labels, const Elements& elements, std::uint16_t type) {
    constexpr std::array<std::uint8_t, 4> localhost{127, 0, 0, 1};
    const std::size_t zone_at = labels.at(3);
    const bool on_path = labels.count() == elements.count + 2 &&
                         std::equal(localhost.begin(),
                                    localhost.begin() + static_cast<std::ptrdiff_t>(elements.count),
                                    elements.value.begin());
    if (!on_path) return own(OwnAnswer::no_name, zone_at);
    const bool is_pointer = elements.count == 4 && type == dns::type::ptr;
    return own(is_pointer ? OwnAnswer::localhost : OwnAnswer::no_data, zone_at);
}

/// ::1 and ::, each a zone of one name.
std::optional<Decision> lone_v6(const Labels& labels, const Elements& elements,
                                std::uint16_t type) {
    if (!elements.v6 || elements.count != v6_nibbles) return std::nullopt;
    const auto is_zero = [](std::uint8_t nibble) { return nibble == 0; };
    const std::uint8_t last = elements.value.back();
    if (!std::all_of(elements.value.begin(), elements.value.end() - 1, is_zero) || last > 1)
        return std::nullopt;
    const std::size_t zone_at = labels.at(v6_nibbles + 2);
    if (zone_at == 0 && last == 1 && type == dns::type::ptr)
        return own(OwnAnswer::localhost, zone_at);
    return nothing_below(zone_at);
}

bool is_special_top(std::string_view label) {
    constexpr std::string_view special[] = {
        "invalid",  // RFC 6761 section 6.4
        "test",     // RFC 6761 section 6.2
        "onion",    // RFC 7686 section 2
        "alt",      // RFC 9476
        "local",    // RFC 6762 section 22.1
    };
    return std::find(std::begin(special), std::end(special), label) != std::end(special);
}

Buffer lower_case(const dns::Name& name) {
    Buffer wire(name.wire().begin(), name.wire().end());
    for (std::uint8_t& octet : wire) {
        if (octet >= 'A' && octet <= 'Z') octet = static_cast<std::uint8_t>(octet + ('a' - 'A'));
    }
    return wire;
}

Buffer rdata_of(const dns::Svcb& record) {
    Writer out;
    dns::write(out, record);
    return {out.view().begin(), out.view().end()};
}

// Writing.

constexpr std::uint16_t pointer_to_question = 0xc000 | dns::header_octets;

/// A record's beginning behind its owner, up to its data.
void begin_record(Writer& out, std::uint16_t type, std::uint32_t ttl_s) {
    out.u16(type);
    out.u16(dns::class_in);
    out.u32(ttl_s);
}

/// As above, the owner being a pointer.
void begin_record(Writer& out, std::uint16_t owner, std::uint16_t type, std::uint32_t ttl_s) {
    out.u16(owner);
    begin_record(out, type, ttl_s);
}

std::uint16_t type_of(const IpAddress& address) {
    return std::holds_alternative<Ipv4>(address) ? dns::type::a : dns::type::aaaa;
}

void write_data(Writer& out, const IpAddress& address) {
    out.counted_u16([&] { std::visit([&](const auto& ip) { out.bytes(ip); }, address); });
}

/// A record of the question's name.
void write_address(Writer& out, const IpAddress& address, std::uint32_t ttl_s) {
    begin_record(out, pointer_to_question, type_of(address), ttl_s);
    write_data(out, address);
}

/// A record of another name, told along.
void write_address(Writer& out, Bytes owner, const IpAddress& address, std::uint32_t ttl_s) {
    out.bytes(owner);
    begin_record(out, type_of(address), ttl_s);
    write_data(out, address);
}

const IpAddress loopback_addresses[] = {
    Ipv4{{127, 0, 0, 1}},
    Ipv6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
};

}  // namespace

Names::Names(const Settings& settings)
    : addresses_(settings.addresses),
      has_companion_(settings.companion.has_value()),
      application_dns_(settings.application_dns) {
    if (!settings.adn.is_root()) {
        constexpr std::string_view label("\4_dns", 5);
        adn_ = lower_case(settings.adn);
        for (const RebindingRules::Device& device : settings.rebinding.allow_devices)
            if (!device.id.empty()) devices_.push_back(device.id);
        discovered_.assign(label.begin(), label.end());
        discovered_.insert(discovered_.end(), adn_.begin(), adn_.end());
        for (const Designations& told : settings.designations) {
            Designated& one = designated_.emplace_back();
            one.link = link_name(told.link);
            for (const dns::Svcb& record : told.records) one.records.push_back(rdata_of(record));
            one.addresses = told.addresses;
        }
    }
    for (const dns::Name& domain : settings.local_domains)
        if (!domain.is_root()) local_domains_.push_back(lower_case(domain));
}

Decision Names::home(std::size_t zone_at, bool from_companion) const {
    if (has_companion_ && !from_companion) return {Source::companion};
    return nothing_below(zone_at, ttl_home_s);
}

Decision Names::decide(Bytes name, std::uint16_t type, bool from_companion) const {
    const Labels labels(name);
    if (labels.count() == 0) return {};
    if ((type == dns::type::a || type == dns::type::aaaa) && is_own(name))
        return own(OwnAnswer::addresses, 0, ttl_home_s);
    // Whose id it is nobody else hears, and nobody says that the name is not there.
    if (name.size() > adn_.size() && is_own(name))
        return own(OwnAnswer::no_data, labels.at(labels.count() - 1), ttl_home_s);
    if (equal(name, adn_) && type == dns::type::resinfo) return own(OwnAnswer::information, 0);
    if (labels[0] == "localhost") {
        const bool has_data = type == dns::type::a || type == dns::type::aaaa;
        return own(has_data ? OwnAnswer::loopback : OwnAnswer::no_data, labels.at(1));
    }
    if (const auto at = begin_of(labels, name, discovered_)) {
        const bool is_asked = *at == 0 && type == dns::type::svcb;
        return is_asked ? own(OwnAnswer::designations, 0, ttl_designation_s)
                        : nothing_below(*at, ttl_designation_s);
    }
    // Of the zone above: a name with an SOA of its own would exist.
    if (!application_dns_ && equal(name, bytes_of(application_dns)))
        return own(OwnAnswer::no_name, labels.at(1), ttl_home_s);
    for (const Buffer& domain : local_domains_)
        if (const auto at = begin_of(labels, name, domain)) return home(*at, from_companion);
    if (labels[0] == "arpa") return infrastructure(name, type, from_companion);
    if (is_special_top(labels[0])) return own(OwnAnswer::no_name, labels.at(0));
    if (labels.count() == 1 && type != dns::type::ds && type != type_dnskey) {
        if (has_companion_ && !from_companion) return {Source::companion};
        return own(OwnAnswer::no_name, labels.at(0), ttl_home_s);
    }
    return {};
}

Decision Names::infrastructure(Bytes name, std::uint16_t type, bool from_companion) const {
    const Labels labels(name);
    // The DS of a name belongs to its parent, whose real, insecure delegation a validator needs.
    const bool is_parents = labels.count() == 2 && type == dns::type::ds;
    if (labels[1] == "home") return is_parents ? Decision{} : home(labels.at(2), from_companion);
    if (labels[1] == "service") return nothing_below(labels.at(2));
    if (labels[1] == "resolver") {
        if (labels.count() == 2 && type == dns::type::resinfo && !adn_.empty())
            return own(OwnAnswer::information, 0);
        const bool is_asked = labels.count() == 3 && labels[2] == "_dns" && type == dns::type::svcb;
        return is_asked ? own(OwnAnswer::designations, labels.at(2), ttl_designation_s)
                        : own(OwnAnswer::no_data, labels.at(2));
    }
    if (labels[1] != "in-addr" && labels[1] != "ip6") return {};

    const Elements elements = elements_of(labels);
    if (const auto lone = lone_v6(labels, elements, type)) return *lone;
    const ReverseZone* zone = zone_of(elements);
    if (zone == nullptr) return {};
    const std::size_t zone_at = labels.at(zone->count + 2u);
    if (zone->scope == Scope::loopback) return loopback_v4(labels, elements, type);
    return zone->scope == Scope::home ? home(zone_at, from_companion) : nothing_below(zone_at);
}

/// A device that says its id by the name that it asks TLS for has to find that name.
bool Names::is_own(Bytes name) const {
    if (adn_.empty()) return false;
    if (name.size() <= adn_.size()) return equal(name, adn_);
    const std::size_t label = name[0];
    if (name.size() != 1 + label + adn_.size() || !equal(name.subspan(1 + label), adn_))
        return false;
    return std::ranges::any_of(devices_, [&](const std::string& device) {
        return same_device(device, text_of(name.subspan(1, label)));
    });
}

const Names::Designated* Names::designated(const LinkName& link) const {
    const auto found = std::find_if(designated_.begin(), designated_.end(),
                                    [&](const Designated& one) { return one.link == link; });
    return found == designated_.end() ? nullptr : &*found;
}

void Names::write(Writer& out, Bytes name, std::uint16_t type, const Decision& decision,
                  const LinkName& link) const {
    const std::size_t start = out.size();
    std::uint16_t flags = dns::flag::response | dns::flag::authoritative |
                          dns::flag::recursion_desired | dns::flag::recursion_available;
    if (decision.own == OwnAnswer::no_name) flags |= dns::rcode::no_name;
    out.u16(0);
    out.u16(flags);
    out.u16(1);
    out.zeros(6);
    out.bytes(name);
    out.u16(type);
    out.u16(dns::class_in);

    std::size_t answers = 0;
    std::size_t additional = 0;
    const auto write_addresses = [&](std::span<const IpAddress> addresses) {
        for (const IpAddress& address : addresses) {
            if (type_of(address) != type) continue;
            write_address(out, address, decision.ttl_s);
            ++answers;
        }
    };
    if (decision.own == OwnAnswer::loopback) write_addresses(loopback_addresses);
    if (decision.own == OwnAnswer::addresses) write_addresses(addresses_);
    if (decision.own == OwnAnswer::localhost) {
        begin_record(out, pointer_to_question, dns::type::ptr, decision.ttl_s);
        out.counted_u16([&] { out.text(std::string_view("\11localhost\0", 11)); });
        ++answers;
    }
    if (decision.own == OwnAnswer::information) {
        begin_record(out, pointer_to_question, dns::type::resinfo, decision.ttl_s);
        out.counted_u16([&] { out.counted_u8([&] { out.text(extended_errors); }); });
        ++answers;
    }
    const Designated* told = decision.own == OwnAnswer::designations ? designated(link) : nullptr;
    if (told != nullptr && !told->records.empty()) {
        for (const Buffer& record : told->records) {
            begin_record(out, pointer_to_question, dns::type::svcb, decision.ttl_s);
            out.counted_u16([&] { out.bytes(record); });
        }
        // RFC 9462 section 4: they spare the host a question.
        for (const IpAddress& address : told->addresses)
            write_address(out, adn_, address, decision.ttl_s);
        answers = told->records.size();
        additional = told->addresses.size();
    }
    if (answers == 0) {
        const bool is_root = decision.zone_at + 1u == name.size();
        const auto pointer = static_cast<std::uint16_t>(pointer_to_question + decision.zone_at);
        dns::write_soa(out, is_root ? dns::root_zone : pointer, decision.ttl_s);
    }
    out.patch_u16(start + 6, answers);
    out.patch_u16(start + 8, answers == 0 ? 1 : 0);
    out.patch_u16(start + 10, additional);
}

}  // namespace porchlight::forwarder
