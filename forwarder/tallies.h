#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/address.h"
#include "core/clock.h"
#include "core/random.h"
#include "forwarder/bucket.h"
#include "forwarder/keyed_hash.h"
#include "forwarder/link_name.h"
#include "net/frame.h"

namespace porchlight::forwarder {

class Client;

/// Whose tally it is: a kind, a link and an address, as octets. Addresses of one link say nothing
/// of those of another: whoever knows a host's link-local address can take it elsewhere.
using TallyKey = std::array<std::uint8_t, 33>;
TallyKey key_of(const LinkName& link, const net::MacAddress& mac);
TallyKey key_of(const LinkName& link, const IpAddress& address);
/// Of the /24 or the /56 that `address` is in.
TallyKey key_of_prefix(const LinkName& link, const IpAddress& address);
/// Of a MAC address.
bool is_host_known(const TallyKey& key);
bool is_prefix(const TallyKey& key);

/// What is counted of one host, of one address that may be a host, or of all who come from one
/// prefix. Members without a word are for who holds Admission's lock; the others are for any
/// thread.
struct Tally {
    TallyKey key{};
    std::vector<Client*> open;     // its connections
    std::uint64_t octets = 0;      // that those hold
    std::uint32_t unfinished = 0;  // of those, in their handshakes
    Clock::time_point blocked_until{};
    bool recent = true;        // not to be forgotten by the next turn of the clock
    Bucket failed_handshakes;  // a token is back when a stalled one would have ended

    Bucket queries;                             // any thread
    Bucket full_handshakes;                     // any thread
    Bucket resumed_handshakes;                  // any thread
    std::atomic<std::uint32_t> in_flight{0};    // any thread: questions that wait for their answers
    std::atomic<std::uint32_t> body_octets{0};  // any thread: of requests that are not whole
    std::atomic<std::int64_t> asked_at{0};      // any thread: seconds of Clock, 0: never
};

/// The tallies that are remembered: a number that its callers bound, of which the clock forgets one
/// that has nothing open and was not looked for since its hand came by last. A tally stays where it
/// is, so that who was told of it a moment too late counts for a stranger, and harms nothing; so
/// where the bound becomes less than there are, those stay, and are used again for others.
class Tallies {
  public:
    explicit Tallies(Random& random) : hash_(random) {}

    /// Of `most` tallies, one at least. Null only when every place has something open.
    Tally* find_or_make(const TallyKey& key, std::size_t most);
    std::deque<Tally>& all() { return tallies_; }
    const std::deque<Tally>& all() const { return tallies_; }
    /// Tells one from another until the process ends, and nobody who it is.
    std::string pseudonym(const TallyKey& key) const;

  private:
    std::optional<std::size_t> place_for_one_more(std::size_t most);

    struct Hash {
        const KeyedHash* keyed;
        std::size_t operator()(const TallyKey& key) const {
            return static_cast<std::size_t>((*keyed)(key));
        }
    };
    KeyedHash hash_;
    std::deque<Tally> tallies_;
    std::unordered_map<TallyKey, std::size_t, Hash> places_{0, Hash{&hash_}};
    std::size_t hand_ = 0;
};

}  // namespace porchlight::forwarder
