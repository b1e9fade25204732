// The files that the configuration names and that others renew without a word: certificate and key.

#include "agent/config_files.h"
#include "agent/custody.h"
#include "agent/keeper.h"
#include "agent/state_files.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds files_looked_at{5};
constexpr const char* not_taken = "cannot take the certificate files, what was taken before stays";

void log_files(const Result<void>& taken) {
    if (taken)
        log::info("certificate files are good again");
    else
        log::warn(not_taken, {{"why", taken.error().message}});
}

}  // namespace

/// The octets of before stay until all of the new are there and fit each other.
void Keeper::look_at_files(Clock::time_point now) {
    if (now < files_look_) return;
    files_look_ = now + files_looked_at;
    FileMarks marks = marks_of(renewed_by_others(config_));
    // Whoever writes one may be about to write the other: they are read once nothing moved.
    const bool rest = marks == files_seen_;
    files_seen_ = std::move(marks);
    if (!rest) return;
    if (files_seen_ != files_taken_) {
        files_taken_ = files_seen_;
        const Result<void> taken = take_files();
        if (troubles_.note(not_taken, taken)) {
            log_files(taken);
            send_processes();
        }
    }
    if (reload_refused_) forget_refusal();
}

/// What was refused stays a finding until nobody asks for it any more: the file says what is in
/// force, and the files that it names are good.
void Keeper::forget_refusal() {
    const auto json = storage_.read(config_file_);
    if (!json || *json != config_json_ || !take_files()) return;
    log::info("the configuration file is again what is in force", {{"file", config_file_}});
    reload_refused_ = false;
    note(reload_was_refused, {});
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
