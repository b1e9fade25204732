#include "agent/custody.h"

#include <algorithm>

#include "acme/certificate.h"
#include "agent/plan.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

/// Nothing where a handshake can be done with the two, for whichever name and day.
std::optional<std::string> why_no_pair(Bytes chain_pem, Bytes key_pem) {
    return acme::check_pair(chain_pem, key_pem, {}, {}, false);
}

/// What is wrong with a pair, in the order in which it matters. `servable` tells whether a TLS
/// handshake could be done with it at all.
struct Judgement {
    std::optional<std::string> unfit;
    bool servable = false;
};

Judgement judge(const StoredCertificate& stored, const std::vector<dns::Name>& names, WallTime wall,
                bool dates_count) {
    Judgement judgement;
    judgement.unfit = acme::check_pair(stored.chain_pem, stored.key_pem, names, wall, dates_count);
    judgement.servable = !judgement.unfit || !why_no_pair(stored.chain_pem, stored.key_pem);
    return judgement;
}

Custody custody_of(const StoredCertificate& stored, const Judgement& judgement,
                   const World& world) {
    Custody custody;
    custody.status.origin = stored.origin;
    custody.status.fit = !judgement.unfit;
    custody.status.why = judgement.unfit.value_or("");
    if (const auto chain = acme::parse_chain(stored.chain_pem)) {
        const acme::Certificate& leaf = chain->front();
        custody.status.subject_alt_names = leaf.names;
        for (const IpAddress& address : leaf.addresses)
            custody.status.subject_alt_names.push_back(to_text(address));
        custody.status.addresses = leaf.addresses;
        custody.status.issuer = leaf.issuer;
        custody.status.not_before = leaf.not_before;
        custody.status.not_after = leaf.not_after;
    }
    Buffer roots = world.roots_pem;
    roots.push_back('\n');
    roots.insert(roots.end(), world.acme_roots_pem.begin(), world.acme_roots_pem.end());
    custody.status.missing_issuer = acme::missing_issuer(stored.chain_pem, roots);
    custody.status.unknown_root = acme::unknown_root(stored.chain_pem, roots);
    if (judgement.servable)
        custody.identity = forwarder::TlsIdentity{stored.chain_pem, stored.key_pem, {}};
    return custody;
}

/// That the certificate has to be for.
std::vector<dns::Name> names_of(const Config& config) {
    if (!config.resolver) return {};
    return {config.resolver->adn};
}

}  // namespace

Custody choose_certificate(const Config& config, const World& world, WallTime wall,
                           bool dates_count) {
    Custody best;
    best.status.why = world.certificates.empty() ? "there is no certificate yet"
                                                 : "no stored certificate can be served";
    const std::vector<dns::Name> names = names_of(config);
    std::string newest_unfit;
    for (const StoredCertificate& stored : world.certificates) {
        const Judgement judgement = judge(stored, names, wall, dates_count);
        const bool is_newest = &stored == &world.certificates.front();
        if (is_newest) newest_unfit = judgement.unfit.value_or("");
        const bool first = best.status.origin.empty();
        const bool better = judgement.servable && !best.identity;
        if (!judgement.unfit || first || better) {
            best = custody_of(stored, judgement, world);
            if (!is_newest) best.status.passed_over = newest_unfit;
        }
        if (!judgement.unfit) break;
    }
    best.status.source = config.certificate.acme    ? "acme"
                         : config.certificate.files ? "files"
                                                    : "none";
    return best;
}

bool dates_hold(const CertificateStatus& certificate, WallTime wall, bool dates_count) {
    const auto& from = certificate.not_before;
    const auto& until = certificate.not_after;
    return !dates_count || (from && until && wall >= *from && wall < *until);
}

void log_change(const CertificateStatus& before, const CertificateStatus& now, bool is_needed) {
    if (now.fit != before.fit || now.why != before.why) {
        if (now.fit)
            log::info("the certificate is fit", {{"from", now.origin}});
        else if (is_needed)
            log::warn("the certificate is not fit", {{"why", now.why}});
    }
    if (now.passed_over != before.passed_over && !now.passed_over.empty())
        log::warn("a newer certificate is not taken, the one before it stays",
                  {{"why", now.passed_over}});
}

void keep_former(std::vector<StoredCertificate>& read, const std::vector<StoredCertificate>& before,
                 const Config& config, WallTime wall, bool dates_count) {
    if (read.empty()) return;
    const auto is_fit = [&](const StoredCertificate& one, const std::vector<dns::Name>& names) {
        return !acme::check_pair(one.chain_pem, one.key_pem, names, wall, dates_count);
    };
    if (dates_count && is_fit(read.front(), {})) return;
    const std::vector<dns::Name> names = names_of(config);
    const auto is_another = [&](const StoredCertificate& one) {
        return one.chain_pem != read.front().chain_pem || one.key_pem != read.front().key_pem;
    };
    const auto former = std::find_if(
        before.begin(), before.end(),
        [&](const StoredCertificate& one) { return is_another(one) && is_fit(one, names); });
    if (former == before.end()) return;
    read.push_back(
        {read.front().origin + ", as it was before", former->chain_pem, former->key_pem});
}

std::optional<std::string> why_unservable(const CertificateFiles& files, Bytes chain_pem,
                                          Bytes key_pem) {
    const auto why = why_no_pair(chain_pem, key_pem);
    if (!why) return std::nullopt;
    return "expected certificates, the server's first, in " + files.chain +
           " and that one's private key in " + files.key + ", found: " + *why;
}

}  // namespace porchlight::agent
