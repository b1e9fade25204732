#include "agent/keeper_protocol.h"

#include "core/fields.h"

namespace porchlight::agent {
namespace {

void write_part(Writer& out, const std::pair<std::string, Buffer>& part) {
    write_field(out, part.first);
    write_field(out, part.second);
}

std::pair<std::string, Buffer> read_part(Reader& in) {
    std::string name = read_text_field(in);
    return {std::move(name), read_octets_field(in)};
}

void write_certificate(Writer& out, const StoredCertificate& certificate) {
    write_field(out, certificate.origin);
    write_field(out, certificate.chain_pem);
    write_field(out, certificate.key_pem);
}

StoredCertificate read_certificate(Reader& in) {
    StoredCertificate certificate;
    certificate.origin = read_text_field(in);
    certificate.chain_pem = read_octets_field(in);
    certificate.key_pem = read_octets_field(in);
    return certificate;
}

}  // namespace

void write(Writer& out, const World& world) {
    write_field(out, world.config_file);
    write_field(out, world.config_json);
    write_list(out, world.secrets, [&](const auto& secret) { write_part(out, secret); });
    write_field(out, world.roots_pem);
    write_field(out, world.acme_roots_pem);
    write_list(out, world.certificates, [&](const auto& one) { write_certificate(out, one); });
    write_field(out, world.account);
    write_field(out, world.schedule);
    write_field(out, world.announced);
    write_field(out, world.prefixes);
    write_field(out, world.dhcp_options);
    write_field(out, world.odhcpd);
    write_field(out, world.upstreams);
    write(out, world.wan);
    out.u8(world.found.odhcpd);
}

Result<World> parse_world(Bytes message) {
    Reader in(message);
    World world;
    world.config_file = read_text_field(in);
    world.config_json = read_octets_field(in);
    world.secrets = read_list<std::pair<std::string, Buffer>>(in, read_part);
    world.roots_pem = read_octets_field(in);
    world.acme_roots_pem = read_octets_field(in);
    world.certificates = read_list<StoredCertificate>(in, read_certificate);
    world.account = read_octets_field(in);
    world.schedule = read_octets_field(in);
    world.announced = read_octets_field(in);
    world.prefixes = read_octets_field(in);
    world.dhcp_options = read_octets_field(in);
    world.odhcpd = read_octets_field(in);
    world.upstreams = read_octets_field(in);
    world.wan = read_list<std::pair<std::string, Buffer>>(in, read_part);
    world.found.odhcpd = in.u8() != 0;
    if (!in.finished()) return in.error("the keeper's facts");
    return world;
}

void write(Writer& out, const Processes& processes) {
    out.u32(processes.keeper);
    out.u32(processes.agent);
    out.u32(processes.forwarder);
    out.u32(processes.forwarder_starts);
    out.u32(processes.agent_starts);
    out.u8(processes.dnsmasq_found);
    write_field(out, processes.dnsmasq_trouble);
    out.u8(processes.firewall);
    write_field(out, processes.odhcpd_trouble);
    write_list(out, processes.troubles, [&](const std::string& line) { write_field(out, line); });
    out.u8(processes.blocks_rogues);
    out.u8(processes.validates_sources);
    for (const std::uint64_t count : processes.dropped.blocked.counts) out.u64(count);
    out.u64(processes.dropped.forged);
    out.u8(processes.reload_refused);
}

Result<Processes> parse_processes(Bytes message) {
    Reader in(message);
    Processes processes;
    processes.keeper = in.u32();
    processes.agent = in.u32();
    processes.forwarder = in.u32();
    processes.forwarder_starts = in.u32();
    processes.agent_starts = in.u32();
    processes.dnsmasq_found = in.u8() != 0;
    processes.dnsmasq_trouble = read_text_field(in);
    processes.firewall = in.u8() != 0;
    processes.odhcpd_trouble = read_text_field(in);
    processes.troubles = read_list<std::string>(in, read_text_field);
    processes.blocks_rogues = in.u8() != 0;
    processes.validates_sources = in.u8() != 0;
    for (std::uint64_t& count : processes.dropped.blocked.counts) count = in.u64();
    processes.dropped.forged = in.u64();
    processes.reload_refused = in.u8() != 0;
    if (!in.finished()) return in.error("the keeper's processes");
    return processes;
}

void write(Writer& out, const StoredParts& parts) {
    write_list(out, parts, [&](const auto& part) { write_part(out, part); });
}

Result<StoredParts> parse_stored_parts(Bytes message) {
    Reader in(message);
    StoredParts parts = read_list<std::pair<std::string, Buffer>>(in, read_part);
    if (!in.finished()) return in.error("parts to store");
    return parts;
}

void write(Writer& out, const std::vector<std::string>& names) {
    write_list(out, names, [&](const std::string& name) { write_field(out, name); });
}

Result<std::vector<std::string>> parse_names(Bytes message) {
    Reader in(message);
    std::vector<std::string> names = read_list<std::string>(in, read_text_field);
    if (!in.finished()) return in.error("a list of names");
    return names;
}

}  // namespace porchlight::agent
