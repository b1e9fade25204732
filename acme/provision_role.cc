#include "acme/provision_role.h"

#include <poll.h>

#include "acme/provision.h"
#include "core/log.h"
// after what may include Asio
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace porchlight::acme {
namespace {

constexpr std::chrono::milliseconds job_wait_max{10000};

Result<Job> receive_job(net::Channel& agent) {
    pollfd readable{agent.descriptor(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(job_wait_max.count())) <= 0)
        return Error{Errc::timeout, "no job came"};
    auto message = agent.receive();
    if (!message) return message.error();
    if (!*message || (*message)->kind != static_cast<std::uint16_t>(ProvisionMessage::job))
        return Error{Errc::malformed, "a message that is no job"};
    return parse_job((*message)->body);
}

awaitable<void> work(Job job, Outcome& outcome) {
    const SystemTime time;
    SystemRandom random;
    outcome = co_await obtain(std::move(job), time, random);
}

}  // namespace

int run_provision(net::Channel agent) {
    Result<Job> job = receive_job(agent);
    if (!job) {
        log::error("no certificate job", {{"error", job.error().message}});
        return 1;
    }
    Outcome outcome;
    asio::io_context loop(1);
    asio::co_spawn(loop, work(std::move(*job), outcome), [&](std::exception_ptr thrown) {
        if (!thrown) return;
        outcome.error_code = "acme.internal";
        outcome.error = "the attempt broke off";
    });
    loop.run();

    Writer out;
    write(out, outcome);
    const Result<Buffer> body = out.take();
    const auto kind = static_cast<std::uint16_t>(ProvisionMessage::outcome);
    const Result<void> sent = body ? agent.send(kind, *body) : Result<void>(body.error());
    if (!sent) log::error("no outcome sent", {{"error", sent.error().message}});
    return sent ? 0 : 1;
}

}  // namespace porchlight::acme
