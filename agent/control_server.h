#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/file_descriptor.h"
#include "core/result.h"
#include "net/asio.h"

namespace porchlight::agent {

/// How an answer begins that says why the request was refused.
inline constexpr std::string_view refusal = "refused: ";

/// A request: what the routers behind the interface that follows advertised of resolvers.
inline constexpr std::string_view forget_advertised = "forget advertised ";

/// Answers `porchlight status` and its like on the control socket: one line with a word comes in,
/// the answer goes out, the connection closes. Who may connect is the socket file's mode.
class ControlServer {
  public:
    /// Turns a request ("status") into its answer; called on the loop's thread.
    using Answer = std::function<awaitable<std::string>(std::string request)>;

    static constexpr std::size_t connections_max = 8;
    static constexpr std::size_t request_octets_max = 256;

    ControlServer(asio::any_io_executor loop, FileDescriptor listener, Answer answer);
    ~ControlServer();

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with coroutines, which may end after us
};

/// The other side: asks the daemon that owns `socket_path`. Fails with `unavailable` where none
/// runs. Blocks for at most ten seconds.
Result<std::string> ask_daemon(const std::string& socket_path, std::string_view request);

}  // namespace porchlight::agent
