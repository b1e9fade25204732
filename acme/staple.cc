#include "acme/staple.h"

#include "acme/provision.h"
#include "core/fields.h"
#include "core/reader.h"
#include "net/http_client.h"
#include "net/staple.h"

namespace porchlight::acme {
namespace {

constexpr std::chrono::milliseconds fetch_max{30000};
constexpr unsigned http_ok = 200;

awaitable<Result<Buffer>> fetch(const StapleJob& job, net::StubResolver& resolver) {
    const net::StaplingTerms terms = net::stapling_terms(job.chain_pem);
    if (terms.responder.empty())
        co_return Error{Errc::refused, "the certificate names no responder"};
    const Result<Buffer> asked = net::staple_request(job.chain_pem);
    if (!asked) co_return asked.error();
    net::HttpRequest request;
    request.method = "POST";
    request.url = terms.responder;
    request.headers = {{"Content-Type", "application/ocsp-request"},
                       {"Accept", "application/ocsp-response"}};
    request.body = text_of(*asked);
    const Result<net::HttpResponse> response =
        co_await net::send_in_clear(resolver, std::move(request), fetch_max);
    if (!response) co_return response.error();
    if (response->status != http_ok)
        co_return Error{Errc::unavailable, "HTTP status " + std::to_string(response->status)};
    const Bytes body = bytes_of(response->body);
    co_return Buffer(body.begin(), body.end());
}

}  // namespace

void write(Writer& out, const StapleJob& job) {
    write_field(out, Bytes(job.chain_pem));
    write_list(out, job.resolvers, [&](const Bootstrap& one) { write(out, one); });
    write_field(out, Bytes(job.upstream_roots_pem));
}

Result<StapleJob> parse_staple_job(Bytes message) {
    Reader in(message);
    StapleJob job;
    job.chain_pem = read_octets_field(in);
    job.resolvers = read_list<Bootstrap>(in, read_bootstrap);
    job.upstream_roots_pem = read_octets_field(in);
    if (!in.finished()) return in.error("staple job");
    return job;
}

void write(Writer& out, const StapleOutcome& outcome) {
    write_field(out, Bytes(outcome.response_der));
    write_field(out, outcome.error);
    out.u8(outcome.revoked);
}

Result<StapleOutcome> parse_staple_outcome(Bytes message) {
    Reader in(message);
    StapleOutcome outcome;
    outcome.response_der = read_octets_field(in);
    outcome.error = read_text_field(in);
    outcome.revoked = in.u8() != 0;
    if (!in.finished()) return in.error("staple outcome");
    return outcome;
}

awaitable<StapleOutcome> fetch_staple(StapleJob job, const TimeSource& time, Random& random) {
    StapleOutcome outcome;
    const auto tls = net::TlsClient::create({job.upstream_roots_pem, {"dot"}, &time});
    if (!tls) {
        outcome.error = tls.error().message;
        co_return outcome;
    }
    net::StubResolver resolver(**tls, random, servers_of(job.resolvers));
    Result<Buffer> response = co_await fetch(job, resolver);
    if (!response) {
        outcome.error = response.error().message;
        co_return outcome;
    }
    const auto span = net::check_staple(job.chain_pem, *response, time.wall());
    if (span) {
        outcome.response_der = std::move(*response);
        co_return outcome;
    }
    outcome.error = span.error().message;
    outcome.revoked = span.error().code == Errc::refused;
    co_return outcome;
}

}  // namespace porchlight::acme
