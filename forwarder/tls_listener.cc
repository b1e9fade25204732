#include "forwarder/tls_listener.h"

#include <utility>

namespace porchlight::forwarder {

Application TlsListener::application() const {
    if (!leg_.http) return Application::dot;
    return sessions_.doh_http1() ? Application::doh_by_http1 : Application::doh;
}

void TlsListener::take(FileDescriptor socket, const IpAddress& peer, bool is_own) {
    Counters& counters = sessions_.counters();
    std::uint64_t& refused =
        leg_.http ? counters.doh_connections_refused : counters.dot_connections_refused;
    Client* client = server_ ? sessions_.enter({peer, leg_.link, is_own}) : nullptr;
    if (client == nullptr) {
        ++refused;
        return;
    }
    SslHandle ssl = server_->accept(socket.get(), application());
    if (!ssl) {
        ++refused;
        return sessions_.leave(*client);
    }
    ++(leg_.http ? counters.doh_connections : counters.dot_connections);
    sessions_.open(Stream(std::move(socket), std::move(ssl)), client, leg_);
}

}  // namespace porchlight::forwarder
