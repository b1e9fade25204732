#include "forwarder/dot_listener.h"

#include <utility>

namespace porchlight::forwarder {

void DotListener::take(FileDescriptor socket, const IpAddress& peer, bool is_own) {
    Counters& counters = sessions_.counters();
    Client* client =
        server_ ? sessions_.admission().enter(peer, is_own, sessions_.limits(), sessions_.now())
                : nullptr;
    if (client == nullptr) {
        ++counters.dot_connections_refused;
        return;
    }
    SslHandle ssl = server_->accept(socket.get());
    if (!ssl) {
        ++counters.dot_connections_refused;
        return sessions_.admission().leave(*client);
    }
    ++counters.dot_connections;
    sessions_.open(Stream(std::move(socket), std::move(ssl)), client,
                   {.encrypted = true, .stream = true, .link = link_});
}

}  // namespace porchlight::forwarder
