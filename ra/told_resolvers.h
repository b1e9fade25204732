#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "ra/advertisement.h"

namespace porchlight::ra {

/// The plain resolvers of an option that is known to be of type 25 (RFC 8106 section 5.1); what is
/// too short at its end is left out.
std::vector<Ipv6> rdnss_addresses(const Buffer& option);

/// The resolvers that an option tells of, for people: "fd00::53" of a plain one (RFC 8106 section
/// 5.1), "dns.example at fd00::53" of an encrypted one (RFC 9463 section 6.1). Of another type, or
/// malformed: nothing.
std::vector<std::string> resolvers_in(const Buffer& option);

/// The resolvers in `theirs` that are not in `known`, whatever their Lifetimes; what is taken back
/// counts for nothing.
struct StrangeResolver {
    std::string resolver;
    std::chrono::seconds lifetime;
    bool operator==(const StrangeResolver&) const = default;
};
std::vector<StrangeResolver> strange_resolvers(const NdOptions& known, const NdOptions& theirs);

/// Who on a link tells hosts of resolvers that are not this router's. Bounded: at most `shown_max`,
/// the oldest make room, and each for `shown_for_max` after it was heard last.
class Strangers {
  public:
    static constexpr std::size_t shown_max = 16;
    static constexpr std::chrono::seconds shown_for_max{3600};

    struct Stranger {
        Ipv6 router;
        std::string resolver;
        Clock::time_point until;
    };

    void note(const Ipv6& router, const StrangeResolver& resolver, Clock::time_point now);
    std::vector<Stranger> standing(Clock::time_point now) const;

  private:
    std::vector<Stranger> heard_;  // the latest last
};

}  // namespace porchlight::ra
