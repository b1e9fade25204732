#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/file_descriptor.h"
#include "core/random.h"
#include "net/asio.h"
#include "ra/heard_offers.h"

namespace porchlight::net {
struct Link;
}

namespace porchlight::ra {

/// Hears the Router Advertisements of one WAN link: the loop around HeardOffers. Needs no
/// privilege, for the socket (open_wan_socket) is handed over; when the interface goes and comes
/// again, so must it.
/// - Solicits as a host does (Solicitations) whenever the link has come up, from a link-local
///   address. Nothing else is ever sent.
/// - What was heard lasts as long as it was told to, also while the link is down or gone. What was
///   told for ever must be told again within `answers_within` when the link is back: the routers
///   there may be others.
class WanListener {
  public:
    /// Another advertisement came, or something that was heard has ended.
    using OnNews = std::function<void()>;

    static constexpr int messages_per_turn_max = 16;
    /// From the link's coming to the answer of a router that lives by RFC 4861: a second until it
    /// is asked (section 6.3.7), three and a half until it may answer (6.2.6), and four more where
    /// the first solicitation was lost.
    static constexpr std::chrono::seconds answers_within{10};
    /// Between lines on what does not count: whoever is on the link can repeat it for ever.
    static constexpr std::chrono::minutes complaints_every{10};

    /// `time` and `random` must outlive the executor's run.
    WanListener(asio::any_io_executor executor, std::string interface, const TimeSource& time,
                Random& random, OnNews on_news);
    WanListener(WanListener&&) = default;
    WanListener& operator=(WanListener&&) = delete;
    ~WanListener() { close(); }

    /// Hears by this socket from now on.
    void use(FileDescriptor socket);
    bool hears() const;
    void set_forms(const dns::Forms& forms);
    /// The link as it was read last; none: there is no such.
    void set_link(const net::Link* link);

    const HeardOffers& heard() const;
    /// Forgets it all, and asks the routers again. OnNews follows.
    void forget();
    /// Sent so far.
    std::uint64_t solicitations() const;
    /// No OnNews follows.
    void close();

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the waiting coroutines, which may end after us
};

}  // namespace porchlight::ra
