#include <algorithm>

#include "agent/config_build.h"
#include "agent/plan.h"

// What no single setting can say: what a mode needs, and which settings contradict each other.

namespace porchlight::agent::config {
namespace {

class Rules {
  public:
    Rules(std::string_view file, const Config& config) : file_(file), config_(config) {}

    std::vector<Complaint> judge() {
        judge_interfaces();
        judge_mode();
        for (std::size_t i = 0; i < config_.announce.resolvers.size(); ++i)
            judge_announced(config_.announce.resolvers[i], below("/announce/resolvers", i));
        for (std::size_t i = 0; i < config_.upstream.size(); ++i)
            judge_upstream(config_.upstream[i], below("/upstream", i));
        judge_ports();
        judge_certificate();
        judge_directories();
        return std::move(complaints_);
    }

  private:
    void judge_interfaces() {
        std::vector<std::string> homes;
        for (std::size_t i = 0; i < config_.lan.size(); ++i) {
            const std::string& name = config_.lan[i].interface;
            if (std::find(homes.begin(), homes.end(), name) != homes.end())
                complain(below("/lan", i) + "/interface", '"' + name + "\" stands here twice");
            homes.push_back(name);
        }
        for (std::size_t i = 0; i < config_.wan.size(); ++i) {
            const std::string& name = config_.wan[i].interface;
            if (std::find(homes.begin(), homes.end(), name) != homes.end())
                complain(below("/wan", i) + "/interface",
                         '"' + name +
                             "\" stands in lan too; what the home may use, the Internet "
                             "may not");
        }
    }

    void judge_mode() {
        const Mode mode = resolve_mode(config_);
        if (mode == Mode::forwarder) {
            need(config_.resolver.has_value(), "/resolver/adn",
                 "the name by which hosts authenticate this router");
            need(!config_.upstream.empty(), "/upstream", "whom this router asks");
            need(config_.certificate.files || config_.certificate.acme, "/certificate",
                 "files or acme, because hosts authenticate this router by its certificate");
        }
        if (mode == Mode::static_)
            need(!config_.announce.resolvers.empty(), "/announce/resolvers",
                 "mode \"static\" announces these");
        if (mode == Mode::forwarder || mode == Mode::static_)
            need(!config_.lan.empty(), "/lan", "the interfaces whose hosts are told");
    }

    void judge_announced(const dns::EncryptedResolver& resolver, const std::string& at) {
        for (std::size_t i = 0; i < resolver.addresses.size(); ++i)
            if (!is_announceable(resolver.addresses[i]))
                complain(below(at + "/addresses", i),
                         to_text(resolver.addresses[i]) + " is no address that hosts could reach");
        if (dns::is_adn_only(resolver)) return;
        const std::vector<std::string>& alpn = resolver.params.alpn;
        const bool http = std::any_of(alpn.begin(), alpn.end(),
                                      [](const auto& id) { return id == "h2" || id == "h3"; });
        need(!resolver.addresses.empty(), at + "/addresses",
             "only an adn all alone lets hosts look up the rest");
        need(!alpn.empty(), at + "/alpn", "the protocols that it speaks, such as \"dot\"");
        need(!http || resolver.params.dohpath, at + "/dohpath",
             "\"h2\" and \"h3\" need a path, such as \"/dns-query{?dns}\"");
        if (resolver.params.dohpath && !dns::is_usable_dohpath(*resolver.params.dohpath))
            complain(at + "/dohpath",
                     "expected a path with the variable dns, such as \"/dns-query{?dns}\"");
        judge_repeated(alpn, at + "/alpn");
    }

    void judge_repeated(const std::vector<std::string>& words, const std::string& at) {
        for (std::size_t i = 0; i < words.size(); ++i)
            if (std::find(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i),
                          words[i]) != words.begin() + static_cast<std::ptrdiff_t>(i))
                complain(below(at, i), '"' + words[i] + "\" stands here twice");
    }

    void judge_upstream(const forwarder::UpstreamSettings& upstream, const std::string& at) {
        if (config_.resolver && upstream.adn == config_.resolver->adn)
            complain(at + "/adn", "is this router's own name; a question would come back to it");
        for (std::size_t i = 0; i < upstream.addresses.size(); ++i) {
            const IpAddress& address = upstream.addresses[i].address;
            const auto* v6 = std::get_if<Ipv6>(&address);
            const bool scoped = v6 != nullptr && is_link_local(*v6);
            if (scoped || (!is_announceable(address) && !is_loopback(address)))
                complain(below(at + "/addresses", i),
                         to_text(address) + " is no address that can be connected to" +
                             (scoped ? "; a link-local one means nothing without its link" : ""));
        }
    }

    /// A listener on the wildcard address and one on a loopback address exclude each other, also
    /// where the former is bound to an interface.
    void judge_ports() {
        const std::optional<Endpoint>& companion = config_.local.server;
        const bool own_companion = companion && is_loopback(companion->address);
        const bool do53 = !config_.do53.addresses.empty();
        if (do53 && own_companion && companion->port == config_.do53.port)
            complain("/do53/port", std::to_string(companion->port) +
                                       " is the port of local.server; the two would ask each other "
                                       "or not start");
        if (!config_.resolver) return;
        const std::uint16_t dot = config_.resolver->dot.port;
        if (do53 && dot == config_.do53.port)
            complain("/resolver/dot/port", std::to_string(dot) + " is do53.port too");
        if (own_companion && dot == companion->port)
            complain("/resolver/dot/port",
                     std::to_string(dot) + " is the port of local.server too");
    }

    void judge_certificate() {
        const CertificateConfig& certificate = config_.certificate;
        if (certificate.files && certificate.acme)
            complain("/certificate", "has files and acme; one of them must go");
        if (!certificate.acme) return;
        const DnsUpdateConfig& update = certificate.acme->update;
        const std::string at = "/certificate/acme/challenge/dns-01/rfc2136";
        if (!config_.resolver)
            need(resolve_mode(config_) == Mode::forwarder, "/resolver/adn",
                 "the name that the certificate shall be for");
        else if (!config_.resolver->adn.is_within(update.zone))
            complain(at + "/zone", dns::to_host(config_.resolver->adn) + " does not lie in zone " +
                                       dns::to_host(update.zone));
        const auto* v6 = std::get_if<Ipv6>(&update.server.address);
        if (v6 != nullptr && is_link_local(*v6))
            complain(at + "/server", "a link-local address means nothing without its link");
    }

    void judge_directories() {
        if (config_.state_directory == config_.runtime_directory)
            complain("/runtime_directory",
                     "is state_directory too; one is kept over a restart, the other is not");
    }

    void need(bool there, std::string pointer, std::string_view why) {
        if (!there) complain(std::move(pointer), "missing; " + std::string(why));
    }

    void complain(std::string pointer, std::string text) {
        complaints_.push_back({file_, std::move(pointer), std::move(text)});
    }

    std::string file_;
    const Config& config_;
    std::vector<Complaint> complaints_;
};

}  // namespace

std::vector<Complaint> rules(std::string_view file_name, const Config& config) {
    return Rules(file_name, config).judge();
}

}  // namespace porchlight::agent::config
