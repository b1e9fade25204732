#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/address.h"
#include "core/random.h"
#include "dns/designations.h"
#include "net/asio.h"

namespace porchlight::agent {

/// Asks plain resolvers in clear text which encrypted ones they designate (RFC 9462 section 4), and
/// asks again when that has ended. One that does not answer then designates nobody, and is asked
/// again after a while, ever more seldom.
class Designators {
  public:
    static constexpr std::size_t asked_max = 4;         // plain resolvers
    static constexpr std::size_t designations_max = 4;  // of one; those by priority
    static constexpr std::size_t addresses_max = 4;     // of a designation

    struct Designated {
        IpAddress by;
        std::vector<dns::Designation> designations;  // with what was looked up of their targets
    };

    /// `random` outlives the loop's run; `on_change` is called from the loop.
    Designators(asio::any_io_executor loop, Random& random, std::function<void()> on_change);
    ~Designators();

    /// Those are asked from now on, and nobody else; what others said is forgotten.
    void ask(std::vector<IpAddress> plain);
    /// What was said, in the order of who is asked.
    std::vector<Designated> designated() const;

  private:
    struct Inquiry;
    awaitable<void> follow(std::shared_ptr<Inquiry> inquiry);

    asio::any_io_executor loop_;
    Random& random_;
    std::function<void()> on_change_;
    std::vector<std::shared_ptr<Inquiry>> inquiries_;
};

}  // namespace porchlight::agent
