// The files that the configuration names and that others renew without a word: certificate and key.

#include "agent/config_files.h"
#include "agent/custody.h"
#include "agent/keeper.h"
#include "agent/state_files.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds files_looked_at{5};
constexpr const char* not_taken = "certificate files changed, but the former ones stay in use";

}  // namespace

/// The octets of before stay until all of the new are there and fit each other.
void Keeper::look_at_files(Clock::time_point now) {
    if (now < files_look_) return;
    files_look_ = now + files_looked_at;
    FileMarks marks = marks_of(renewed_by_others(config_));
    // Whoever writes one may be about to write the other: they are read once nothing moved.
    const bool rest = marks == files_seen_;
    files_seen_ = std::move(marks);
    if (!rest || files_seen_ == files_taken_) return;
    files_taken_ = files_seen_;
    note(not_taken, take_files());
}

Result<void> Keeper::take_files() {
    auto named = read_named_files(config_file_, config_, config_json_, storage_);
    if (!named) return named.error();
    if (const auto useless = why_useless(config_file_, config_, *named))
        return Error{Errc::refused, to_text(*useless)};
    const World before = named_;
    hold(std::move(*named));
    if (named_ == before) return {};
    log::info("certificate files changed");
    send_world();
    return {};
}

/// In place of what was held; but a certificate that is not good takes no good one's place.
void Keeper::hold(World named) {
    const SystemTime time;
    keep_former(named.certificates, named_.certificates, config_, time.wall(), time.wall_trusted());
    named_ = std::move(named);
}

/// They were read by another way, perhaps while one was written: they are looked at anew.
void Keeper::forget_files() {
    files_taken_.clear();
    files_seen_.clear();
    note(not_taken, {});
}

}  // namespace porchlight::agent
