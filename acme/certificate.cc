#include "acme/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "net/openssl.h"

namespace porchlight::acme {
namespace {

using net::FreeBy;
using net::X509Ptr;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, FreeBy<GENERAL_NAMES_free>>;

Result<std::vector<X509Ptr>> read_chain(Bytes pem) {
    if (pem.size() > chain_octets_max) return Error{Errc::malformed, "a chain above 64 KiB"};
    std::vector<X509Ptr> chain;
    const net::BioPtr in = net::borrow(pem);
    for (;;) {
        ERR_clear_error();
        X509Ptr certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
        if (!certificate) break;
        if (chain.size() >= chain_certificates_max)
            return Error{Errc::malformed, "a chain of more than 10 certificates"};
        chain.push_back(std::move(certificate));
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!at_end) return Error{Errc::malformed, "a certificate of the chain can't be read"};
    if (chain.empty()) return Error{Errc::malformed, "no certificate"};
    return chain;
}

WallTime wall_time(const ASN1_TIME* time) {
    tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return to_wall_time(parts);
}

std::string name_text(const X509_NAME* name) {
    const net::BioPtr out(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

Bytes octets_of(const ASN1_STRING* string) {
    return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

template <class Address>
std::optional<IpAddress> address_of(Bytes octets) {
    Address address;
    if (octets.size() != address.octets.size()) return std::nullopt;
    std::copy(octets.begin(), octets.end(), address.octets.begin());
    return address;
}

/// An iPAddress of a SAN (RFC 5280 section 4.2.1.6).
std::optional<IpAddress> address_of(Bytes octets) {
    const auto v4 = address_of<Ipv4>(octets);
    return v4 ? v4 : address_of<Ipv6>(octets);
}

void read_alternative_names(X509* certificate, Certificate& facts) {
    const GeneralNamesPtr sans(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(sans.get()); ++i) {
        const GENERAL_NAME* entry = sk_GENERAL_NAME_value(sans.get(), i);
        if (entry->type == GEN_DNS) facts.names.emplace_back(text_of(octets_of(entry->d.dNSName)));
        if (entry->type != GEN_IPADD) continue;
        if (const auto address = address_of(octets_of(entry->d.iPAddress)))
            facts.addresses.push_back(*address);
    }
}

Certificate describe(X509* certificate) {
    Certificate facts;
    read_alternative_names(certificate, facts);
    facts.not_before = wall_time(X509_get0_notBefore(certificate));
    facts.not_after = wall_time(X509_get0_notAfter(certificate));
    facts.subject = name_text(X509_get_subject_name(certificate));
    facts.issuer = name_text(X509_get_issuer_name(certificate));
    facts.serial = to_hex(octets_of(X509_get0_serialNumber(certificate)));
    ERR_clear_error();
    return facts;
}

bool is_good_for(X509* leaf, const dns::Name& name) {
    const std::string host = dns::to_host(name);
    constexpr unsigned flags =
        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    return X509_check_host(leaf, host.data(), host.size(), flags, nullptr) == 1;
}

bool is_key_of(X509* leaf, Bytes key_pem) {
    const auto no_passphrase = [](char*, int, int, void*) { return -1; };
    const net::EvpKeyPtr key(
        PEM_read_bio_PrivateKey(net::borrow(key_pem).get(), nullptr, no_passphrase, nullptr));
    const bool matches = key && X509_check_private_key(leaf, key.get()) == 1;
    ERR_clear_error();
    return matches;
}

bool is_signed_by(X509* certificate, X509* issuer) {
    const bool good =
        X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) == 0 &&
        X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    return good;
}

/// One that is signed by itself is, where the same is among them.
bool is_signed_by_one_of(X509* certificate, Bytes roots_pem) {
    const net::BioPtr in = net::borrow(roots_pem);
    bool found = false;
    while (!found && BIO_eof(in.get()) == 0) {
        const X509Ptr root(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
        found = root && is_signed_by(certificate, root.get());
    }
    ERR_clear_error();
    return found;
}

}  // namespace

Result<std::vector<Certificate>> parse_chain(Bytes chain_pem) {
    const auto chain = read_chain(chain_pem);
    if (!chain) return chain.error();
    std::vector<Certificate> facts;
    for (const X509Ptr& certificate : *chain) facts.push_back(describe(certificate.get()));
    return facts;
}

std::optional<std::string> check_pair(Bytes chain_pem, Bytes key_pem,
                                      const std::vector<dns::Name>& names, WallTime wall,
                                      bool dates_count) {
    const auto chain = read_chain(chain_pem);
    if (!chain) return chain.error().message;
    X509* leaf = chain->front().get();
    if (!is_key_of(leaf, key_pem)) return "the key is not the certificate's";
    for (const dns::Name& name : names)
        if (!is_good_for(leaf, name)) return "not for " + dns::to_host(name);
    for (std::size_t i = 0; i + 1 < chain->size(); ++i)
        if (!is_signed_by((*chain)[i].get(), (*chain)[i + 1].get()))
            return "certificate " + std::to_string(i + 1) +
                   " of the chain is not signed by the next; that of its issuer, " +
                   name_text(X509_get_issuer_name((*chain)[i].get())) + ", is not there";
    for (const X509Ptr& certificate : *chain) {
        const Certificate facts = describe(certificate.get());
        if (facts.not_before >= facts.not_after) return "its dates are reversed";
        if (!dates_count) continue;
        if (facts.not_after <= wall) return "expired on " + to_text(facts.not_after);
        if (facts.not_before > wall + clock_skew_max)
            return "not valid before " + to_text(facts.not_before);
    }
    return std::nullopt;
}

std::optional<std::string> missing_issuer(Bytes chain_pem, Bytes roots_pem) {
    const auto chain = read_chain(chain_pem);
    if (!chain) return std::nullopt;
    X509* last = chain->back().get();
    if (is_signed_by(last, last) || is_signed_by_one_of(last, roots_pem)) return std::nullopt;
    return name_text(X509_get_issuer_name(last));
}

std::optional<std::string> unknown_root(Bytes chain_pem, Bytes roots_pem) {
    const auto chain = read_chain(chain_pem);
    if (!chain) return std::nullopt;
    X509* last = chain->back().get();
    if (!is_signed_by(last, last) || is_signed_by_one_of(last, roots_pem)) return std::nullopt;
    return name_text(X509_get_subject_name(last));
}

}  // namespace porchlight::acme
