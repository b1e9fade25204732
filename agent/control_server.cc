#include "agent/control_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "core/clock.h"

namespace porchlight::agent {
namespace {

using Stream = asio::local::stream_protocol;
constexpr auto outcome = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds exchange_max{10};

}  // namespace

struct ControlServer::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor loop, FileDescriptor listener, Answer how)
        : acceptor(loop, Stream(), listener.release()), answer(std::move(how)) {}

    Stream::acceptor acceptor;
    Answer answer;
    std::size_t connections = 0;

    static awaitable<void> accept(std::shared_ptr<State> self) {
        for (;;) {
            auto [failed, socket] = co_await self->acceptor.async_accept(outcome);
            if (failed == asio::error::operation_aborted) co_return;
            if (failed || self->connections >= connections_max) continue;
            ++self->connections;
            asio::co_spawn(self->acceptor.get_executor(), serve(self, std::move(socket)),
                           asio::detached);
        }
    }

    static awaitable<void> serve(std::shared_ptr<State> self, Stream::socket accepted) {
        // Shared, so that a limit that ran out at the last moment finds nothing to close.
        const auto socket = std::make_shared<Stream::socket>(std::move(accepted));
        asio::steady_timer limit(socket->get_executor(), exchange_max);
        limit.async_wait([open = std::weak_ptr(socket)](error_code cancelled) {
            if (const auto still = open.lock(); still && !cancelled) still->close(cancelled);
        });
        std::string request;
        auto buffer = asio::dynamic_buffer(request, request_octets_max);
        auto [unread, size] = co_await asio::async_read_until(*socket, buffer, '\n', outcome);
        if (!unread) {
            request.resize(size - 1);
            const std::string text = co_await self->answer(std::move(request));
            error_code unheard;  // whoever asked may be gone
            co_await asio::async_write(*socket, asio::buffer(text),
                                       asio::redirect_error(asio::use_awaitable, unheard));
        }
        limit.cancel();
        --self->connections;
    }
};

ControlServer::ControlServer(asio::any_io_executor loop, FileDescriptor listener, Answer answer)
    : state_(std::make_shared<State>(loop, std::move(listener), std::move(answer))) {
    asio::co_spawn(loop, State::accept(state_), asio::detached);
}

ControlServer::~ControlServer() {
    error_code ignored;
    state_->acceptor.close(ignored);
}

Result<std::string> ask_daemon(const std::string& socket_path, std::string_view request) {
    const auto failed = [&](const char* doing) {
        const Errc code = errno == EACCES ? Errc::denied : Errc::unavailable;
        return Error{code, std::string(doing) + " " + socket_path + ": " + std::strerror(errno)};
    };
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path)
        return Error{Errc::refused, socket_path + " is too long for a socket's name"};
    std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
    const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket ||
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return failed("cannot reach a daemon at");
    const std::string line = std::string(request) + "\n";
    if (::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(line.size()))
        return failed("cannot ask");
    std::string answer;
    const auto until = Clock::now() + exchange_max;
    for (;;) {
        pollfd wait{socket.get(), POLLIN, 0};
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) == 0)
            return Error{Errc::timeout, "the daemon at " + socket_path + " does not answer"};
        char part[4096];
        const ssize_t got = ::read(socket.get(), part, sizeof part);
        if (got < 0) return failed("cannot hear");
        if (got == 0) break;
        answer.append(part, static_cast<std::size_t>(got));
    }
    if (answer.empty()) return Error{Errc::unavailable, "the daemon hung up without an answer"};
    return answer;
}

}  // namespace porchlight::agent
