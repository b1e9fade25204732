#include "agent/status_certificate.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace porchlight::agent {
namespace {

CertificateStatus served() {
    CertificateStatus certificate;
    certificate.source = "files";
    certificate.fit = true;
    return certificate;
}

TEST_SUITE("agent/status_certificate") {
    TEST_CASE("a certificate that asks for nothing has no remark and no staple") {
        CHECK(certificate_remarks(served()).empty());
        CHECK(render_certificate(certificate_json(served())) == "\nCertificate (from files)\n");
    }

    TEST_CASE("what says that it is not revoked is told, and who failed to") {
        CertificateStatus certificate = served();
        certificate.staple.responder = "http://ocsp.example/\x1b[31m";
        certificate.staple.required = true;
        certificate.staple.until = *parse_wall_time("2026-11-22T12:00:00Z");
        certificate.staple.next_attempt = *parse_wall_time("2026-11-22T10:00:00Z");
        certificate.staple.last_error = "HTTP status 500";
        CHECK(render_certificate(certificate_json(certificate)) ==
              "\nCertificate (from files)\n"
              "  not revoked, which hosts are shown until 2026-11-22T12:00:00Z\n"
              "  its responder http://ocsp.example/\\x1b[31m failed last time: HTTP status 500\n"
              "  next question to its responder: 2026-11-22T10:00:00Z\n");
    }

    TEST_CASE("that a newer one is not served is told, and why") {
        CertificateStatus certificate = served();
        certificate.passed_over = "expired on 2026-11-22T12:00:00Z";
        CHECK(
            render_certificate(certificate_json(certificate)) ==
            "\nCertificate (from files)\n"
            "  note: a newer certificate is not taken, the one before it stays in use: expired on "
            "2026-11-22T12:00:00Z\n");
    }

    TEST_CASE("one that demands a staple and has none is remarked on, as is a missing issuer") {
        CertificateStatus certificate = served();
        certificate.staple.required = true;
        certificate.missing_issuer = "CN=Nobody";
        const auto remarks = certificate_remarks(certificate);
        REQUIRE(remarks.size() == 2);
        CHECK(remarks[0] == missing_issuer_text("CN=Nobody"));
        CHECK(remarks[1] == staple_never_text);
        CHECK(render_certificate(certificate_json(certificate))
                  .find("  note: the chain ends with a certificate of CN=Nobody") !=
              std::string::npos);
        certificate.unknown_root = "CN=Home";
        CHECK(certificate_remarks(certificate)[1] == unknown_root_text("CN=Home"));
        certificate.unknown_root.reset();
        certificate.staple.responder = "http://ocsp.example/";
        CHECK(certificate_remarks(certificate)[1].find("none is there yet") != std::string::npos);
    }
}

}  // namespace
}  // namespace porchlight::agent
