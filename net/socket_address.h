#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "core/address.h"

namespace porchlight::net {

/// An Endpoint in the form of the socket calls, and back.
class SocketAddress {
  public:
    SocketAddress() = default;  // room for the kernel to write into; size() is the whole room
    explicit SocketAddress(const Endpoint& endpoint);

    int family() const { return storage_.ss_family; }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage_); }
    socklen_t size() const { return size_; }
    socklen_t* size_pointer() { return &size_; }
    /// Nothing if the family is neither IPv4 nor IPv6.
    std::optional<Endpoint> endpoint() const;

  private:
    sockaddr_storage storage_{};
    socklen_t size_ = sizeof(sockaddr_storage);
};

}  // namespace porchlight::net
