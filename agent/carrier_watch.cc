#include "agent/carrier_watch.h"

#include <unistd.h>

#include <algorithm>

#include "agent/odhcpd.h"
#include "agent/plan.h"
#include "agent/state_files.h"
#include "core/log.h"

namespace porchlight::agent {
namespace {

/// odhcpd reads its configuration again without becoming another process.
constexpr std::chrono::minutes uci_asked_every{1};

}  // namespace

CarrierWatch::CarrierWatch(const Config& asked, Storage& storage, Clock::time_point now) {
    if (storage.read(StatePaths(asked).odhcpd)) odhcpd_.note(true, now);
}

Found CarrierWatch::look(const Config& asked, Clock::time_point now) {
    if (!announces(asked) || !depends_on_found(asked)) return {};
    return {.odhcpd = sees_odhcpd(asked, now)};
}

Found CarrierWatch::look_anew(const Config& asked, Clock::time_point now) {
    ask_at_ = {};
    return look(asked, now);
}

void CarrierWatch::log_choice(const AnnounceConfig& asked, const AnnounceConfig& resolved) {
    std::vector<ChosenCarrier> chosen = chosen_carriers(asked, resolved);
    const bool open = std::any_of(chosen.begin(), chosen.end(),
                                  [](const ChosenCarrier& one) { return one.automatic; });
    if (open && chosen != logged_)
        log::info("carriers are chosen by what runs here", {{chosen[0].carrier, chosen[0].by},
                                                            {chosen[1].carrier, chosen[1].by},
                                                            {chosen[2].carrier, chosen[2].by}});
    logged_ = std::move(chosen);
}

bool CarrierWatch::sees_odhcpd(const Config& asked, Clock::time_point now) {
    // Without UCI there is no odhcpd that we could tell, and no need to go through all processes.
    const bool may_run = ::access(asked.odhcpd.uci.c_str(), X_OK) == 0;
    const auto running = may_run ? odhcpd_processes() : std::vector<pid_t>();
    const bool others = running != processes_;
    processes_ = running;
    if (running.empty()) return odhcpd_.note(false, now);
    if (others || now >= ask_at_) ask_uci(asked, now);
    // One that runs and is to serve other links is not restarting.
    if (!serves_) odhcpd_.forget();
    return odhcpd_.note(serves_, now);
}

void CarrierWatch::ask_uci(const Config& asked, Clock::time_point now) {
    const Result<bool> answer = odhcpd_serves(asked);
    serves_ = answer ? *answer : odhcpd_.there(now);
    ask_at_ = answer ? now + uci_asked_every : now;
    log_failure(answer);
}

void CarrierWatch::log_failure(const Result<bool>& answer) {
    if (!answer && !unasked_)
        log::warn("UCI can't be asked whom odhcpd serves, carriers stay as they are",
                  {{"error", answer.error().message}});
    unasked_ = !answer;
}

}  // namespace porchlight::agent
