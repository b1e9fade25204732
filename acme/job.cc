#include "acme/job.h"

#include "core/fields.h"
#include "core/reader.h"
#include "core/writer.h"

namespace porchlight::acme {
namespace {

constexpr std::uint8_t ipv4_family = 4;
constexpr std::uint8_t ipv6_family = 6;

void write_texts(Writer& out, const std::vector<std::string>& texts) {
    write_list(out, texts, [&](const std::string& text) { write_field(out, text); });
}

std::vector<std::string> read_texts(Reader& in) {
    return read_list<std::string>(in, read_text_field);
}

void write_octets(Writer& out, const Buffer& octets) {
    write_field(out, Bytes(octets));
}

void write_endpoint(Writer& out, const Endpoint& endpoint) {
    if (const auto* v4 = std::get_if<Ipv4>(&endpoint.address)) {
        out.u8(ipv4_family);
        out.bytes(*v4);
    } else {
        out.u8(ipv6_family);
        out.bytes(std::get<Ipv6>(endpoint.address));
    }
    out.u16(endpoint.port);
    out.u32(endpoint.scope);
}

template <class Address>
Address read_address(Reader& in) {
    Address address;
    for (std::uint8_t& octet : address.octets) octet = in.u8();
    return address;
}

Endpoint read_endpoint(Reader& in) {
    Endpoint endpoint;
    const std::uint8_t family = in.u8();
    if (family == ipv4_family)
        endpoint.address = read_address<Ipv4>(in);
    else if (family == ipv6_family)
        endpoint.address = read_address<Ipv6>(in);
    else
        in.fail("has an address of no family");
    endpoint.port = in.u16();
    endpoint.scope = in.u32();
    return endpoint;
}

void write_update(Writer& out, const DnsUpdate& update) {
    write_endpoint(out, update.server);
    dns::write(out, update.zone);
    dns::write(out, update.key.name);
    write_field(out, update.key.algorithm);
    write_octets(out, update.key.secret);
    out.u64(static_cast<std::uint64_t>(update.propagation_wait.count()));
}

DnsUpdate read_update(Reader& in) {
    DnsUpdate update;
    update.server = read_endpoint(in);
    update.zone = dns::read_name(in);
    update.key.name = dns::read_name(in);
    update.key.algorithm = read_text_field(in);
    update.key.secret = read_octets_field(in);
    update.propagation_wait = std::chrono::milliseconds(static_cast<std::int64_t>(in.u64()));
    return update;
}

}  // namespace

void write(Writer& out, const Bootstrap& bootstrap) {
    dns::write(out, bootstrap.adn);
    write_list(out, bootstrap.addresses, [&](const Endpoint& one) { write_endpoint(out, one); });
}

Bootstrap read_bootstrap(Reader& in) {
    Bootstrap bootstrap;
    bootstrap.adn = dns::read_name(in);
    bootstrap.addresses = read_list<Endpoint>(in, read_endpoint);
    return bootstrap;
}

void write(Writer& out, const Job& job) {
    write_texts(out, job.directories);
    write_texts(out, job.contacts);
    out.u8(job.terms_agreed ? 1 : 0);
    write_list(out, job.names, [&](const dns::Name& name) { dns::write(out, name); });
    write_update(out, job.update);
    write_octets(out, job.roots_pem);
    write_list(out, job.resolvers, [&](const Bootstrap& one) { write(out, one); });
    write_octets(out, job.upstream_roots_pem);
    out.u8(job.account_key_pem ? 1 : 0);
    if (job.account_key_pem) write_octets(out, *job.account_key_pem);
    write_field(out, job.account_url);
    write_field(out, job.account_directory);
    out.u8(job.dates_count ? 1 : 0);
}

Result<Job> parse_job(Bytes message) {
    Reader in(message);
    Job job;
    job.directories = read_texts(in);
    job.contacts = read_texts(in);
    job.terms_agreed = in.u8() != 0;
    job.names = read_list<dns::Name>(in, dns::read_name);
    job.update = read_update(in);
    job.roots_pem = read_octets_field(in);
    job.resolvers = read_list<Bootstrap>(in, read_bootstrap);
    job.upstream_roots_pem = read_octets_field(in);
    if (in.u8() != 0) job.account_key_pem = read_octets_field(in);
    job.account_url = read_text_field(in);
    job.account_directory = read_text_field(in);
    job.dates_count = in.u8() != 0;
    if (!in.finished()) return in.error("certificate job");
    return job;
}

void write(Writer& out, const Outcome& outcome) {
    write_field(out, outcome.directory);
    write_octets(out, outcome.account_key_pem);
    write_field(out, outcome.account_url);
    write_octets(out, outcome.chain_pem);
    write_octets(out, outcome.key_pem);
    write_field(out, outcome.error_code);
    write_field(out, outcome.error);
    out.u64(static_cast<std::uint64_t>(outcome.retry_after.count()));
}

Result<Outcome> parse_outcome(Bytes message) {
    Reader in(message);
    Outcome outcome;
    outcome.directory = read_text_field(in);
    outcome.account_key_pem = read_octets_field(in);
    outcome.account_url = read_text_field(in);
    outcome.chain_pem = read_octets_field(in);
    outcome.key_pem = read_octets_field(in);
    outcome.error_code = read_text_field(in);
    outcome.error = read_text_field(in);
    outcome.retry_after = std::chrono::seconds(static_cast<std::int64_t>(in.u64()));
    if (!in.finished()) return in.error("certificate outcome");
    return outcome;
}

}  // namespace porchlight::acme
