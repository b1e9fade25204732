#include "agent/config_files.h"

#include <net/if.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "acme/certificate.h"
#include "agent/carriers.h"
#include "agent/config_json.h"
#include "agent/custody.h"
#include "agent/metrics_places.h"
#include "agent/odhcpd.h"
#include "agent/plan.h"
#include "agent/port_holder.h"
#include "agent/privileges.h"
#include "agent/setup_look.h"
#include "agent/status.h"
#include "net/openssl.h"
#include "net/staple.h"

namespace porchlight::agent {
namespace {

std::string directory_of(const std::string& path) {
    return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
}

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

/// One broken entry of a bundle takes nobody's trust from the others, here as in a TLS client.
bool holds_certificate(Bytes pem) {
    const net::BioPtr in = net::borrow(pem);
    while (BIO_eof(in.get()) == 0) {
        const net::X509Ptr one(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
        if (one) return true;
        net::take_openssl_reason();
    }
    return false;
}

/// Why nobody could be trusted by what `path` holds, or nothing if somebody could.
std::optional<std::string> why_no_roots(const std::string& path, Bytes pem) {
    if (holds_certificate(pem)) return std::nullopt;
    return "expected certificates of authorities, as PEM, in " + path + ", found none";
}

constexpr std::string_view pair_pointer = "/certificate/files";
constexpr std::string_view roots_pointer = "/tls/roots";
constexpr std::string_view acme_roots_pointer = "/certificate/acme/roots";
constexpr const char* but_refused = "; a reload would be refused";

/// As RFC 4648 section 4 has it, in one line, padding included.
bool is_base64(Bytes text) {
    const auto is_digit = [](std::uint8_t c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/';
    };
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto padding = text.end() - end;
    return !text.empty() && text.size() % 4 == 0 && padding <= 2 &&
           std::all_of(end, text.end(), [](std::uint8_t c) { return c == '='; });
}

/// Where UCI can't be asked nothing is known of odhcpd, and there is nothing to warn of.
Found found_for(const Config& config) {
    if (!depends_on_found(config) || odhcpd_processes().empty()) return {};
    const Result<bool> serves = odhcpd_serves(config);
    return {.odhcpd = serves && *serves};
}

class Examiner {
  public:
    Examiner(std::string_view file, const Config& config, Storage& storage, const TimeSource& time)
        : file_(file),
          config_(resolve_carriers(config, found_for(config))),
          storage_(storage),
          time_(time) {}

    Fit examine() {
        examine_interfaces();
        examine_ports();
        examine_metrics();
        examine_dnsmasq();
        if (feeds_odhcpd(config_) && announces(config_) &&
            ::access(config_.odhcpd.uci.c_str(), X_OK) != 0)
            warn("/odhcpd/uci", "there is no program " + config_.odhcpd.uci);
        if (config_.certificate.files) examine_pair(*config_.certificate.files);
        if (config_.certificate.acme) examine_acme(*config_.certificate.acme);
        if (asks_upstream(config_)) examine_roots(roots_pointer, config_.tls.roots);
        if (::geteuid() == 0) {
            examine_user("/users/agent", config_.users.agent);
            examine_user("/users/forwarder", config_.users.forwarder);
        }
        examine_announced();
        examine_devices();
        examine_guard();
        return std::move(fit_);
    }

  private:
    void examine_interfaces() {
        const auto examine = [&](const std::string& list, const auto& interfaces) {
            for (std::size_t i = 0; i < interfaces.size(); ++i)
                if (::if_nametoindex(interfaces[i].interface.c_str()) == 0)
                    warn(config::below(list, i) + "/interface",
                         "there is no interface " + interfaces[i].interface);
        };
        examine("/lan", config_.lan);
        examine("/wan", config_.wan);
    }

    void examine_ports() {
        if (!config_.resolver) return;
        examine_port("/resolver/dot/port", config_.resolver->dot.port);
        const std::vector<DohConfig>& doh = config_.resolver->doh;
        for (std::size_t i = 0; i < doh.size(); ++i)
            examine_port(config::below("/resolver/doh", i) + "/port", doh[i].port);
    }

    void examine_port(const std::string& pointer, std::uint16_t port) {
        const auto holder = holder_of(port);
        if (!holder) return;
        std::string text = std::to_string(port) + " is held by " +
                           (holder->empty() ? "another program" : *holder) +
                           "; nothing is served there";
        if (port == https_port && !holder_of(https_port_beside))
            text += "; " + std::to_string(https_port_beside) + " is free";
        warn(pointer, std::move(text));
    }

    void examine_metrics() {
        const auto links = net::read_links();
        if (!links || config_.metrics.listen.empty()) return;
        const MetricsPlaces places = metrics_places(config_, *links);
        for (std::size_t i = 0; i < config_.metrics.listen.size(); ++i)
            if (const auto why = places.refused.find(config_.metrics.listen[i]);
                why != places.refused.end())
                warn(config::below("/metrics/listen", i),
                     why->second + "; nothing is served there");
    }

    void examine_announced() {
        const AnnounceConfig& announce = config_.announce;
        const bool used =
            std::any_of(config_.lan.begin(), config_.lan.end(), [&](const LanConfig& lan) {
                return resolve_mode(config_, lan) == Mode::static_ && lan.resolvers.empty();
            });
        if (!used && !announce.resolvers.empty())
            warn("/announce/resolvers", "has no effect: mode is not \"static\"");
        if (announce.groups.empty() || !announces(config_)) return;
        if (announce.dhcpv6 == DhcpCarrier::odhcpd)
            warn("/announce/groups",
                 "odhcpd can't tell hosts apart: the hosts of a group hear of the link's resolvers "
                 "by DHCPv6 and Router Advertisement, unless announce.dhcpv6 is \"dnsmasq\" and "
                 "announce.ra \"off\"");
        else if (announce.ra != RaCarrier::off)
            warn("/announce/groups",
                 "Router Advertisements can't tell hosts apart: the hosts of a group hear of the "
                 "link's resolvers too, unless announce.ra is \"off\"");
        if (announce.ddr && announces_router(config_))
            warn("/announce/groups",
                 "DNS can't tell hosts apart: the hosts of a group that ask it for encrypted "
                 "resolvers hear of this router, unless announce.ddr is false");
    }

    /// Over HTTPS an id may stand in the path, which needs no certificate of its own.
    void examine_devices() {
        if (!config_.resolver || !config_.resolver->doh.empty()) return;
        const auto& devices = config_.rebinding.allow_devices;
        for (std::size_t i = 0; i < devices.size(); ++i) {
            if (devices[i].id.empty()) continue;
            const std::string name = devices[i].id + "." + dns::to_host(config_.resolver->adn);
            const std::string why = why_not_covered(name);
            if (!why.empty())
                warn(config::below("/rebinding/allow_devices", i) + "/id",
                     why + " " + name +
                         ", the only name by which this device can say its id: without "
                         "resolver.doh it has no path to say it in");
        }
    }

    /// "the certificate that ... does not cover"; empty where it does, or nobody knows.
    std::string why_not_covered(const std::string& name) {
        if (config_.certificate.acme)
            return "the certificate that certificate.acme orders does not cover";
        const auto parsed = dns::parse_name(name);
        if (!config_.certificate.files || !parsed) return "";
        const Result<Buffer> chain = storage_.read(config_.certificate.files->chain);
        const Result<Buffer> key = storage_.read(config_.certificate.files->key);
        if (!chain || !key || why_unservable(*config_.certificate.files, *chain, *key)) return "";
        return acme::check_pair(*chain, *key, {*parsed}, {}, false)
                   ? "the certificate of certificate.files does not cover"
                   : "";
    }

    void examine_dnsmasq() {
        const bool feeds = config_.announce.dhcpv4 == DhcpCarrier::dnsmasq ||
                           config_.announce.dhcpv6 == DhcpCarrier::dnsmasq;
        if (!feeds || !announces(config_)) return;
        const DnsmasqConfig& dnsmasq = config_.dnsmasq;
        const std::string directory = directory_of(dnsmasq.fragment);
        if (!exists(directory))
            warn("/dnsmasq/fragment",
                 "there is no directory " + directory + "; it must be the conf-dir of dnsmasq");
        if (!exists(dnsmasq.pid_file))
            warn("/dnsmasq/pid_file",
                 "there is no file " + dnsmasq.pid_file +
                     "; while dnsmasq does not run, nobody tells hosts by DHCP");
        if (!exists(dnsmasq.resolv_file))
            warn("/dnsmasq/resolv_file", "there is no file " + dnsmasq.resolv_file +
                                             "; old hosts get no answers once porchlight is gone");
        // Ours are in a file that dnsmasq's servers-file names.
        for (const setup::DnsmasqFound& running : setup::look_at_dnsmasq(storage_))
            if (running.fragment == dnsmasq.fragment)
                for (const std::string& server : running.servers)
                    warn("/dnsmasq/fragment",
                         "dnsmasq asks " + server + " by its own configuration (" +
                             running.config_file + "), in clear text and beside porchlight; " +
                             "remove its line server=" + server);
        if (dnsmasq.restart.empty()) return;
        const std::string& program = dnsmasq.restart.front();
        if (program.starts_with('/') && ::access(program.c_str(), X_OK) != 0)
            warn("/dnsmasq/restart/0", "there is no program " + program);
    }

    void examine_guard() {
        const GuardConfig& guard = config_.guard;
        for (std::size_t i = 0; i < guard.trusted_ports.size(); ++i)
            if (::if_nametoindex(guard.trusted_ports[i].c_str()) == 0)
                warn(config::below("/guard/trusted_ports", i),
                     "there is no interface " + guard.trusted_ports[i] + " now");
        if (guard.validate_sources && !exists(config_.dnsmasq.lease_file))
            warn("/dnsmasq/lease_file",
                 "there is no file " + config_.dnsmasq.lease_file +
                     "; guard.validate_sources then keeps this router's addresses alone");
        if (!guard.block && !guard.validate_sources) return;
        for (const LanConfig& lan : config_.lan)
            if (::if_nametoindex(lan.interface.c_str()) != 0 &&
                !exists("/sys/class/net/" + lan.interface + "/bridge"))
                warn("/guard", lan.interface +
                                   " is no bridge; what its hosts send each other can't be "
                                   "stopped here");
    }

    void examine_pair(const CertificateFiles& files) {
        const auto chain = read("/certificate/files/chain", files.chain);
        const auto key = read("/certificate/files/key", files.key);
        if (key) examine_privacy("/certificate/files/key", files.key);
        if (!chain || !key) return;
        if (auto why = why_unservable(files, *chain, *key))
            return warn(pair_pointer, *why + but_refused);
        std::vector<dns::Name> names;
        if (config_.resolver) names.push_back(config_.resolver->adn);
        if (auto why = acme::check_pair(*chain, *key, names, time_.wall(), time_.wall_trusted()))
            warn(pair_pointer, *why);
        examine_chain(*chain);
    }

    void examine_chain(Bytes chain) {
        const Result<Buffer> roots = storage_.read(config_.tls.roots);
        if (const auto issuer = acme::missing_issuer(chain, roots ? Bytes(*roots) : Bytes()))
            warn(pair_pointer, missing_issuer_text(*issuer));
        if (const auto root = acme::unknown_root(chain, roots ? Bytes(*roots) : Bytes()))
            warn(pair_pointer, unknown_root_text(*root));
        const net::StaplingTerms terms = net::stapling_terms(chain);
        if (terms.required && terms.responder.empty()) warn(pair_pointer, staple_never_text);
    }

    void examine_acme(const AcmeConfig& acme) {
        const std::string& path = acme.update.tsig.secret.path;
        const std::string pointer = std::string(tsig_secret_pointer) + "/file";
        examine_privacy(pointer, path);
        if (read(pointer, path)) {
            const auto secrets = read_secrets(config_, storage_);
            if (!secrets)
                refuse(pointer, path + " is empty");
            else if (!is_base64(secrets->front().second))
                warn(pointer, path + " does not hold a key in base64 and nothing else");
        }
        if (!acme.agree_to_terms)
            warn("/certificate/acme/agree_to_terms",
                 "is false; a CA that has terms of service gives no certificate");
        if (acme.roots != config_.tls.roots || !asks_upstream(config_))
            examine_roots(acme_roots_pointer, acme.roots);
    }

    void examine_roots(std::string_view pointer, const std::string& path) {
        const auto pem = read(pointer, path);
        if (!pem) return;
        if (auto why = why_no_roots(path, *pem)) warn(pointer, *why + but_refused);
    }

    void examine_user(std::string_view pointer, const std::string& user) {
        if (!find_user(user)) warn(pointer, "there is no user " + user);
    }

    void examine_privacy(std::string_view pointer, const std::string& path) {
        struct stat found {};
        if (::stat(path.c_str(), &found) == 0 && (found.st_mode & S_IROTH) != 0)
            warn(pointer, path + " is readable by everybody; chmod 600 makes it yours alone");
    }

    std::optional<Buffer> read(std::string_view pointer, const std::string& path) {
        Result<Buffer> octets = storage_.read(path);
        if (octets) return std::move(*octets);
        if (octets.error().code == Errc::denied)
            warn(pointer, octets.error().message);
        else
            refuse(pointer, octets.error().message);
        return std::nullopt;
    }

    void refuse(std::string_view pointer, std::string text) {
        fit_.faults.push_back({file_, std::string(pointer), std::move(text)});
    }

    void warn(std::string_view pointer, std::string text) {
        fit_.warnings.push_back({file_, std::string(pointer), std::move(text)});
    }

    std::string file_;
    const Config config_;  // with the carriers that would be chosen now
    Storage& storage_;
    const TimeSource& time_;
    Fit fit_;
};

}  // namespace

Fit examine_machine(std::string_view file_name, const Config& config, Storage& storage,
                    const TimeSource& time) {
    return Examiner(file_name, config, storage, time).examine();
}

std::optional<Complaint> why_useless(std::string_view file_name, const Config& config,
                                     const World& named) {
    const auto complaint = [&](std::string_view pointer, std::string text) {
        return Complaint{std::string(file_name), std::string(pointer), std::move(text)};
    };
    if (const auto& files = config.certificate.files) {
        const StoredCertificate& pair = named.certificates.front();
        if (auto why = why_unservable(*files, pair.chain_pem, pair.key_pem))
            return complaint(pair_pointer, *why);
    }
    if (asks_upstream(config))
        if (auto why = why_no_roots(config.tls.roots, named.roots_pem))
            return complaint(roots_pointer, *why);
    if (const auto& acme = config.certificate.acme)
        if (auto why = why_no_roots(acme->roots, named.acme_roots_pem))
            return complaint(acme_roots_pointer, *why);
    return std::nullopt;
}

}  // namespace porchlight::agent
