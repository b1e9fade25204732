#include "agent/advertisers.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "agent/announced.h"
#include "agent/beside.h"
#include "ra/options.h"

namespace porchlight::agent {
namespace {

/// MinRtrAdvInterval from MaxRtrAdvInterval (RFC 4861 section 6.2.1).
ra::Sender::Interval advertisement_interval(std::chrono::seconds max) {
    const auto min = max >= std::chrono::seconds(9) ? max * 33 / 100 : max * 3 / 4;
    return {std::max(min, std::chrono::seconds(3)), max};
}

}  // namespace

Advertisers::Advertisers(asio::any_io_executor loop, const TimeSource& time, Random& random,
                         Store store, Left left)
    : loop_(std::move(loop)),
      time_(time),
      random_(random),
      store_(std::move(store)),
      left_(std::move(left)) {}

void Advertisers::adopt(Bytes announced, Bytes prefixes) {
    if (auto left = parse_announced_links(prefixes))
        for (const ra::Announced& link : *left) prefixes_[link.interface] = prefixes_of(link);
    if (auto left = parse_announced_links(announced))
        for (ra::Announced& link : *left) announced_[link.interface] = std::move(link);
}

void Advertisers::use(const std::vector<std::string>& links, std::vector<FileDescriptor> sockets,
                      std::chrono::seconds interval_max) {
    std::map<std::string, std::shared_ptr<ra::LinkAnnouncer>> former = std::move(announcers_);
    announcers_.clear();
    for (std::size_t i = 0; i < links.size(); ++i) {
        const std::string& name = links[i];
        auto announcer = std::make_shared<ra::LinkAnnouncer>(
            loop_, name,
            ra::LinkAnnouncer::Sockets{std::move(sockets[2 * i]), std::move(sockets[2 * i + 1])},
            advertisement_interval(interval_max), time_, random_,
            [this](const ra::Announced& announced) { remember(announced); });
        if (const auto old = former.find(name); old != former.end()) {
            announcer->adopt(old->second->announced());
            former.erase(old);
        } else if (const auto going = leaving_.find(name); going != leaving_.end()) {
            // The link is back while its withdrawal is under way: one voice alone may go on.
            announcer->adopt(going->second->announced());
            going->second->close();
            leaving_.erase(going);
        } else if (const auto left = announced_.find(name); left != announced_.end()) {
            announcer->adopt(left->second);
        }
        if (const auto told = prefixes_.find(name); told != prefixes_.end())
            announcer->adopt_prefixes(told->second);
        announcers_[name] = std::move(announcer);
    }
    for (auto& [name, announcer] : former) start_withdrawal(name, std::move(announcer));
}

void Advertisers::tell(std::map<std::string, ra::TimedOptions> options, const Config& config,
                       const Surroundings& around) {
    options_ = std::move(options);
    describe_links(config, around);
    for (const auto& [name, announcer] : announcers_) {
        const ra::TimedOptions& told = options_of(name);
        announcer->set_options(told.units, told.ends);
    }
}

const ra::TimedOptions& Advertisers::options_of(const std::string& link) const {
    static const ra::TimedOptions none;
    const auto told = options_.find(link);
    return told == options_.end() ? none : told->second;
}

void Advertisers::describe_links(const Config& config, const Surroundings& around) {
    const bool full = config.announce.ra == RaCarrier::full;
    for (const net::Link& link : around.links) {
        const auto found = announcers_.find(link.name);
        if (found == announcers_.end()) continue;
        found->second->set_link(link);
        found->second->set_full(
            full ? std::optional(full_settings(config, link, around, options_of(link.name).units))
                 : std::nullopt);
    }
}

void Advertisers::end(std::function<void()> done) {
    done_ = std::move(done);
    for (auto& [name, announcer] : announcers_) start_withdrawal(name, std::move(announcer));
    announcers_.clear();
    if (withdrawing_ == 0) done_();
}

void Advertisers::start_withdrawal(const std::string& name,
                                   std::shared_ptr<ra::LinkAnnouncer> announcer) {
    ++withdrawing_;
    leaving_[name] = announcer;
    asio::co_spawn(loop_, withdraw(name, std::move(announcer)), asio::detached);
}

awaitable<void> Advertisers::withdraw(std::string name,
                                      std::shared_ptr<ra::LinkAnnouncer> announcer) {
    co_await announcer->withdraw();
    --withdrawing_;
    if (const auto left = leaving_.find(name); left != leaving_.end() && left->second == announcer)
        leaving_.erase(left);
    if (!done_)
        left_();
    else if (withdrawing_ == 0)
        done_();
}

/// Whoever comes after a crash must know what to take back.
void Advertisers::remember(const ra::Announced& announced) {
    announced_[announced.interface] = announced;
    // Who leaves tells of no prefix any more, but hosts go on knowing those that were told.
    if (announced.full && announcers_.contains(announced.interface))
        remember_prefixes(announced.interface, prefixes_of(announced));
    std::vector<ra::Announced> links;
    for (const auto& [name, link] : announced_)
        if (link.standing()) links.push_back(link);
    Writer out;
    write(out, links);
    if (const auto octets = out.take()) store_.announced(*octets);
}

void Advertisers::remember_prefixes(const std::string& link, ra::NdOptions prefixes) {
    ra::NdOptions& known = prefixes_[link];
    if (known == prefixes) return;
    known = std::move(prefixes);
    std::vector<ra::Announced> links;
    for (const auto& [name, told] : prefixes_) {
        if (told.empty()) continue;
        ra::Announced& stored = links.emplace_back();
        stored.interface = name;
        stored.full = true;
        stored.options = told;
    }
    Writer out;
    write(out, links);
    if (const auto octets = out.take()) store_.prefixes(*octets);
}

bool Advertisers::tells(const std::string& link, const dns::Name& adn) const {
    const auto found = announced_.find(link);
    if (found == announced_.end()) return false;
    // In whatever form: all have the name in octets that nothing else here is made of.
    const Bytes name = adn.wire();
    return std::ranges::any_of(found->second.options, [&](const Buffer& unit) {
        return unit != ra::withdrawn(unit) && !std::ranges::search(unit, name).empty();
    });
}

bool Advertisers::stands() const {
    return std::any_of(announced_.begin(), announced_.end(),
                       [](const auto& link) { return link.second.standing(); });
}

bool Advertisers::stands(const std::string& link) const {
    const auto found = announced_.find(link);
    return found != announced_.end() && found->second.standing();
}

void Advertisers::explain(CarrierStatus& row, RaCarrier carrier) const {
    const auto announcer = announcers_.find(row.link);
    if (announcer != announcers_.end()) {
        tell_beside(row, announcer->second->beside());
        if (announcer->second->can_announce()) return;
    }
    if (!row.announced) return;
    row.announced = false;
    row.why = announcer == announcers_.end() ? "may not send Router Advertisements"
              : carrier == RaCarrier::full   ? "the link has no link-local address to send from"
                                             : "no RA daemon was heard on this link yet";
}

}  // namespace porchlight::agent
