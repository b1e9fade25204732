#include "agent/forwarder_word.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/control_server.h"
#include "agent/queries.h"
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

awaitable<std::string> ForwarderWord::ask_queries(ChannelLoop* forwarder) {
    const std::string none = std::string(refusal) + "the forwarder does not answer";
    if (forwarder == nullptr) co_return none;
    std::shared_ptr<Question> question = asked_queries_.lock();
    if (!question) {
        question.reset(new Question{asio::steady_timer(loop_, answers_within)});
        asked_queries_ = question;
        queries_.reset();
        forwarder->send(static_cast<std::uint16_t>(forwarder::Control::ask_queries), {});
    }
    error_code cancelled;
    co_await question->answered.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    const std::string told = queries_ ? queries_json(*queries_) : none;
    // What somebody wanted to see is not kept here.
    if (question.use_count() == 1) queries_.reset();
    co_return told;
}

void ForwarderWord::hear_queries(Bytes report) {
    if (auto parsed = forwarder::parse_query_report(report)) queries_ = std::move(*parsed);
    if (const auto question = asked_queries_.lock())
        question->answered.cancel();
    else
        queries_.reset();  // who asked has waited long enough
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
