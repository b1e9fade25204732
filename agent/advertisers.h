#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/full_settings.h"
#include "agent/status.h"
#include "core/clock.h"
#include "core/file_descriptor.h"
#include "core/random.h"
#include "dns/name.h"
#include "net/asio.h"
#include "ra/announced.h"
#include "ra/link_announcer.h"

namespace porchlight::agent {

/// All that is sent by Router Advertisement: an announcer for each link that there are sockets for,
/// those that still take back what hosts of a former link know, and what whoever comes after a
/// crash must know of both.
class Advertisers {
  public:
    /// Both as parse_announced_links reads it.
    struct Store {
        std::function<void(Bytes octets)> announced;  // what hosts may know now
        /// The prefixes that they may know. Called when there are others, never for lifetimes.
        std::function<void(Bytes octets)> prefixes;
    };

    /// Called when a former link's hosts were told that nothing is left.
    using Left = std::function<void()>;

    /// `time` and `random` outlive it, and it outlives the loop's run.
    Advertisers(asio::any_io_executor loop, const TimeSource& time, Random& random, Store store,
                Left left);

    /// What a former process announced, as it was stored: `prefixes` may be from before a power
    /// cut. Before the first sockets.
    void adopt(Bytes announced, Bytes prefixes);
    /// New sockets for exactly the links that are announced on, two a link: raw ICMPv6, frames. An
    /// announcer that they replace hands over what its hosts know; one whose link is no longer ours
    /// takes it back.
    void use(const std::vector<std::string>& links, std::vector<FileDescriptor> sockets,
             std::chrono::seconds interval_max);
    /// What each link's hosts are told from now on. Who is not in it is
    /// told nothing.
    void tell(std::map<std::string, ra::TimedOptions> options, const Config& config,
              const Surroundings& around);
    /// Where we are the RA daemon, what is said beside the resolvers follows the links.
    void describe_links(const Config& config, const Surroundings& around);
    /// Takes everything back, and calls `done` when that is over, be it at once.
    void end(std::function<void()> done);

    /// Whether hosts of any link know anything that must be taken back some time.
    bool stands() const;
    /// The same of one link.
    bool stands(const std::string& link) const;
    /// Whether hosts of `link` are told of a resolver by that name, and it is not being taken back.
    bool tells(const std::string& link, const dns::Name& adn) const;
    /// Whether nothing is sent any more on any link, not even to take something back.
    bool gone() const { return announcers_.empty() && leaving_.empty(); }
    /// Completes `row`, of a link that we advertise on, with what came of it.
    void explain(CarrierStatus& row, RaCarrier carrier) const;

  private:
    const ra::TimedOptions& options_of(const std::string& link) const;
    void remember(const ra::Announced& announced);
    void remember_prefixes(const std::string& link, ra::NdOptions prefixes);
    void start_withdrawal(const std::string& name, std::shared_ptr<ra::LinkAnnouncer> announcer);
    awaitable<void> withdraw(std::string name, std::shared_ptr<ra::LinkAnnouncer> announcer);

    asio::any_io_executor loop_;
    const TimeSource& time_;
    Random& random_;
    Store store_;
    Left left_;
    // Shared with their own withdrawal, which may outlast their place here.
    std::map<std::string, std::shared_ptr<ra::LinkAnnouncer>> announcers_;
    std::map<std::string, std::shared_ptr<ra::LinkAnnouncer>> leaving_;  // take everything back
    std::size_t withdrawing_ = 0;
    std::map<std::string, ra::TimedOptions> options_;  // by link
    std::function<void()> done_;                       // set: the end has come
    std::map<std::string, ra::Announced> announced_;   // by link, as hosts may know it
    std::map<std::string, ra::NdOptions> prefixes_;    // by link, see agent/announced.h
};

}  // namespace porchlight::agent
