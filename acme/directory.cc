#include "acme/directory.h"

#include <nlohmann/json.hpp>

#include "acme/json.h"
#include "net/http_client.h"

namespace porchlight::acme {

Result<Directory> parse_directory(std::string_view text) {
    const auto parsed = parse_json(text);
    if (!parsed) return parsed.error().within("directory");
    Directory directory;
    directory.new_nonce = text_in(*parsed, "newNonce");
    directory.new_account = text_in(*parsed, "newAccount");
    directory.new_order = text_in(*parsed, "newOrder");
    directory.revoke_certificate = text_in(*parsed, "revokeCert");
    directory.key_change = text_in(*parsed, "keyChange");
    directory.renewal_info = text_in(*parsed, "renewalInfo");
    for (const std::string* url :
         {&directory.new_nonce, &directory.new_account, &directory.new_order})
        if (!net::parse_https_url(*url))
            return Error{Errc::malformed, "directory: lacks newNonce, newAccount or newOrder"};

    const nlohmann::json& meta = object_in(*parsed, "meta");
    directory.terms_of_service = text_in(meta, "termsOfService");
    directory.website = text_in(meta, "website");
    directory.caa_identities = texts_in(meta, "caaIdentities");
    for (const auto& [name, description] : object_in(meta, "profiles").items())
        directory.profiles.push_back(name);
    const auto required = meta.find("externalAccountRequired");
    directory.external_account_required =
        required != meta.end() && required->is_boolean() && required->get<bool>();
    return directory;
}

}  // namespace porchlight::acme
