#include "net/staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "net/openssl.h"

namespace porchlight::net {
namespace {

constexpr int status_request = 5;  // the TLS extension that RFC 7633 section 4.2.2 means
/// A responder's clock may be ahead of ours, as a CA's may.
constexpr std::chrono::seconds clock_skew_max{300};

using CertIdPtr = std::unique_ptr<OCSP_CERTID, FreeBy<OCSP_CERTID_free>>;
using RequestPtr = std::unique_ptr<OCSP_REQUEST, FreeBy<OCSP_REQUEST_free>>;
using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, FreeBy<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, FreeBy<OCSP_BASICRESP_free>>;
using StorePtr = std::unique_ptr<X509_STORE, FreeBy<X509_STORE_free>>;
using TermsPtr = std::unique_ptr<TLS_FEATURE, FreeBy<TLS_FEATURE_free>>;

/// Of a stack, and not of what is in it.
struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), FreeStack>;

struct FreeUrls {
    void operator()(STACK_OF(OPENSSL_STRING) * urls) const { X509_email_free(urls); }
};

/// The two certificates that OCSP is about.
struct Pair {
    X509Ptr leaf;
    X509Ptr issuer;  // null: not in the chain
};

Pair read_pair(Bytes chain_pem) {
    const auto no_passphrase = [](char*, int, int, void*) { return -1; };
    const BioPtr in = borrow(chain_pem);
    Pair pair;
    pair.leaf.reset(PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr));
    if (pair.leaf) pair.issuer.reset(PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    return pair;
}

Error malformed(const char* what) {
    ERR_clear_error();
    return {Errc::malformed, what};
}

/// By SHA-1, which all responders know (RFC 5019 section 2.1.1). It identifies, and proves nothing.
CertIdPtr id_of(const Pair& pair) {
    return CertIdPtr(OCSP_cert_to_id(nullptr, pair.leaf.get(), pair.issuer.get()));
}

WallTime wall_time(const ASN1_GENERALIZEDTIME* time) {
    tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return to_wall_time(parts);
}

/// The issuer is who is trusted, be it a root or not: whoever shows the staple shows the chain too.
bool is_signed(OCSP_BASICRESP* response, X509* issuer, std::optional<WallTime> wall) {
    const StorePtr store(X509_STORE_new());
    if (!store || X509_STORE_add_cert(store.get(), issuer) != 1) return false;
    X509_VERIFY_PARAM* terms = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_flags(terms, X509_V_FLAG_PARTIAL_CHAIN);
    if (wall)
        X509_VERIFY_PARAM_set_time(terms, to_time_t(*wall));
    else
        X509_VERIFY_PARAM_set_flags(terms, X509_V_FLAG_NO_CHECK_TIME);
    // Issuers that sign by themselves send no certificate along.
    const StackPtr signers(sk_X509_new_null());
    if (!signers || sk_X509_push(signers.get(), issuer) == 0) return false;
    return OCSP_basic_verify(response, signers.get(), store.get(), 0) == 1;
}

}  // namespace

StaplingTerms stapling_terms(Bytes chain_pem) {
    StaplingTerms terms;
    const Pair pair = read_pair(chain_pem);
    if (!pair.leaf) return terms;
    const std::unique_ptr<STACK_OF(OPENSSL_STRING), FreeUrls> urls(X509_get1_ocsp(pair.leaf.get()));
    for (int i = 0; i < sk_OPENSSL_STRING_num(urls.get()) && terms.responder.empty(); ++i) {
        const std::string_view url = sk_OPENSSL_STRING_value(urls.get(), i);
        if (url.starts_with("http://")) terms.responder = url;
    }
    const TermsPtr features(static_cast<TLS_FEATURE*>(
        X509_get_ext_d2i(pair.leaf.get(), NID_tlsfeature, nullptr, nullptr)));
    for (int i = 0; i < sk_ASN1_INTEGER_num(features.get()); ++i)
        terms.required |=
            ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features.get(), i)) == status_request;
    ERR_clear_error();
    return terms;
}

Result<Buffer> staple_request(Bytes chain_pem) {
    const Pair pair = read_pair(chain_pem);
    if (!pair.issuer) return malformed("the certificate's issuer is not in the chain");
    const RequestPtr request(OCSP_REQUEST_new());
    CertIdPtr id = id_of(pair);
    if (!request || !id || OCSP_request_add0_id(request.get(), id.get()) == nullptr)
        return malformed("no request can be made");
    (void)id.release();  // the request's now
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_REQUEST(request.get(), &der);
    if (size <= 0) return malformed("no request can be made");
    Buffer octets(der, der + size);
    OPENSSL_free(der);
    return octets;
}

Result<StapleSpan> check_staple(Bytes chain_pem, Bytes response_der, std::optional<WallTime> wall) {
    if (response_der.size() > staple_octets_max) return malformed("a response above 16 KiB");
    const Pair pair = read_pair(chain_pem);
    if (!pair.issuer) return malformed("the certificate's issuer is not in the chain");
    const unsigned char* at = response_der.data();
    const ResponsePtr response(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response_der.size())));
    // A client that decodes to the letter would end its handshake (RFC 6066 section 8).
    if (!response || at != response_der.data() + response_der.size())
        return malformed("not an OCSP response");
    if (const int status = OCSP_response_status(response.get());
        status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return Error{Errc::unavailable,
                     std::string("the responder says ") + OCSP_response_status_str(status)};
    const BasicPtr basic(OCSP_response_get1_basic(response.get()));
    if (!basic) return malformed("not a basic OCSP response");
    if (!is_signed(basic.get(), pair.issuer.get(), wall))
        return malformed("not signed by the certificate's issuer, nor for it");
    const CertIdPtr id = id_of(pair);
    int status = V_OCSP_CERTSTATUS_UNKNOWN, reason = 0;
    ASN1_GENERALIZEDTIME *revoked = nullptr, *from = nullptr, *until = nullptr;
    if (!id || OCSP_resp_find_status(basic.get(), id.get(), &status, &reason, &revoked, &from,
                                     &until) != 1)
        return malformed("about another certificate");
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return Error{Errc::refused,
                     std::string("the certificate's status is ") + OCSP_cert_status_str(status)};
    const StapleSpan span{wall_time(from), wall_time(until)};
    if (until == nullptr || span.next_update <= span.this_update)
        return malformed("it does not say how long it holds");
    if (wall && span.this_update > *wall + clock_skew_max) return malformed("from the future");
    if (wall && span.next_update <= *wall) return malformed("past its time");
    return span;
}

}  // namespace porchlight::net
