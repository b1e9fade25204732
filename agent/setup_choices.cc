#include "agent/setup_choices.h"

#include "agent/config_json.h"

namespace porchlight::agent::setup {
namespace {

using config::Kind;
using config::text_value;
using config::Value;

Value object() {
    return Value(Kind::object);
}

Value texts(const std::vector<std::string>& list) {
    Value value(Kind::list);
    for (const std::string& one : list) value.members.push_back({"", text_value(one)});
    return value;
}

void add(Value& to, std::string_view name, Value value) {
    to.members.push_back({std::string(name), std::move(value)});
}

void add(Value& to, std::string_view name, const std::string& text) {
    add(to, name, text_value(text));
}

Value interfaces(const std::vector<std::string>& names) {
    Value list(Kind::list);
    for (const std::string& name : names) {
        Value one = object();
        add(one, "interface", name);
        list.members.push_back({"", std::move(one)});
    }
    return list;
}

Value list_of(Value element) {
    Value list(Kind::list);
    list.members.push_back({"", std::move(element)});
    return list;
}

Value announced(const NamedResolver& resolver) {
    Value value = object();
    add(value, "adn", resolver.adn);
    add(value, "addresses", texts(resolver.addresses));
    if (resolver.dot) add(value, "dot", object());
    if (resolver.doq) add(value, "doq", object());
    if (!resolver.doh_versions.empty()) {
        Value doh = object();
        add(doh, "path", std::string("/dns-query{?dns}"));
        add(doh, "versions", texts(resolver.doh_versions));
        add(value, "doh", list_of(std::move(doh)));
    }
    return value;
}

Value upstream(const NamedResolver& resolver) {
    Value value = object();
    add(value, "adn", resolver.adn);
    add(value, "addresses", texts(resolver.addresses));
    return value;
}

Value certificate(const FilesChoice& files) {
    Value value = object(), inner = object();
    add(inner, "chain", files.chain);
    add(inner, "key", files.key);
    add(value, "files", std::move(inner));
    return value;
}

Value certificate(const AcmeChoice& acme) {
    Value secret = object();
    add(secret, "file", acme.key_file);
    Value tsig = object();
    add(tsig, "name", acme.key_name);
    add(tsig, "secret", std::move(secret));
    Value update = object();
    add(update, "server", acme.server);
    add(update, "zone", acme.zone);
    add(update, "tsig", std::move(tsig));
    Value dns01 = object();
    add(dns01, "rfc2136", std::move(update));
    Value challenge = object();
    add(challenge, "dns-01", std::move(dns01));
    Value inner = object();
    add(inner, "directory", acme.directory);
    add(inner, "agree_to_terms", Value(Kind::boolean, acme.agree_to_terms ? "true" : "false"));
    add(inner, "challenge", std::move(challenge));
    Value value = object();
    add(value, "acme", std::move(inner));
    return value;
}

void add_resolver(Value& root, const NamedResolver& resolver) {
    add(*root.find("announce"), "resolvers", list_of(announced(resolver)));
}

void add_resolver(Value& root, const RouterChoice& router) {
    Value resolver = object(), doh = object();
    if (router.doh_port != DohConfig().port)
        add(doh, "port", Value(Kind::number, std::to_string(router.doh_port)));
    add(resolver, "adn", router.adn);
    add(resolver, "doh", list_of(std::move(doh)));
    add(root, "resolver", std::move(resolver));
    add(root, "upstream", list_of(upstream(router.upstream)));
    add(root, "certificate",
        std::visit([](const auto& one) { return certificate(one); }, router.certificate));
}

void add_dnsmasq(Value& root, const DnsmasqFound& found) {
    if (!found.domain.empty() && found.domain != "lan") {
        Value local = object();
        add(local, "domains", texts({found.domain}));
        add(root, "local", std::move(local));
    }
    Value dnsmasq = object();
    if (!found.fragment.empty()) add(dnsmasq, "fragment", found.fragment);
    add(dnsmasq, "pid_file", found.pid_file);
    if (found.lease_file != DnsmasqFound().lease_file) add(dnsmasq, "lease_file", found.lease_file);
    if (!found.restart.empty()) add(dnsmasq, "restart", texts(found.restart));
    add(dnsmasq, "resolv_file", found.resolv_file);
    add(root, "dnsmasq", std::move(dnsmasq));
}

}  // namespace

NamedResolver named(const PublicResolver& resolver) {
    return {std::string(resolver.adn),
            {resolver.addresses.begin(), resolver.addresses.end()},
            true,
            resolver.quic,
            {resolver.versions.begin(), resolver.versions.end()}};
}

std::optional<Config> home_of(const std::vector<std::string>& lan) {
    Choices choices;
    choices.lan = lan.empty() ? std::vector<std::string>{"lan"} : lan;
    choices.resolver = named(public_resolvers().front());
    return parse_config("", bytes_of(configuration(choices))).config;
}

std::string configuration(const Choices& choices) {
    Value root = object();
    add(root, "lan", interfaces(choices.lan));
    if (!choices.wan.empty()) add(root, "wan", interfaces(choices.wan));
    add(root, "announce", object());
    if (!choices.dnsmasq) add(*root.find("announce"), "dhcpv4", std::string("off"));
    if (!choices.dnsmasq && !choices.odhcpd)
        add(*root.find("announce"), "dhcpv6", std::string("off"));
    std::visit([&](const auto& one) { add_resolver(root, one); }, choices.resolver);
    if (root.find("announce")->members.empty())
        std::erase_if(root.members,
                      [](const config::Member& one) { return one.name == "announce"; });
    if (choices.dnsmasq) add_dnsmasq(root, *choices.dnsmasq);
    return config::to_json(root) + '\n';
}

}  // namespace porchlight::agent::setup
