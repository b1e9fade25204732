#include "agent/keeper_protocol.h"

namespace porchlight::agent {
namespace {

void write_bytes(Writer& out, Bytes bytes) {
    out.counted_u32([&] { out.bytes(bytes); });
}

void write_text(Writer& out, std::string_view text) {
    write_bytes(out, bytes_of(text));
}

Buffer read_bytes(Reader& in) {
    const Bytes bytes = in.bytes(in.u32());
    return {bytes.begin(), bytes.end()};
}

std::string read_text(Reader& in) {
    return std::string(text_of(in.bytes(in.u32())));
}

/// A list is a part of its own, so that a damaged count can't make the loop run long.
template <class Item, class WriteItem>
void write_list(Writer& out, const std::vector<Item>& items, WriteItem write_item) {
    out.counted_u32([&] {
        for (const Item& item : items) write_item(item);
    });
}

template <class Item, class ReadItem>
std::vector<Item> read_list(Reader& in, ReadItem read_item) {
    std::vector<Item> items;
    in.counted_u32([&](Reader& part) {
        while (!part.empty()) items.push_back(read_item(part));
    });
    return items;
}

void write_part(Writer& out, const std::pair<std::string, Buffer>& part) {
    write_text(out, part.first);
    write_bytes(out, part.second);
}

std::pair<std::string, Buffer> read_part(Reader& in) {
    std::string name = read_text(in);
    return {std::move(name), read_bytes(in)};
}

void write_certificate(Writer& out, const StoredCertificate& certificate) {
    write_text(out, certificate.origin);
    write_bytes(out, certificate.chain_pem);
    write_bytes(out, certificate.key_pem);
    write_bytes(out, certificate.metadata);
}

StoredCertificate read_certificate(Reader& in) {
    StoredCertificate certificate;
    certificate.origin = read_text(in);
    certificate.chain_pem = read_bytes(in);
    certificate.key_pem = read_bytes(in);
    certificate.metadata = read_bytes(in);
    return certificate;
}

}  // namespace

void write(Writer& out, const World& world) {
    write_text(out, world.config_file);
    write_bytes(out, world.config_json);
    write_list(out, world.secrets, [&](const auto& secret) { write_part(out, secret); });
    write_bytes(out, world.roots_pem);
    write_bytes(out, world.acme_roots_pem);
    write_list(out, world.certificates, [&](const auto& one) { write_certificate(out, one); });
    write_bytes(out, world.account);
    write_bytes(out, world.schedule);
    write_bytes(out, world.announced);
    write_list(out, world.cannot, [&](const std::string& what) { write_text(out, what); });
}

Result<World> parse_world(Bytes message) {
    Reader in(message);
    World world;
    world.config_file = read_text(in);
    world.config_json = read_bytes(in);
    world.secrets = read_list<std::pair<std::string, Buffer>>(in, read_part);
    world.roots_pem = read_bytes(in);
    world.acme_roots_pem = read_bytes(in);
    world.certificates = read_list<StoredCertificate>(in, read_certificate);
    world.account = read_bytes(in);
    world.schedule = read_bytes(in);
    world.announced = read_bytes(in);
    world.cannot = read_list<std::string>(in, read_text);
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
    write_text(out, processes.dnsmasq_trouble);
    out.u8(processes.firewall);
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
    processes.dnsmasq_trouble = read_text(in);
    processes.firewall = in.u8() != 0;
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
    write_list(out, names, [&](const std::string& name) { write_text(out, name); });
}

Result<std::vector<std::string>> parse_names(Bytes message) {
    Reader in(message);
    std::vector<std::string> names = read_list<std::string>(in, read_text);
    if (!in.finished()) return in.error("a list of names");
    return names;
}

}  // namespace porchlight::agent
