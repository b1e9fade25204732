#include "agent/wan_record.h"

#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "agent/config_type.h"

namespace porchlight::agent {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::pair<std::string_view, OfferSource> sources[] = {
    {"user", OfferSource::user}, {"dhcpv4", OfferSource::dhcpv4}, {"dhcpv6", OfferSource::dhcpv6}};

Error no_record(const std::string& why) {
    return {Errc::malformed, "no record of a WAN: " + why};
}

/// An integer from 0 to `max`; the library alone would cut what is larger.
std::optional<std::uint32_t> number_in(const Json& value, std::uint32_t max) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > max) return std::nullopt;
    return value.get<std::uint32_t>();
}

/// What DHCP's options are made of, or why they are none.
std::optional<Error> read_options(const Json& json, WanRecord& record) {
    for (const Json& option : json.value("v4", Json::array())) {
        const auto code = number_in(option.at("code"), 255);
        auto data = octets_from_hex(option.at("data").get<std::string>());
        if (!code || !data) return no_record("v4 has an option that is none");
        record.v4.push_back({static_cast<std::uint8_t>(*code), *std::move(data)});
    }
    auto run = octets_from_hex(json.value("v6", ""));
    if (!run) return no_record("v6 has no hexadecimal digits");
    record.v6 = *std::move(run);
    return std::nullopt;
}

Result<WanRecord> read(const Json& json) {
    WanRecord record;
    record.interface = json.at("interface").get<std::string>();
    if (!config::is_interface(record.interface)) return no_record("its interface has no name");
    const auto source = parse_noted_source(json.at("source").get<std::string>());
    if (!source) return no_record("its source is unknown");
    record.source = *source;
    record.told_by = json.value("told_by", "");
    if (auto wrong = read_options(json, record)) return *std::move(wrong);
    if (json.contains("resolvers")) {
        auto resolvers = resolvers_from_json(json.at("resolvers").dump());
        if (!resolvers) return no_record(resolvers.error().message);
        record.resolvers = *std::move(resolvers);
    }
    constexpr std::uint32_t seconds_max = 0xffffffff;
    const auto received = number_in(json.at("received"), seconds_max);
    if (!received) return no_record("when it came is no number");
    record.received = std::chrono::seconds(*received);
    if (json.contains("lifetime")) {
        const auto lifetime = number_in(json.at("lifetime"), seconds_max);
        if (!lifetime) return no_record("its lifetime is no number");
        record.lifetime = std::chrono::seconds(*lifetime);
    }
    for (const Json& lease : json.value("leases", Json::array())) {
        const auto until = number_in(lease.at("until"), seconds_max);
        if (!until) return no_record("the end of a lease is no number");
        record.leases.push_back(
            {lease.at("name").get<std::string>(), std::chrono::seconds(*until)});
    }
    record.boot = json.at("boot").get<std::string>();
    return record;
}

}  // namespace

Boot this_boot() {
    Boot boot;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> boot.id;
    timespec age{};
    ::clock_gettime(CLOCK_BOOTTIME, &age);
    boot.age = std::chrono::seconds(age.tv_sec);
    return boot;
}

std::optional<std::string> why_not_an_offer(const std::vector<ResolverRecord>& resolvers) {
    for (std::size_t i = 0; i < resolvers.size(); ++i) {
        const ResolverRecord& one = resolvers[i];
        const std::string at = pointer("", i);
        if (!one.adn) return at + "/adn: missing; hosts authenticate the resolver by it";
        if (!one.templates.empty()) return at + "/templates: is of another form; use dohpath";
        if (!one.request.empty() || !one.request_of.empty()) return at + "/request: is no offer";
        const dns::EncryptedResolver resolver{one.priority.value_or(1), *one.adn, one.addresses,
                                              one.params};
        if (auto why = dns::why_not_sendable(resolver)) return at + ": " + *why;
    }
    return std::nullopt;
}

std::string_view name_of(OfferSource source) {
    for (const auto& [name, one] : sources)
        if (one == source) return name;
    return "ra";
}

std::optional<OfferSource> parse_noted_source(std::string_view text) {
    for (const auto& [name, one] : sources)
        if (name == text) return one;
    return std::nullopt;
}

std::string wan_record_name(std::string_view interface, OfferSource source) {
    return std::string(interface) + "." + std::string(name_of(source)) + ".json";
}

std::string to_json(const WanRecord& record) {
    Json json{{"interface", record.interface},
              {"source", name_of(record.source)},
              {"told_by", record.told_by}};
    for (const dhcp::V4Option& option : record.v4)
        json["v4"].push_back({{"code", option.code}, {"data", to_hex(option.data)}});
    if (!record.v6.empty()) json["v6"] = to_hex(record.v6);
    if (record.source == OfferSource::user)
        json["resolvers"] = Json::parse(resolvers_to_json(record.resolvers));
    if (record.lifetime) json["lifetime"] = record.lifetime->count();
    json["received"] = record.received.count();
    for (const WanRecord::Lease& lease : record.leases)
        json["leases"].push_back({{"name", lease.name}, {"until", lease.until.count()}});
    json["boot"] = record.boot;
    return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

Result<WanRecord> parse_wan_record(Bytes text) {
    try {
        return read(Json::parse(text_of(text)));
    } catch (const Json::exception& wrong) {
        return no_record(wrong.what());
    }
}

std::string wan_directory(const std::string& runtime_directory) {
    return runtime_directory + "/wan";
}

StoredParts read_wan_records(const Config& config, Storage& storage) {
    StoredParts parts;
    for (const WanConfig& wan : config.wan) {
        for (const auto& [text, source] : sources) {
            const std::string name = wan_record_name(wan.interface, source);
            auto octets = storage.read(wan_directory(config.runtime_directory) + "/" + name);
            if (!octets && octets.error().code == Errc::unavailable) continue;
            const bool usable = octets && octets->size() <= wan_record_octets_max;
            parts.emplace_back(name, usable ? *std::move(octets) : Buffer());
        }
    }
    return parts;
}

}  // namespace porchlight::agent
