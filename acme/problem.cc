#include "acme/problem.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>

#include "acme/json.h"

namespace porchlight::acme {
namespace {

using nlohmann::json;

constexpr std::string_view acme_prefix = "urn:ietf:params:acme:error:";
constexpr std::size_t subproblems_max = 32;
constexpr std::size_t text_octets_max = 1024;  // of a stranger's words in our log

Problem read_problem(const json& object) {
    Problem problem;
    problem.type = text_in(object, "type").substr(0, text_octets_max);
    if (problem.type.starts_with(acme_prefix)) problem.type.erase(0, acme_prefix.size());
    problem.detail = text_in(object, "detail").substr(0, text_octets_max);
    problem.identifier =
        text_in(object_in(object, "identifier"), "value").substr(0, text_octets_max);
    return problem;
}

std::string describe(const Problem& problem) {
    std::string text = problem.type;
    if (!problem.identifier.empty()) text += " (" + problem.identifier + ")";
    if (!problem.detail.empty()) text += ": " + problem.detail;
    for (const Problem& sub : problem.subproblems) text += "; " + describe(sub);
    return text;
}

std::optional<WallTime> parse_http_date(std::string_view text) {
    const std::string copy(text);
    tm parts{};
    const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != 0) return std::nullopt;
    return to_wall_time(parts);
}

}  // namespace

Problem problem_in(const json& object) {
    Problem problem = read_problem(object);
    for (const json& sub : array_in(object, "subproblems")) {
        if (problem.subproblems.size() >= subproblems_max) break;
        problem.subproblems.push_back(read_problem(sub));
    }
    return problem;
}

Problem parse_problem(const net::HttpResponse& response) {
    Problem problem;
    if (const auto body = parse_json(response.body)) problem = problem_in(*body);
    if (problem.type.empty()) problem.type = "http-" + std::to_string(response.status);
    return problem;
}

bool is_transient(const Problem& problem) {
    return problem.type == "serverInternal" || problem.type == "badNonce" ||
           problem.type == "http-500" || problem.type == "http-502" || problem.type == "http-503" ||
           problem.type == "http-504";
}

Failure failure_of(const Problem& problem, std::chrono::seconds retry_after) {
    return {"acme." + problem.type, describe(problem), retry_after};
}

std::optional<std::chrono::seconds> retry_after(const net::HttpResponse& response) {
    const std::string_view text = response.header("Retry-After");
    std::int64_t seconds = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (ec == std::errc::result_out_of_range) {
        seconds = INT64_MAX;
    } else if (ec != std::errc() || end != text.data() + text.size()) {
        const auto until = parse_http_date(text);
        const auto now = parse_http_date(response.header("Date"));
        if (!until || !now) return std::nullopt;
        seconds = (*until - *now).count();
    }
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 1, 86400));
}

}  // namespace porchlight::acme
