#include "agent/config.h"

#include <algorithm>

#include "agent/config_build.h"
#include "agent/config_check.h"
#include "agent/config_json.h"

namespace porchlight::agent {
namespace {

/// Complaints quote keys and values as the file has them; a terminal gets no control character.
std::string printable(std::string_view text) {
    std::string safe;
    for (char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet >= ' ' && octet < 0x7f)
            safe += c;
        else
            safe += "\\x" + to_hex(Bytes(&octet, 1));
    }
    return safe;
}

bool is_blank(std::uint8_t octet) {
    return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

}  // namespace

std::vector<std::uint16_t> ports(const ResolverConfig& resolver) {
    std::vector<std::uint16_t> ports{resolver.dot.port};
    for (const DohConfig& doh : resolver.doh)
        if (std::find(ports.begin(), ports.end(), doh.port) == ports.end())
            ports.push_back(doh.port);
    return ports;
}

std::string to_text(const Complaint& complaint) {
    const std::string place = complaint.pointer.empty() ? "" : "#" + complaint.pointer;
    return printable(complaint.file + place + ": " + complaint.text);
}

ConfigResult parse_config(std::string_view file_name, Bytes json) {
    config::Parsed parsed = config::read_json(file_name, json);
    if (!parsed.value) return {std::nullopt, std::move(parsed.complaints)};
    std::vector<Complaint> complaints = config::check(file_name, *parsed.value);
    if (!complaints.empty()) return {std::nullopt, std::move(complaints)};
    Config config = config::build(config::complete(*parsed.value));
    complaints = config::rules(file_name, config);
    if (!complaints.empty()) return {std::nullopt, std::move(complaints)};
    return {std::move(config), {}};
}

ConfigResult load_config(const std::string& path, Storage& storage) {
    const Result<Buffer> json = storage.read(path);
    if (!json) return {std::nullopt, {{path, "", json.error().message}}};
    return parse_config(path, *json);
}

Result<Secrets> read_secrets(const Config& config, Storage& storage) {
    Secrets secrets;
    if (!config.certificate.acme) return secrets;
    const std::string& path = config.certificate.acme->update.tsig.secret.path;
    Result<Buffer> octets = storage.read(path);
    if (!octets) return octets.error().within(tsig_secret_pointer);
    while (!octets->empty() && is_blank(octets->back())) octets->pop_back();
    if (octets->empty())
        return Error{Errc::malformed, std::string(tsig_secret_pointer) + ": " + path + " is empty"};
    secrets.emplace_back(tsig_secret_pointer, std::move(*octets));
    return secrets;
}

}  // namespace porchlight::agent
