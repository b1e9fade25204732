#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "dns/encrypted_resolver.h"
#include "dns/format.h"
#include "ra/advertisement.h"
#include "ra/dnr_option.h"
#include "ra/draft_options.h"

namespace porchlight::ra {

/// What the routers behind one WAN interface tell of resolvers by Router Advertisement, each by
/// the address that it speaks from, and until when.
/// - Encrypted resolvers by option 144 (RFC 9463 section 6) and, where `forms` has them, by the two
///   options of draft-btw-add-home-11; plain ones by RDNSS (RFC 8106 section 5.1).
/// - Each option stands until its own Lifetime has passed, or 0 took it back; a router that falls
///   silent, or is a default router no more, takes nothing back by that (RFC 8106 section 6.1). The
///   draft's two options are put together from what stands, in whichever advertisement they came.
/// - An advertisement that fails RFC 4861 section 6.1.2 is dropped whole, a malformed option alone.
/// - What stands inside a provisioning domain (RFC 8801) is for hosts that know such; it is counted
///   and not offered.
/// - Bounded. A router that comes when no place is free takes that of one which tells nothing, else
///   of one that tells of plain resolvers alone; if it tells of encrypted ones itself, else of one
///   that was silent for `silence_max`. Who finds none is left out, and counted.
/// Kept is what is well formed; whether hosts could use it is for others to say
/// (dns::why_not_usable). No I/O; the time is the caller's, never going back.
class HeardOffers {
  public:
    static constexpr Clock::time_point never = Clock::time_point::max();
    static constexpr std::size_t routers_max = 8;
    static constexpr std::size_t options_max = 16;  // of one router and one kind; of RDNSS: servers
    /// No router is silent for longer that lives by RFC 4861 section 6.2.1 (MaxRtrAdvInterval).
    static constexpr std::chrono::minutes silence_max{30};

    struct Counters {
        std::uint64_t advertisements = 0;          // good
        std::uint64_t malformed = 0;               // advertisements dropped whole
        std::uint64_t malformed_options = 0;       // dropped alone
        std::uint64_t in_provisioning_domain = 0;  // options that would tell of encrypted resolvers
        std::uint64_t routers_left_out = 0;        // advertisements of one router too many
        std::uint64_t options_left_out = 0;
    };

    struct Resolver {
        dns::EncryptedResolver resolver;
        Clock::time_point until = never;
        bool operator==(const Resolver&) const = default;
    };
    struct Plain {
        Ipv6 address;
        Clock::time_point until = never;
        bool operator==(const Plain&) const = default;
    };
    struct Router {
        Ipv6 address;
        Clock::time_point heard_at;
        std::vector<Resolver> resolvers;  // those of RFC 9463 first
        std::vector<Plain> plain;
        /// Whose options it told last that are not offered.
        std::optional<dns::Name> provisioning_domain;
    };

    /// What became of one message.
    struct Verdict {
        /// It is a good advertisement of a router whose Lifetime is not 0: one may stop asking (RFC
        /// 4861 section 6.3.7).
        bool is_router = false;
        std::vector<std::string> complaints;  // for people: what of it does not count, and why
    };

    /// In which forms resolvers are understood from now on.
    void set_forms(const dns::Forms& forms);
    /// An ICMPv6 message as it came; the kernel has seen to its checksum.
    Verdict on_message(Bytes icmpv6, const Envelope& envelope, Clock::time_point now);
    /// What was told for ever ends `at` that time, unless it is told again until then.
    void doubt_endless(Clock::time_point at);
    /// All that was heard. The counters go on.
    void forget() { heard_.clear(); }

    /// Whoever was heard and has a place, in the order of their coming.
    std::vector<Router> routers(Clock::time_point now) const;
    /// The encrypted resolvers of all routers, each once: whoever says so for longest counts, and
    /// who prefers it most.
    std::vector<Resolver> offered(Clock::time_point now) const;
    /// When the next of anything ends by itself.
    Clock::time_point next_end(Clock::time_point now) const;
    const Counters& counters() const { return counters_; }

  private:
    /// One option whose Lifetime has become `until`; its own is 0.
    template <class Option>
    struct Standing {
        Option option;
        Clock::time_point until;
    };
    template <class Option>
    using Stands = std::vector<Standing<Option>>;

    struct Heard {
        Ipv6 address;
        Clock::time_point at;
        Stands<DnrOption> encrypted;
        Stands<RaEncAdn> draft_names;
        Stands<RaEncAddresses> draft_addresses;
        Stands<Ipv6> plain;
        std::optional<dns::Name> provisioning_domain;
    };

    Heard* find_or_make(const Ipv6& address, bool tells_of_encrypted, Clock::time_point now);
    void make_room(bool for_encrypted, Clock::time_point now);
    void forget_ended(Clock::time_point now);
    bool tells_of_encrypted(std::uint8_t type) const;
    bool knows_draft() const;
    template <class Option>
    void learn(Stands<Option>& known, Option option, std::chrono::seconds lifetime,
               Clock::time_point now);
    Result<void> learn(Heard& router, const Buffer& option, Clock::time_point now);
    void look_into_domain(Heard& router, const Buffer& option, Verdict& verdict);
    std::vector<Resolver> resolvers_of(const Heard& router, Clock::time_point now) const;

    dns::Forms forms_;
    std::vector<Heard> heard_;
    Counters counters_;
};

}  // namespace porchlight::ra
