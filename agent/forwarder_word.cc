#include "agent/forwarder_word.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "forwarder/control.h"

namespace porchlight::agent {

struct ForwarderWord::Question {
    asio::steady_timer answered;
};

awaitable<void> ForwarderWord::ask(ChannelLoop* forwarder) {
    if (forwarder == nullptr) co_return status_.reset();
    std::shared_ptr<Question> question = asked_.lock();
    if (!question) {
        question.reset(new Question{asio::steady_timer(loop_, answers_within)});
        asked_ = question;
        status_.reset();
        forwarder->send(static_cast<std::uint16_t>(forwarder::Control::ask_status), {});
    }
    error_code cancelled;
    co_await question->answered.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

void ForwarderWord::hear(Bytes status) {
    if (auto parsed = forwarder::parse_status(status)) {
        totals_.hear(parsed->counters);
        status_ = std::move(*parsed);
    }
    if (const auto question = asked_.lock()) question->answered.cancel();
}

void ForwarderWord::lose() {
    status_.reset();
    totals_.lose();
}

}  // namespace porchlight::agent
