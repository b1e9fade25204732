#include "agent/state_files.h"

#include "acme/store.h"
#include "agent/former_run.h"
#include "agent/plan.h"

namespace porchlight::agent {
namespace {

constexpr unsigned owner_only = 0600;
/// Between the options, which are lines that dnsmasq reads, and the configuration.
constexpr std::string_view behind_options = "\n# told under\n";

/// A file that need not be there.
Buffer read_or_empty(Storage& storage, const std::string& path) {
    auto content = storage.read(path);
    return content ? std::move(*content) : Buffer();
}

Result<StoredCertificate> read_pair(const CertificateFiles& files, Storage& storage) {
    auto chain = storage.read(files.chain);
    if (!chain) return chain.error().within("certificate");
    auto key = storage.read(files.key);
    if (!key) return key.error().within("certificate");
    return StoredCertificate{files.chain, std::move(*chain), std::move(*key)};
}

std::vector<StoredCertificate> read_generations(const StatePaths& paths, Storage& storage) {
    std::vector<StoredCertificate> certificates;
    for (acme::Generation& one : acme::Store(storage, paths.certificates).load_generations())
        certificates.push_back({"generation " + std::to_string(one.number),
                                std::move(one.chain_pem), std::move(one.key_pem)});
    return certificates;
}

Buffer part(const StoredParts& parts, std::string_view name) {
    for (const auto& [its_name, octets] : parts)
        if (its_name == name) return octets;
    return {};
}

}  // namespace

std::string accepted_config(const std::string& state_directory) {
    return state_directory + "/config.json";
}

std::string control_socket(const std::string& runtime_directory) {
    return runtime_directory + "/control.sock";
}

StatePaths::StatePaths(const Config& config)
    : state(config.state_directory),
      runtime(config.runtime_directory),
      lock(runtime + "/lock"),
      control_socket(agent::control_socket(runtime)),
      empty_root(runtime + "/empty"),
      dnsmasq(runtime + "/dnsmasq"),
      accepted(accepted_config(state)),
      upstreams(runtime + "/upstreams"),
      announced(runtime + "/announced"),
      prefixes(state + "/prefixes"),
      dhcp_options(state + "/dhcp-options"),
      odhcpd(state + "/odhcpd"),
      certificates(state + "/certificates"),
      account(state + "/account"),
      schedule(state + "/schedule") {}

Result<World> read_named_files(const std::string& config_file, const Config& config,
                               Bytes config_json, Storage& storage) {
    World world;
    world.config_file = config_file;
    world.config_json.assign(config_json.begin(), config_json.end());
    auto secrets = read_secrets(config, storage);
    if (!secrets) return secrets.error();
    world.secrets = std::move(*secrets);
    if (asks_upstream(config)) {
        auto roots = storage.read(config.tls.roots);
        if (!roots) return roots.error().within("tls.roots");
        world.roots_pem = std::move(*roots);
    }
    if (config.certificate.acme) {
        auto roots = storage.read(config.certificate.acme->roots);
        if (!roots) return roots.error().within("certificate.acme.roots");
        world.acme_roots_pem = std::move(*roots);
    }
    if (config.certificate.files) {
        auto pair = read_pair(*config.certificate.files, storage);
        if (!pair) return pair.error();
        world.certificates.push_back(std::move(*pair));
    }
    return world;
}

World with_stored(World named, const Config& config, Storage& storage) {
    const StatePaths paths(config);
    if (config.certificate.acme) {
        named.certificates = read_generations(paths, storage);
        named.account = read_or_empty(storage, paths.account);
        named.schedule = read_or_empty(storage, paths.schedule);
    }
    named.upstreams = read_or_empty(storage, paths.upstreams);
    named.announced = read_or_empty(storage, paths.announced);
    named.prefixes = read_or_empty(storage, paths.prefixes);
    named.odhcpd = read_or_empty(storage, paths.odhcpd);
    return named;
}

Result<void> store_options(const StatePaths& paths, std::string_view options, Bytes config_json,
                           Storage& storage) {
    if (options.empty()) return storage.remove(paths.dhcp_options);
    std::string text(options);
    text.append(behind_options) += text_of(config_json);
    return storage.write_whole(paths.dhcp_options, bytes_of(text), owner_only);
}

std::string stored_options(const StatePaths& paths, Bytes config_json, Storage& storage) {
    const Buffer octets = read_or_empty(storage, paths.dhcp_options);
    const std::string_view text = text_of(octets);
    const std::size_t end = text.find(behind_options);
    if (end == text.npos) return "";
    const ConfigResult now = parse_config("", config_json);
    const ConfigResult then = parse_config("", bytes_of(text.substr(end + behind_options.size())));
    if (!now.config || !then.config || !tells_alike(*then.config, *now.config)) return "";
    return std::string(text.substr(0, end));
}

Result<void> store_generation(const StatePaths& paths, const StoredParts& parts, WallTime now,
                              Storage& storage) {
    acme::Generation generation;
    generation.chain_pem = part(parts, "chain.pem");
    generation.key_pem = part(parts, "key.pem");
    generation.directory = text_of(part(parts, "directory"));
    generation.issued = now;
    auto saved = acme::Store(storage, paths.certificates).save(generation);
    if (!saved) return saved.error();
    return {};
}

}  // namespace porchlight::agent
