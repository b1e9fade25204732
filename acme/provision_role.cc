#include "acme/provision_role.h"

#include <poll.h>

#include "acme/provision.h"
#include "acme/staple.h"
#include "core/log.h"
// after what may include Asio
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace porchlight::acme {
namespace {

constexpr std::chrono::milliseconds job_wait_max{10000};

Result<net::ChannelMessage> receive_job(net::Channel& agent) {
    pollfd readable{agent.descriptor(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(job_wait_max.count())) <= 0)
        return Error{Errc::timeout, "no job came"};
    auto message = agent.receive();
    if (!message) return message.error();
    if (!*message) return Error{Errc::malformed, "a message that is no job"};
    return std::move(**message);
}

awaitable<void> work(Job job, Outcome& outcome) {
    const SystemTime time;
    SystemRandom random;
    outcome = co_await obtain(std::move(job), time, random);
}

awaitable<void> work(StapleJob job, StapleOutcome& outcome) {
    const SystemTime time;
    SystemRandom random;
    outcome = co_await fetch_staple(std::move(job), time, random);
}

/// The outcome of one job, whatever happens.
template <class SomeJob, class SomeOutcome>
Result<Buffer> done(SomeJob job, SomeOutcome outcome) {
    asio::io_context loop(1);
    asio::co_spawn(loop, work(std::move(job), outcome), [&](std::exception_ptr thrown) {
        if (!thrown) return;
        outcome.error = "the attempt broke off";
        if constexpr (requires { outcome.error_code; }) outcome.error_code = "acme.internal";
    });
    loop.run();
    Writer out;
    write(out, outcome);
    return out.take();
}

Result<Buffer> work_on(const net::ChannelMessage& message) {
    switch (static_cast<ProvisionMessage>(message.kind)) {
        case ProvisionMessage::job: {
            auto job = parse_job(message.body);
            return job ? done(std::move(*job), Outcome()) : job.error();
        }
        case ProvisionMessage::staple_job: {
            auto job = parse_staple_job(message.body);
            return job ? done(std::move(*job), StapleOutcome()) : job.error();
        }
        default:
            return Error{Errc::malformed, "a message that is no job"};
    }
}

}  // namespace

int run_provision(net::Channel agent) {
    const Result<net::ChannelMessage> message = receive_job(agent);
    if (!message) {
        log::error("no certificate job", {{"error", message.error().message}});
        return 1;
    }
    const Result<Buffer> body = work_on(*message);
    // An outcome's number follows its job's.
    const auto kind = static_cast<std::uint16_t>(message->kind + 1);
    const Result<void> sent = body ? agent.send(kind, *body) : Result<void>(body.error());
    if (!sent) log::error("no outcome sent", {{"error", sent.error().message}});
    return sent ? 0 : 1;
}

}  // namespace porchlight::acme
