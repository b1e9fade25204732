#include "acme/schedule.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "acme/json.h"

namespace porchlight::acme {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<seconds, 11> failure_waits{minutes(1),  minutes(2),  minutes(5), minutes(10),
                                                minutes(20), minutes(30), hours(1),   hours(2),
                                                hours(3),    hours(6),    hours(24)};
constexpr seconds short_life_max = hours(240);
constexpr seconds urgent_wait_max = hours(1);
constexpr seconds urgent_wait_min = minutes(1);
constexpr seconds retry_after_max = hours(24);

/// Between nothing and `whole`, as the jitter says.
seconds share(seconds whole, std::uint16_t jitter) {
    return seconds(whole.count() * jitter / 65536);
}

std::uint16_t draw(Random& random) {
    return static_cast<std::uint16_t>(random.below(65536));
}

seconds failure_wait(unsigned failures) {
    return failure_waits[std::min<std::size_t>(failures, failure_waits.size()) - 1];
}

}  // namespace

WallTime renewal_time(const Validity& certificate, std::uint16_t jitter) {
    const seconds life = certificate.not_after - certificate.not_before;
    const seconds regular = life <= short_life_max ? life / 2 : life * 2 / 3;
    return certificate.not_before + regular - share(life / 20, jitter);
}

WallTime next_attempt(const std::optional<Validity>& certificate, const Attempts& attempts,
                      WallTime now) {
    const WallTime due = certificate ? renewal_time(*certificate, attempts.jitter) : now;
    if (attempts.failures == 0) return due;

    seconds wait = failure_wait(attempts.failures);
    if (certificate) {
        const seconds life = certificate->not_after - certificate->not_before;
        if (now > certificate->not_after - life / 20)
            wait = std::min(wait, std::clamp(life / 50, urgent_wait_min, urgent_wait_max));
    }
    wait += share(wait / 10, attempts.jitter);
    wait = std::max(wait, std::min(attempts.retry_after, retry_after_max));
    // A last attempt in the future was noted by a clock that has been set back since.
    return std::max(due, std::min(attempts.last, now) + wait);
}

Attempts after_failure(Attempts attempts, WallTime now, seconds retry_after, std::string code,
                       std::string error, Random& random) {
    ++attempts.failures;
    attempts.last = now;
    attempts.retry_after = retry_after;
    attempts.jitter = draw(random);
    attempts.error_code = std::move(code);
    attempts.error = std::move(error);
    return attempts;
}

Attempts after_success(Random& random) {
    Attempts attempts;
    attempts.jitter = draw(random);
    return attempts;
}

std::string write_attempts(const Attempts& attempts) {
    return json_text({{"failures", attempts.failures},
                      {"last", to_text(attempts.last)},
                      {"retry_after_s", attempts.retry_after.count()},
                      {"jitter", attempts.jitter},
                      {"error_code", attempts.error_code},
                      {"error", attempts.error}}) +
           "\n";
}

Result<Attempts> parse_attempts(std::string_view text) {
    const auto parsed = parse_json(text);
    if (!parsed) return parsed.error().within("attempts");
    const auto number = [&](const char* member, std::uint64_t most) {
        const auto found = parsed->find(member);
        const bool is_number = found != parsed->end() && found->is_number_unsigned();
        return is_number ? std::min(found->get<std::uint64_t>(), most) : 0;
    };
    const std::optional<WallTime> last = parse_wall_time(text_in(*parsed, "last"));
    if (!last) return Error{Errc::malformed, "attempts: no time of the last one"};
    Attempts attempts;
    attempts.failures = static_cast<unsigned>(number("failures", 1000));
    attempts.last = *last;
    attempts.retry_after =
        seconds(number("retry_after_s", static_cast<std::uint64_t>(retry_after_max.count())));
    attempts.jitter = static_cast<std::uint16_t>(number("jitter", 65535));
    attempts.error_code = text_in(*parsed, "error_code");
    attempts.error = text_in(*parsed, "error");
    return attempts;
}

}  // namespace porchlight::acme
