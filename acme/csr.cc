#include "acme/csr.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace porchlight::acme {
namespace {

using net::FreeBy;
using RequestPtr = std::unique_ptr<X509_REQ, FreeBy<X509_REQ_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, FreeBy<GENERAL_NAMES_free>>;

void free_extensions(STACK_OF(X509_EXTENSION) * extensions) {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
using ExtensionsPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeBy<free_extensions>>;

GeneralNamesPtr general_names(const std::vector<dns::Name>& names) {
    GeneralNamesPtr list(GENERAL_NAMES_new());
    for (const dns::Name& name : names) {
        const std::string host = dns::to_host(name);
        ASN1_IA5STRING* text = ASN1_IA5STRING_new();
        ASN1_STRING_set(text, host.data(), static_cast<int>(host.size()));
        GENERAL_NAME* entry = GENERAL_NAME_new();
        GENERAL_NAME_set0_value(entry, GEN_DNS, text);
        sk_GENERAL_NAME_push(list.get(), entry);
    }
    return list;
}

}  // namespace

Result<Buffer> make_csr(const Key& key, const std::vector<dns::Name>& names) {
    ERR_clear_error();
    const RequestPtr request(X509_REQ_new());
    const GeneralNamesPtr sans = general_names(names);
    STACK_OF(X509_EXTENSION)* extensions = nullptr;
    const bool added = X509V3_add1_i2d(&extensions, NID_subject_alt_name, sans.get(), 0, 0) == 1;
    const ExtensionsPtr owner(extensions);
    if (!request || !added || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
        X509_REQ_add_extensions(request.get(), extensions) != 1 ||
        X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
        X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0)
        return Error{Errc::internal, "cannot make a request: " + net::take_openssl_reason()};
    std::uint8_t* der = nullptr;
    const int size = i2d_X509_REQ(request.get(), &der);
    Buffer octets(der, der + std::max(size, 0));
    OPENSSL_free(der);
    return octets;
}

}  // namespace porchlight::acme
