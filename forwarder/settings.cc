#include "forwarder/settings.h"

#include <algorithm>

#include "core/address_field.h"
#include "core/fields.h"

// Each type's write and read stand side by side; both list its members in the order of the header.

namespace porchlight::forwarder {
namespace {

template <class T, class WriteItem>
void write_optional(Writer& out, const std::optional<T>& value, WriteItem write_item) {
    out.u8(value.has_value());
    if (value) write_item(*value);
}

template <class ReadItem>
auto read_optional(Reader& in, ReadItem read_item) -> std::optional<decltype(read_item(in))> {
    if (in.u8() == 0) return std::nullopt;
    return read_item(in);
}

void write_endpoint(Writer& out, const Endpoint& endpoint) {
    write_address(out, endpoint.address);
    out.u16(endpoint.port);
    out.u32(endpoint.scope);
}

Endpoint read_endpoint(Reader& in) {
    Endpoint endpoint;
    endpoint.address = read_address(in);
    endpoint.port = in.u16();
    endpoint.scope = in.u32();
    return endpoint;
}

void write_identity(Writer& out, const TlsIdentity& identity) {
    write_field(out, identity.chain_pem);
    write_field(out, identity.key_pem);
    write_field(out, identity.staple_der);
}

TlsIdentity read_identity(Reader& in) {
    TlsIdentity identity;
    identity.chain_pem = read_octets_field(in);
    identity.key_pem = read_octets_field(in);
    identity.staple_der = read_octets_field(in);
    return identity;
}

/// In the order of net::ServerIdentity.
enum class Proof : std::uint8_t { name, address, nothing };

void write_server_identity(Writer& out, const net::ServerIdentity& identity) {
    out.u8(static_cast<std::uint8_t>(identity.index()));
    if (const auto* name = std::get_if<std::string>(&identity)) write_field(out, bytes_of(*name));
    if (const auto* address = std::get_if<IpAddress>(&identity)) write_address(out, *address);
}

net::ServerIdentity read_server_identity(Reader& in) {
    switch (static_cast<Proof>(in.u8())) {
        case Proof::name:
            return read_text_field(in);
        case Proof::address:
            return read_address(in);
        case Proof::nothing:
            return net::Unauthenticated{};
    }
    in.fail("has a proof of an unknown kind");
    return {};
}

void write_upstream(Writer& out, const UpstreamSettings& upstream) {
    dns::write(out, upstream.adn);
    write_list(out, upstream.addresses, [&](const Endpoint& one) { write_endpoint(out, one); });
    write_optional(out, upstream.designated,
                   [&](const net::ServerIdentity& one) { write_server_identity(out, one); });
    out.u8(upstream.validates);
}

UpstreamSettings read_upstream(Reader& in) {
    UpstreamSettings upstream;
    upstream.adn = dns::read_name(in);
    upstream.addresses = read_list<Endpoint>(in, read_endpoint);
    upstream.designated = read_optional(in, read_server_identity);
    upstream.validates = in.u8() != 0;
    return upstream;
}

void write_svcb(Writer& out, const dns::Svcb& svcb) {
    out.counted_u32([&] { dns::write(out, svcb); });
}

dns::Svcb read_svcb(Reader& in) {
    Result<dns::Svcb> svcb = dns::parse_svcb(in.bytes(in.u32()));
    if (svcb) return *std::move(svcb);
    in.fail("has a designation that can't be read");
    return {};
}

void write_designations(Writer& out, const Designations& told) {
    write_field(out, told.link);
    write_list(out, told.records, [&](const dns::Svcb& one) { write_svcb(out, one); });
    write_list(out, told.addresses, [&](const IpAddress& one) { write_address(out, one); });
}

Designations read_designations(Reader& in) {
    Designations told;
    told.link = read_text_field(in);
    told.records = read_list<dns::Svcb>(in, read_svcb);
    told.addresses = read_list<IpAddress>(in, read_address);
    return told;
}

void write_device(Writer& out, const RebindingRules::Device& device) {
    write_optional(out, device.mac, [&](const net::MacAddress& mac) { out.bytes(mac.octets); });
    write_list(out, device.domains, [&](const dns::Name& one) { dns::write(out, one); });
    write_field(out, device.id);
}

net::MacAddress read_mac(Reader& in) {
    net::MacAddress mac;
    std::ranges::copy(in.bytes(mac.octets.size()), mac.octets.begin());
    return mac;
}

RebindingRules::Device read_device(Reader& in) {
    RebindingRules::Device device;
    device.mac = read_optional(in, read_mac);
    device.domains = read_list<dns::Name>(in, dns::read_name);
    device.id = read_text_field(in);
    return device;
}

void write_nat64_prefix(Writer& out, const net::Nat64Prefix& prefix) {
    out.bytes(prefix.address);
    out.u8(prefix.bits);
}

net::Nat64Prefix read_nat64_prefix(Reader& in) {
    net::Nat64Prefix prefix;
    prefix.address = read_address_octets<Ipv6>(in);
    prefix.bits = in.u8();
    if (!net::is_nat64_length(prefix.bits)) in.fail("has a NAT64 prefix of no legal length");
    return prefix;
}

void write_rebinding(Writer& out, const RebindingRules& rules) {
    out.u8(rules.block);
    write_list(out, rules.allow_domains, [&](const dns::Name& one) { dns::write(out, one); });
    write_list(out, rules.nat64_prefixes, [&](const auto& one) { write_nat64_prefix(out, one); });
    write_list(out, rules.allow_devices, [&](const auto& one) { write_device(out, one); });
}

RebindingRules read_rebinding(Reader& in) {
    RebindingRules rules;
    rules.block = in.u8() != 0;
    rules.allow_domains = read_list<dns::Name>(in, dns::read_name);
    rules.nat64_prefixes = read_list<net::Nat64Prefix>(in, read_nat64_prefix);
    rules.allow_devices = read_list<RebindingRules::Device>(in, read_device);
    return rules;
}

void write_seconds(Writer& out, std::chrono::seconds value) {
    out.u64(static_cast<std::uint64_t>(value.count()));
}

std::chrono::seconds read_seconds(Reader& in) {
    return std::chrono::seconds(static_cast<std::int64_t>(in.u64()));
}

void write_stale(Writer& out, const StaleSettings& stale) {
    write_seconds(out, stale.max);
    out.u64(static_cast<std::uint64_t>(stale.client_timer.count()));
    write_seconds(out, stale.recheck);
    write_seconds(out, stale.ttl);
}

StaleSettings read_stale(Reader& in) {
    StaleSettings stale;
    stale.max = read_seconds(in);
    stale.client_timer = std::chrono::milliseconds(static_cast<std::int64_t>(in.u64()));
    stale.recheck = read_seconds(in);
    stale.ttl = read_seconds(in);
    return stale;
}

void write_query_log(Writer& out, const QueryLogSettings& log) {
    out.u8(static_cast<std::uint8_t>(log.level));
    out.u64(log.bytes_max);
    write_seconds(out, log.kept_for);
}

QueryLogSettings read_query_log(Reader& in) {
    using Level = QueryLogSettings::Level;
    QueryLogSettings log;
    const std::uint8_t level = in.u8();
    if (level > static_cast<std::uint8_t>(Level::full)) in.fail("has an unknown level");
    log.level = static_cast<Level>(level);
    log.bytes_max = in.u64();
    log.kept_for = read_seconds(in);
    return log;
}

/// Visits every member of Limits in one order, for writing and for reading.
template <class SomeLimits, class Visit>
void each_limit(SomeLimits& limits, Visit visit) {
    visit(limits.memory_bytes_max);
    visit(limits.connections_max);
    visit(limits.connections_per_client_max);
    visit(limits.in_flight_per_connection_max);
    visit(limits.streams_per_connection_max);
    visit(limits.hpack_table_bytes);
    visit(limits.in_flight_max);
    visit(limits.waiters_per_question_max);
    visit(limits.queries_per_client_second);
    visit(limits.queries_per_client_burst);
    visit(limits.output_bytes_max);
    visit(limits.doh_bodies_bytes_max);
    visit(limits.connections_per_prefix_max);
    visit(limits.queries_per_prefix_second);
    visit(limits.do53_queries_per_second);
    visit(limits.do53_queries_burst);
    visit(limits.in_flight_per_client_max);
    visit(limits.in_flight_per_prefix_max);
    visit(limits.full_handshakes_per_client_second);
    visit(limits.full_handshakes_per_client_burst);
    visit(limits.full_handshakes_per_prefix_second);
    visit(limits.resumed_handshakes_per_client_second);
    visit(limits.resumed_handshakes_per_client_burst);
    visit(limits.resumed_handshakes_per_prefix_second);
    visit(limits.unfinished_per_client_max);
    visit(limits.unfinished_per_prefix_max);
    visit(limits.unfinished_max);
    visit(limits.handshake_cpu_share_percent);
    visit(limits.handshake_cpu_burst);
    visit(limits.handshake_max);
    visit(limits.frame_max);
    visit(limits.idle_max);
    visit(limits.doh_idle_max);
    visit(limits.stalled_max);
    visit(limits.query_max);
    visit(limits.leaving_max);
    visit(limits.ticket_lifetime);
    visit(limits.ticket_rotation);
}

struct WriteLimit {
    Writer& out;
    void operator()(std::uint32_t count) { out.u64(count); }
    void operator()(std::uint64_t octets) { out.u64(octets); }
    void operator()(std::chrono::milliseconds time) {
        out.u64(static_cast<std::uint64_t>(time.count()));
    }
};

struct ReadLimit {
    Reader& in;
    void operator()(std::uint32_t& count) {
        const std::uint64_t value = in.u64();
        if (value > UINT32_MAX) in.fail("has a limit above 32 bits");
        count = static_cast<std::uint32_t>(value);
    }
    void operator()(std::uint64_t& octets) { octets = in.u64(); }
    void operator()(std::chrono::milliseconds& time) {
        time = std::chrono::milliseconds(static_cast<std::int64_t>(in.u64()));
    }
};

void write_upstream_state(Writer& out, const UpstreamState& state) {
    dns::write(out, state.adn);
    write_endpoint(out, state.address);
    out.u8(state.reachable);
    write_field(out, state.last_error);
    out.u64(state.queries);
    out.u64(state.failures);
    out.u32(state.round_trip_us);
}

UpstreamState read_upstream_state(Reader& in) {
    UpstreamState state;
    state.adn = dns::read_name(in);
    state.address = read_endpoint(in);
    state.reachable = in.u8() != 0;
    state.last_error = read_text_field(in);
    state.queries = in.u64();
    state.failures = in.u64();
    state.round_trip_us = in.u32();
    return state;
}

void write_counter(Writer& out, const Counter& counter) {
    write_field(out, counter.name);
    out.u64(counter.value);
}

Counter read_counter(Reader& in) {
    Counter counter;
    counter.name = read_text_field(in);
    counter.value = in.u64();
    return counter;
}

void write_ban(Writer& out, const Ban& ban) {
    write_field(out, ban.client);
    write_seconds(out, ban.left);
}

Ban read_ban(Reader& in) {
    Ban ban;
    ban.client = read_text_field(in);
    ban.left = read_seconds(in);
    return ban;
}

}  // namespace

void write(Writer& out, const std::vector<UpstreamSettings>& upstreams) {
    write_list(out, upstreams, [&](const UpstreamSettings& one) { write_upstream(out, one); });
}

Result<std::vector<UpstreamSettings>> parse_upstreams(Bytes octets) {
    Reader in(octets);
    auto upstreams = read_list<UpstreamSettings>(in, read_upstream);
    if (!in.finished()) return in.error("upstreams");
    return upstreams;
}

void write(Writer& out, const Settings& settings) {
    write_optional(out, settings.identity, [&](const auto& one) { write_identity(out, one); });
    write_list(out, settings.upstreams, [&](const auto& one) { write_upstream(out, one); });
    write_field(out, settings.roots_pem);
    write_field(out, settings.network);
    out.u8(settings.dates_count);
    write_optional(out, settings.companion, [&](const auto& one) { write_endpoint(out, one); });
    write_list(out, settings.local_domains, [&](const auto& one) { dns::write(out, one); });
    dns::write(out, settings.adn);
    write_list(out, settings.addresses, [&](const auto& one) { write_address(out, one); });
    write_list(out, settings.designations, [&](const auto& one) { write_designations(out, one); });
    write_list(out, settings.doh_paths, [&](const auto& one) { write_field(out, one); });
    out.u8(settings.doh_http1);
    write_rebinding(out, settings.rebinding);
    out.u64(settings.cache_bytes_max);
    write_seconds(out, settings.ttl_min);
    write_seconds(out, settings.ttl_max);
    write_seconds(out, settings.negative_ttl_max);
    write_stale(out, settings.stale);
    write_seconds(out, settings.failure_ttl);
    write_seconds(out, settings.failure_ttl_max);
    out.u8(settings.nxdomain_cut);
    write_query_log(out, settings.query_log);
    out.u8(settings.application_dns);
    each_limit(settings.limits, WriteLimit{out});
}

Result<Settings> parse_settings(Bytes message) {
    Reader in(message);
    Settings settings;
    settings.identity = read_optional(in, read_identity);
    settings.upstreams = read_list<UpstreamSettings>(in, read_upstream);
    settings.roots_pem = read_octets_field(in);
    settings.network = read_text_field(in);
    settings.dates_count = in.u8() != 0;
    settings.companion = read_optional(in, read_endpoint);
    settings.local_domains = read_list<dns::Name>(in, dns::read_name);
    settings.adn = dns::read_name(in);
    settings.addresses = read_list<IpAddress>(in, read_address);
    settings.designations = read_list<Designations>(in, read_designations);
    settings.doh_paths = read_list<std::string>(in, read_text_field);
    settings.doh_http1 = in.u8() != 0;
    settings.rebinding = read_rebinding(in);
    settings.cache_bytes_max = in.u64();
    settings.ttl_min = read_seconds(in);
    settings.ttl_max = read_seconds(in);
    settings.negative_ttl_max = read_seconds(in);
    settings.stale = read_stale(in);
    settings.failure_ttl = read_seconds(in);
    settings.failure_ttl_max = read_seconds(in);
    settings.nxdomain_cut = in.u8() != 0;
    settings.query_log = read_query_log(in);
    settings.application_dns = in.u8() != 0;
    each_limit(settings.limits, ReadLimit{in});
    if (!in.finished()) return in.error("the forwarder's settings");
    return settings;
}

void write(Writer& out, const Status& status) {
    out.u8(status.serving);
    write_list(out, status.upstreams, [&](const auto& one) { write_upstream_state(out, one); });
    write_list(out, status.counters, [&](const auto& one) { write_counter(out, one); });
    out.u64(status.cache_entries);
    out.u64(status.cache_octets);
    out.u32(status.dot_connections);
    out.u32(status.doh_connections);
    out.u64(status.connection_octets);
    out.u64(status.connection_octets_max);
    out.u32(status.handshakes_waiting);
    out.u32(status.clients_today);
    write_optional(out, status.since_last_dot_query, [&](auto age) { write_seconds(out, age); });
    write_list(out, status.bans, [&](const auto& one) { write_ban(out, one); });
}

Result<Status> parse_status(Bytes message) {
    Reader in(message);
    Status status;
    status.serving = in.u8() != 0;
    status.upstreams = read_list<UpstreamState>(in, read_upstream_state);
    status.counters = read_list<Counter>(in, read_counter);
    status.cache_entries = in.u64();
    status.cache_octets = in.u64();
    status.dot_connections = in.u32();
    status.doh_connections = in.u32();
    status.connection_octets = in.u64();
    status.connection_octets_max = in.u64();
    status.handshakes_waiting = in.u32();
    status.clients_today = in.u32();
    status.since_last_dot_query = read_optional(in, read_seconds);
    status.bans = read_list<Ban>(in, read_ban);
    if (!in.finished()) return in.error("the forwarder's status");
    return status;
}

}  // namespace porchlight::forwarder
