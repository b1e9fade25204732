#include "agent/designators.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "dns/query.h"
#include "net/do53_client.h"
#include "net/stub_resolver.h"

namespace porchlight::agent {
namespace {

using std::chrono::seconds;

constexpr std::uint16_t do53_port = 53;
constexpr std::chrono::milliseconds answers_within{3000};
constexpr seconds again_first{10};  // who did not answer
constexpr seconds again_max{600};
constexpr seconds none_stands{3600};  // that nobody is designated
// However long or short a stranger says that it stands.
constexpr seconds stands_min{60};
constexpr seconds stands_max{86400};

/// Where the target is, as the same resolver says.
awaitable<std::vector<IpAddress>> look_up(Endpoint resolver, dns::Name target, Random& random) {
    std::vector<IpAddress> addresses;
    for (const std::uint16_t type : {dns::type::aaaa, dns::type::a}) {
        const dns::Question asked{target, type};
        const Result<Buffer> answer =
            co_await net::ask_do53(resolver, asked, random, answers_within);
        if (!answer) continue;
        const auto found = net::addresses_in(*answer, asked);
        if (!found) continue;
        for (const IpAddress& address : *found)
            if (is_receivable(address)) addresses.push_back(address);
    }
    co_return addresses;
}

/// All that a resolver designates; nothing if it did not answer.
awaitable<std::optional<std::vector<dns::Designation>>> designations_of(Endpoint resolver,
                                                                        Random& random) {
    const dns::Question asked = dns::designation_question();
    const Result<Buffer> answer = co_await net::ask_do53(resolver, asked, random, answers_within);
    if (!answer) co_return std::nullopt;
    auto found = dns::parse_designations(*answer, asked);
    if (!found) co_return std::nullopt;
    if (found->size() > Designators::designations_max) found->resize(Designators::designations_max);
    for (dns::Designation& one : *found) {
        if (!one.malformed && !why_not_usable(one.svcb) && one.addresses.empty())
            one.addresses = co_await look_up(resolver, one.svcb.target, random);
        if (one.addresses.size() > Designators::addresses_max)
            one.addresses.resize(Designators::addresses_max);
    }
    co_return std::move(*found);
}

seconds stands(const std::vector<dns::Designation>& designations) {
    if (designations.empty()) return none_stands;
    seconds least = stands_max;
    for (const dns::Designation& one : designations) least = std::min(least, one.ttl);
    return std::max(least, stands_min);
}

}  // namespace

struct Designators::Inquiry {
    Inquiry(const asio::any_io_executor& loop, IpAddress plain)
        : timer(loop), said{std::move(plain), {}} {}

    asio::steady_timer timer;
    Designated said;
    bool over = false;
};

Designators::Designators(asio::any_io_executor loop, Random& random,
                         std::function<void()> on_change)
    : loop_(std::move(loop)), random_(random), on_change_(std::move(on_change)) {}

Designators::~Designators() {
    ask({});
}

void Designators::ask(std::vector<IpAddress> plain) {
    std::vector<std::shared_ptr<Inquiry>> wanted;
    for (const IpAddress& address : plain) {
        if (wanted.size() == asked_max) break;
        const auto is_its = [&](const auto& one) { return one->said.by == address; };
        if (std::any_of(wanted.begin(), wanted.end(), is_its)) continue;
        const auto old = std::find_if(inquiries_.begin(), inquiries_.end(), is_its);
        if (old != inquiries_.end()) {
            wanted.push_back(*old);
            continue;
        }
        wanted.push_back(std::make_shared<Inquiry>(loop_, address));
        asio::co_spawn(loop_, follow(wanted.back()), asio::detached);
    }
    for (const auto& old : inquiries_) {
        if (std::find(wanted.begin(), wanted.end(), old) != wanted.end()) continue;
        old->over = true;
        old->timer.cancel();
    }
    inquiries_ = std::move(wanted);
}

std::vector<Designators::Designated> Designators::designated() const {
    std::vector<Designated> all;
    for (const auto& one : inquiries_) all.push_back(one->said);
    return all;
}

awaitable<void> Designators::follow(std::shared_ptr<Inquiry> inquiry) {
    seconds again = again_first;
    while (!inquiry->over) {
        const Endpoint resolver{inquiry->said.by, do53_port};
        auto found = co_await designations_of(resolver, random_);
        if (inquiry->over) co_return;
        seconds wait = again;
        if (found) {
            wait = stands(*found);
            again = again_first;
            inquiry->said.designations = std::move(*found);
            on_change_();
        } else {
            again = std::min(2 * again, again_max);
            if (!std::exchange(inquiry->said.designations, {}).empty()) on_change_();
        }
        if (inquiry->over) co_return;
        inquiry->timer.expires_after(wait);
        error_code cancelled;
        co_await inquiry->timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
}

}  // namespace porchlight::agent
