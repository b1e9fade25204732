#include "agent/metrics_server.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <map>

#include "agent/metrics_places.h"
#include "agent/metrics_request.h"
#include "core/file_descriptor.h"
#include "core/log.h"
#include "net/socket_address.h"

namespace porchlight::agent {
namespace {

using asio::ip::tcp;
constexpr std::chrono::milliseconds accept_again_after{20};
constexpr auto outcome = asio::as_tuple(asio::use_awaitable);

bool switch_on(int fd, int level, int option) {
    const int on = 1;
    return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/// A listening socket that nothing reaches which came by another interface than its own.
Result<FileDescriptor> open_listening(const MetricsPlace& place) {
    const auto failed = [] { return Error{Errc::unavailable, std::strerror(errno)}; };
    const net::SocketAddress address(place.at);
    FileDescriptor socket(
        ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket || !switch_on(socket.get(), SOL_SOCKET, SO_REUSEADDR)) return failed();
    const std::string& interface = place.interface;
    if (!interface.empty() &&
        ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                     static_cast<socklen_t>(interface.size())) != 0)
        return failed();
    if (::bind(socket.get(), address.get(), address.size()) != 0 ||
        ::listen(socket.get(), static_cast<int>(MetricsServer::connections_max)) != 0)
        return failed();
    return socket;
}

tcp protocol_of(const MetricsPlace& place) {
    return std::holds_alternative<Ipv4>(place.at.address) ? tcp::v4() : tcp::v6();
}

}  // namespace

struct MetricsServer::State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor executor, Answer how)
        : loop(std::move(executor)), answer(std::move(how)) {}

    void listen();
    void open(const MetricsPlace& place);
    static awaitable<void> accept(std::shared_ptr<State> self,
                                  std::shared_ptr<tcp::acceptor> acceptor);
    static awaitable<void> serve(std::shared_ptr<State> self, tcp::socket accepted);
    awaitable<void> exchange(tcp::socket& socket);

    asio::any_io_executor loop;
    Answer answer;
    MetricsPlaces wanted;
    std::map<MetricsPlace, std::shared_ptr<tcp::acceptor>> listening;  // shared with accept()
    std::map<MetricsPlace, std::string> unopened;                      // and why
    std::size_t connections = 0;
};

MetricsServer::MetricsServer(asio::any_io_executor loop, Answer answer)
    : state_(std::make_shared<State>(std::move(loop), std::move(answer))) {}

MetricsServer::~MetricsServer() {
    error_code ignored;
    for (const auto& [place, acceptor] : state_->listening) acceptor->close(ignored);
}

void MetricsServer::follow(const Config& config, const std::vector<net::Link>& links) {
    state_->wanted = metrics_places(config, links);
    state_->listen();
}

std::vector<std::string> MetricsServer::hindered() const {
    std::vector<std::string> list;
    const auto add = [&](const Endpoint& at, const std::string& why) {
        list.push_back("serve metrics at " + to_text(at) + " (" + why + ")");
    };
    for (const auto& [at, why] : state_->wanted.refused) add(at, why);
    for (const auto& [place, why] : state_->unopened) add(place.at, why);
    return list;
}

void MetricsServer::State::listen() {
    const auto is_wanted = [&](const MetricsPlace& place) {
        return std::find(wanted.open.begin(), wanted.open.end(), place) != wanted.open.end();
    };
    std::erase_if(unopened, [&](const auto& one) { return !is_wanted(one.first); });
    std::erase_if(listening, [&](const auto& one) {
        if (is_wanted(one.first)) return false;
        error_code ignored;
        one.second->close(ignored);
        return true;
    });
    for (const MetricsPlace& place : wanted.open)
        if (!listening.contains(place)) open(place);
}

void MetricsServer::State::open(const MetricsPlace& place) {
    auto socket = open_listening(place);
    if (!socket) {
        std::string& why = unopened[place];
        if (why != socket.error().message)
            log::warn("cannot serve metrics",
                      {{"at", to_text(place.at)}, {"error", socket.error().message}});
        why = socket.error().message;
        return;
    }
    unopened.erase(place);
    const auto acceptor =
        std::make_shared<tcp::acceptor>(loop, protocol_of(place), socket->release());
    listening[place] = acceptor;
    log::info("serving metrics", {{"at", to_text(place.at)}, {"interface", place.interface}});
    asio::co_spawn(loop, accept(shared_from_this(), acceptor), asio::detached);
}

awaitable<void> MetricsServer::State::accept(std::shared_ptr<State> self,
                                             std::shared_ptr<tcp::acceptor> acceptor) {
    asio::steady_timer pause(self->loop);
    while (acceptor->is_open()) {
        auto [failed, socket] = co_await acceptor->async_accept(outcome);
        if (failed == asio::error::operation_aborted) co_return;
        // Who asks without end, or while no descriptor is left, shall leave time for the rest.
        do {
            pause.expires_after(accept_again_after);
            co_await pause.async_wait(outcome);
        } while (self->connections >= connections_max);
        if (failed) continue;
        ++self->connections;
        asio::co_spawn(self->loop, serve(self, std::move(socket)), asio::detached);
    }
}

awaitable<void> MetricsServer::State::serve(std::shared_ptr<State> self, tcp::socket accepted) {
    // Shared, so that a limit that ran out at the last moment finds nothing to close.
    const auto socket = std::make_shared<tcp::socket>(std::move(accepted));
    asio::steady_timer limit(self->loop, exchange_max);
    limit.async_wait([open = std::weak_ptr(socket)](error_code cancelled) {
        if (const auto still = open.lock(); still && !cancelled) still->close(cancelled);
    });
    co_await self->exchange(*socket);
    limit.cancel();
    --self->connections;
}

awaitable<void> MetricsServer::State::exchange(tcp::socket& socket) {
    std::string octets;
    std::array<char, 2048> part;
    std::optional<MetricsRequest> request;
    while (!request) {
        const auto [failed, size] = co_await socket.async_read_some(asio::buffer(part), outcome);
        if (failed) co_return;
        octets.append(part.data(), size);
        request = read_metrics_request(octets);
    }
    std::string metrics;
    if (request->status == 200) {
        std::string now = co_await answer();
        metrics = std::move(now);
    }
    const std::string response = metrics_response(*request, metrics);
    const auto [unheard, written] =
        co_await asio::async_write(socket, asio::buffer(response), outcome);
    if (unheard) co_return;
    // To close with octets unread would take the answer back from who sent more than a header.
    error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    for (;;) {
        const auto [ended, size] = co_await socket.async_read_some(asio::buffer(part), outcome);
        if (ended) co_return;
    }
}

}  // namespace porchlight::agent
