#include "agent/child.h"

#include <poll.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include "agent/spawn.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::milliseconds goes_within{2000};

std::string how(int status) {
    if (WIFSIGNALED(status)) return std::string("killed by ") + ::strsignal(WTERMSIG(status));
    return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<void> Child::start(const std::vector<int>& more, Clock::time_point now) {
    backoff_.started(now);
    auto ends = net::Channel::pair();
    if (!ends) {
        start_at_ = backoff_.died(now);
        return ends.error().within(name_);
    }
    std::vector<int> descriptors{ends->second.descriptor()};
    descriptors.insert(descriptors.end(), more.begin(), more.end());
    auto pid = spawn_role(arguments_, descriptors);
    if (!pid) {
        start_at_ = backoff_.died(now);
        return pid.error().within(name_);
    }
    pid_ = *pid;
    channel_ = std::move(ends->first);
    start_at_.reset();
    unanswered_ = 0;
    hung_ = false;
    next_question_ = now + question_interval;
    ++starts_;
    log::info("started", {{"role", name_}, {"pid", std::to_string(pid_)}});
    return {};
}

void Child::ended(int status, Clock::time_point now) {
    start_at_ = backoff_.died(now);
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*start_at_ - now);
    log::warn("a process ended, starting it again",
              {{"role", name_}, {"how", how(status)}, {"in", to_text(wait)}});
    pid_ = 0;
    channel_ = net::Channel();
}

void Child::finished() {
    pid_ = 0;
    channel_ = net::Channel();
    start_at_.reset();
}

void Child::watch(std::uint16_t question, Clock::time_point now) {
    if (!running() || now < next_question_) return;
    next_question_ = now + question_interval;
    if (unanswered_ >= unanswered_max) {
        log::error("a process no longer answers, killing it", {{"role", name_}});
        hung_ = true;
        ::kill(pid_, SIGKILL);
        return;
    }
    ++unanswered_;
    send(question, {});
}

void Child::lost() {
    channel_ = net::Channel();
    ::kill(pid_, SIGKILL);
}

void Child::stop() {
    if (!running()) return;
    channel_ = net::Channel();
    const auto until = Clock::now() + goes_within;
    while (::waitpid(pid_, nullptr, WNOHANG) == 0) {
        if (Clock::now() >= until) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            break;
        }
        ::poll(nullptr, 0, 5);
    }
    pid_ = 0;
}

bool Child::send(std::uint16_t kind, Bytes body, const std::vector<int>& descriptors) {
    if (!running() || !channel_) return false;
    const auto sent = channel_.send(kind, body, descriptors);
    if (!sent) log::warn("a message was lost", {{"role", name_}, {"error", sent.error().message}});
    return bool(sent);
}

}  // namespace porchlight::agent
