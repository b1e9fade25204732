#include "agent/status_certificate.h"

#include <nlohmann/json.hpp>

#include "core/escape.h"

namespace porchlight::agent {
namespace {

using Json = nlohmann::ordered_json;

Json staple_json(const StapleStatus& staple) {
    Json json{{"required", staple.required}};
    if (!staple.responder.empty()) json["responder"] = staple.responder;
    if (staple.until) json["until"] = porchlight::to_text(*staple.until);
    if (staple.next_attempt) json["next_attempt"] = porchlight::to_text(*staple.next_attempt);
    if (!staple.last_error.empty()) json["last_error"] = staple.last_error;
    json["fetches"] = {{"succeeded", staple.fetched}, {"failed", staple.failed}};
    return json;
}

std::string text_of(const Json& json, const char* key) {
    return json.contains(key) ? escape(json.at(key).get<std::string>()) : "";
}

std::string joined(const Json& parts, const std::string& between) {
    std::string text;
    for (const Json& part : parts)
        text += (text.empty() ? "" : between) + escape(part.get<std::string>());
    return text;
}

/// Nothing where there is neither a responder nor anybody who asks for one.
std::string render_staple(const Json& staple) {
    std::string text;
    if (staple.contains("until"))
        text += "  not revoked, which hosts are shown until " + text_of(staple, "until") + "\n";
    if (staple.contains("last_error"))
        text += "  its responder " + text_of(staple, "responder") +
                " failed last time: " + text_of(staple, "last_error") + "\n";
    if (staple.contains("next_attempt"))
        text += "  next question to its responder: " + text_of(staple, "next_attempt") + "\n";
    return text;
}

}  // namespace

std::string passed_over_text(const std::string& why) {
    return "a newer certificate is not taken, the one before it stays in use: " + why;
}

std::string missing_issuer_text(const std::string& issuer) {
    return "the chain ends with a certificate of " + issuer +
           ", which is not in it and no root that is known here: hosts that don't know it refuse "
           "the certificate";
}

std::string unknown_root_text(const std::string& root) {
    return "the chain ends with a root of its own, " + (root.empty() ? "without a name" : root) +
           ", which this machine does not know: hosts that don't know it refuse the certificate";
}

std::vector<std::string> certificate_remarks(const CertificateStatus& certificate) {
    std::vector<std::string> remarks;
    if (!certificate.passed_over.empty())
        remarks.push_back(passed_over_text(certificate.passed_over));
    if (certificate.missing_issuer)
        remarks.push_back(missing_issuer_text(*certificate.missing_issuer));
    if (certificate.unknown_root) remarks.push_back(unknown_root_text(*certificate.unknown_root));
    if (certificate.staple.required && !certificate.staple.until)
        remarks.push_back(certificate.staple.responder.empty()
                              ? staple_never_text
                              : "it demands a staple (RFC 7633) and none is there yet: hosts that "
                                "know that refuse it");
    return remarks;
}

Json certificate_json(const CertificateStatus& certificate) {
    Json json{{"source", certificate.source}, {"fit", certificate.fit}};
    if (!certificate.origin.empty()) json["origin"] = certificate.origin;
    if (!certificate.why.empty()) json["why"] = certificate.why;
    json["subject_alt_names"] = certificate.subject_alt_names;
    if (!certificate.issuer.empty()) json["issuer"] = certificate.issuer;
    if (certificate.not_before) json["not_before"] = porchlight::to_text(*certificate.not_before);
    if (certificate.not_after) json["not_after"] = porchlight::to_text(*certificate.not_after);
    if (certificate.next_attempt)
        json["next_attempt"] = porchlight::to_text(*certificate.next_attempt);
    if (!certificate.last_error.empty())
        json["last_error"] = {{"code", certificate.last_error_code},
                              {"text", certificate.last_error}};
    json["orders"] = {{"succeeded", certificate.orders_succeeded},
                      {"failed", certificate.orders_failed}};
    json["remarks"] = certificate_remarks(certificate);
    json["staple"] = staple_json(certificate.staple);
    return json;
}

std::string render_certificate(const Json& certificate) {
    std::string text = "\nCertificate (from " + text_of(certificate, "source") + ")\n";
    if (certificate.contains("not_after"))
        text += "  " + joined(certificate.at("subject_alt_names"), ", ") + ", issued by " +
                text_of(certificate, "issuer") + ", good until " +
                text_of(certificate, "not_after") + "\n";
    if (certificate.at("fit") != true) text += "  not fit: " + text_of(certificate, "why") + "\n";
    for (const Json& remark : certificate.at("remarks"))
        text += "  note: " + escape(remark.get<std::string>()) + "\n";
    text += render_staple(certificate.at("staple"));
    if (certificate.contains("last_error"))
        text += "  the last order failed: " + text_of(certificate.at("last_error"), "text") + " (" +
                text_of(certificate.at("last_error"), "code") + ")\n";
    if (certificate.contains("next_attempt"))
        text += "  next order: " + text_of(certificate, "next_attempt") + "\n";
    return text;
}

}  // namespace porchlight::agent
