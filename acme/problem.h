#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "acme/failure.h"
#include "core/clock.h"
#include "net/http_client.h"

namespace porchlight::acme {

/// Why a CA said no (RFC 7807, RFC 8555 section 6.7).
struct Problem {
    std::string type;                  // "badNonce"; a type that isn't ACME's own stays a whole URI
    std::string detail;                // for people
    std::string identifier;            // the name that it is about; empty: none in particular
    std::vector<Problem> subproblems;  // one level deep (section 6.7.1)
};

Problem problem_in(const nlohmann::json& object);
/// Of a response that is no success, even if its body says nothing: then the type is "http-503".
Problem parse_problem(const net::HttpResponse& response);

/// Whether the same request may succeed a little later without anybody's doing.
bool is_transient(const Problem& problem);
/// The reason with its subproblems, for people; the code is "acme." and the type.
Failure failure_of(const Problem& problem, std::chrono::seconds retry_after = {});

/// What Retry-After asks for: seconds, or a date, which is compared with the response's own Date,
/// since our clock may be wrong (RFC 9110 section 10.2.3). Between a second and a day; nothing if
/// there is none or it's unreadable.
std::optional<std::chrono::seconds> retry_after(const net::HttpResponse& response);

}  // namespace porchlight::acme
