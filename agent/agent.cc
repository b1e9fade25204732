// The loop around everything that decides. Each fact that changes (the world in files, links, a
// probe's result, the forwarder's coming and going) ends in replan(), which derives the one plan
// anew and tells every carrier what changed.

#include "agent/agent.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <memory>
#include <optional>

#include "agent/advertisers.h"
#include "agent/announcement.h"
#include "agent/carriers.h"
#include "agent/channel_loop.h"
#include "agent/config.h"
#include "agent/control_server.h"
#include "agent/custody.h"
#include "agent/ddr_status.h"
#include "agent/dnsmasq.h"
#include "agent/forwarder_settings.h"
#include "agent/forwarder_word.h"
#include "agent/guard.h"
#include "agent/keeper_protocol.h"
#include "agent/lan_watch.h"
#include "agent/learned.h"
#include "agent/metrics.h"
#include "agent/metrics_server.h"
#include "agent/neighbour_watch.h"
#include "agent/odhcpd.h"
#include "agent/orders.h"
#include "agent/plan.h"
#include "agent/standing.h"
#include "agent/status.h"
#include "agent/upstream_watch.h"
#include "agent/wan_listeners.h"
#include "core/log.h"
#include "core/random.h"
#include "forwarder/control.h"
#include "net/link.h"

namespace porchlight::agent {
namespace {

constexpr std::chrono::seconds clock_looked_at{10};
constexpr std::chrono::seconds offers_looked_at{1};  // strangers choose when they end

template <class Kind>
constexpr std::uint16_t number(Kind kind) {
    return static_cast<std::uint16_t>(kind);
}

template <class Message>
Buffer octets_of(const Message& message) {
    Writer out;
    write(out, message);
    auto octets = out.take();
    return octets ? std::move(*octets) : Buffer();
}

class Agent {
  public:
    explicit Agent(net::Channel keeper);
    void run() { loop_.run(); }

  private:
    void on_keeper(net::ChannelMessage message);
    void on_world(Bytes message);
    void on_link_sockets(net::ChannelMessage message);
    void on_wan_sockets(net::ChannelMessage message);
    void on_guard_ports(net::ChannelMessage message);
    void on_lease_file(std::string_view file);
    void on_forwarder_channel(net::ChannelMessage message);
    void on_forwarder(net::ChannelMessage message);

    void watch_lan(bool first);
    bool was_announced(const std::string& link) const;
    void judge_certificate();
    bool choice_stands() const;
    void supply_forwarder();
    void learn();
    std::vector<Offer> offers() const;
    void choose_upstreams(std::span<const Offer> offers);
    void set_orders();
    Result<std::unique_ptr<net::TlsClient>> upstream_tls() const;
    void wait_for_end_of_offers();
    void replan();
    void tell_odhcpd();
    void advertise();
    void describe_links();
    awaitable<void> look_at_clock();
    void end();
    void finish();
    awaitable<std::string> answer(std::string request);
    Status status();

    asio::io_context loop_{1};
    SystemTime time_;
    SystemRandom random_;
    const Clock::time_point started_ = Clock::now();
    std::unique_ptr<ChannelLoop> keeper_;
    std::unique_ptr<ChannelLoop> forwarder_;
    std::unique_ptr<ControlServer> control_;
    std::optional<net::LinkMonitor> links_;

    World world_;
    Config asked_;                  // as the user wrote it
    std::optional<Config> config_;  // with a carrier in place of each `automatic`
    bool wall_trusted_ = false;
    bool dates_held_ = false;                      // those of `custody_`, when it was judged
    Custody custody_;                              // which certificate, and is it fit
    std::optional<forwarder::Settings> supplied_;  // what the forwarder was told
    std::string forwarder_trouble_;                // why it refused that; empty: it did not
    std::map<std::pair<std::string, std::uint16_t>, std::unique_ptr<LanWatch>> lan_;  // link, port
    std::vector<Learned> learned_;  // of the WANs, by what was noted of them
    asio::steady_timer offer_ends_{loop_};
    std::optional<Plan> plan_;
    std::vector<LinkPlan> told_;  // by the last plan, also while there is none
    Announcement announcement_;
    Advertisers advertisers_;
    WanListeners wan_;
    UpstreamWatch upstreams_;
    std::vector<forwarder::UpstreamSettings> asked_by_orders_;
    Guard guard_;
    MetricsServer metrics_;
    Orders orders_;

    Processes processes_;
    std::vector<std::string> cannot_;
    std::vector<Lease> leases_;  // dnsmasq's, as the guard's rules have them
    log::Limiter moved_lines_{std::chrono::minutes(1)};
    ForwarderWord word_{loop_.get_executor()};
    NeighbourWatch neighbours_{loop_.get_executor(), forwarder_};
    bool ending_ = false;
};

Agent::Agent(net::Channel keeper)
    : advertisers_(
          loop_.get_executor(), time_, random_,
          {.announced =
               [this](Bytes octets) { keeper_->send(number(Keep::store_announced), octets); },
           .prefixes =
               [this](Bytes octets) { keeper_->send(number(Keep::store_prefixes), octets); }},
          [this] { tell_odhcpd(); }),
      wan_(loop_.get_executor(), time_, random_, [this] { replan(); }),
      upstreams_(
          loop_.get_executor(), random_,
          {.changed = [this] { replan(); },
           .tls = [this] { return upstream_tls(); },
           .keep = [this](Bytes octets) { keeper_->send(number(Keep::upstreams), octets); }}),
      guard_(loop_.get_executor(), time_),
      metrics_(loop_.get_executor(), [this] { return answer("metrics"); }),
      orders_(loop_.get_executor(), time_, random_,
              {.start_provision = [this] { keeper_->send(number(Keep::start_provision), {}); },
               .store_account =
                   [this](Bytes octets) { keeper_->send(number(Keep::store_account), octets); },
               .store_schedule =
                   [this](Bytes octets) { keeper_->send(number(Keep::store_schedule), octets); },
               .store_certificate =
                   [this](const StoredParts& parts) {
                       keeper_->send(number(Keep::store_generation), octets_of(parts));
                   },
               .staple_changed = [this] { supply_forwarder(); }}) {
    const auto loop = loop_.get_executor();
    keeper_ = std::make_unique<ChannelLoop>(
        loop, std::move(keeper),
        [this](net::ChannelMessage message) { on_keeper(std::move(message)); },
        // The keeper is gone: whoever comes next finds hosts that know nothing of us.
        [this] { end(); });
    auto links = net::LinkMonitor::create(loop, [this](const std::vector<net::Link>&) {
        keeper_->send(number(Keep::links_changed), {});
        supply_forwarder();
        for (const auto& [name, watch] : lan_) watch->set_links(links_->links());
        wan_.set_links(links_->links());
        describe_links();
        replan();
    });
    if (links) {
        links_.emplace(std::move(*links));
    } else {
        log::error("cannot follow the links", {{"error", links.error().message}});
    }
    asio::co_spawn(loop_, look_at_clock(), asio::detached);
}

void Agent::on_keeper(net::ChannelMessage message) {
    switch (static_cast<Keep>(message.kind)) {
        case Keep::alive:
            return keeper_->send(message.kind, {});
        case Keep::world:
            return on_world(message.body);
        case Keep::link_sockets:
            return on_link_sockets(std::move(message));
        case Keep::wan_sockets:
            return on_wan_sockets(std::move(message));
        case Keep::guard_ports:
            return on_guard_ports(std::move(message));
        case Keep::forwarder_channel:
            return on_forwarder_channel(std::move(message));
        case Keep::forwarder_lost:
            forwarder_.reset();
            return word_.lose();
        case Keep::wan_records:
            if (auto records = parse_stored_parts(message.body)) world_.wan = std::move(*records);
            learn();
            return replan();
        case Keep::lease_file:
            return on_lease_file(text_of(message.body));
        case Keep::provision_channel:
            if (message.descriptors.size() == 1)
                orders_.on_provision(net::Channel(std::move(message.descriptors[0])));
            return;
        case Keep::control_listener:
            if (message.descriptors.size() == 1)
                control_ = std::make_unique<ControlServer>(
                    loop_.get_executor(), std::move(message.descriptors[0]),
                    [this](std::string request) { return answer(std::move(request)); });
            return;
        case Keep::processes:
            if (auto processes = parse_processes(message.body)) processes_ = std::move(*processes);
            return;
        case Keep::cannot:
            if (auto names = parse_names(message.body)) cannot_ = std::move(*names);
            return;
        case Keep::withdraw:
            return end();
        default:
            return;
    }
}

void Agent::on_world(Bytes message) {
    auto world = parse_world(message);
    if (!world)
        return log::error("the keeper's facts came damaged", {{"error", world.error().message}});
    ConfigResult parsed = parse_config(world->config_file, world->config_json);
    if (!parsed.config) return log::error("the keeper's configuration is not valid");
    const bool first = !config_;
    const Config before = config_.value_or(Config());
    world_ = std::move(*world);
    asked_ = std::move(*parsed.config);
    config_ = resolve_carriers(asked_, world_.found);
    log::set_level(config_->log.level);
    if (first) advertisers_.adopt(world_.announced, world_.prefixes);
    if (first) upstreams_.adopt(world_.upstreams);
    wall_trusted_ = time_.wall_trusted();
    judge_certificate();
    watch_lan(first);
    wan_.follow(*config_);
    neighbours_.follow(*config_);
    if (links_) wan_.set_links(links_->links());
    learn();
    choose_upstreams(offers());
    supply_forwarder();
    set_orders();
    // The same plan may be rendered in another way now.
    if (before != *config_) plan_.reset();
    replan();
}

void Agent::judge_certificate() {
    Custody custody = choose_certificate(*config_, world_, time_.wall(), wall_trusted_);
    log_change(custody_.status, custody.status, announces_router(*config_));
    custody_ = std::move(custody);
    dates_held_ = dates_hold(custody_.status, time_.wall(), wall_trusted_);
}

/// Whether time alone has changed nothing of the choice.
bool Agent::choice_stands() const {
    const WallTime now = time_.wall();
    if (dates_hold(custody_.status, now, wall_trusted_) != dates_held_) return false;
    if (custody_.status.passed_over.empty()) return true;
    return choose_certificate(*config_, world_, now, wall_trusted_).identity == custody_.identity;
}

/// Certificates begin and end, and clocks are set, without anybody telling.
awaitable<void> Agent::look_at_clock() {
    asio::steady_timer timer(loop_);
    while (!ending_) {
        timer.expires_after(clock_looked_at);
        error_code cancelled;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        if (!config_ || ending_) continue;
        const bool trusted = time_.wall_trusted();
        const bool turned = trusted != wall_trusted_;
        wall_trusted_ = trusted;
        if (turned || !choice_stands()) {
            judge_certificate();
            for (const auto& [name, watch] : lan_) watch->set_certificate(custody_);
            supply_forwarder();
            set_orders();
        }
        describe_links();  // lifetimes may have been extended, which is no change of a link
        replan();
    }
}

/// Whether a link's hosts were told of us when the last process ended, and may still be.
bool Agent::was_announced(const std::string& link) const {
    return custody_.status.fit && router_stands(link, *config_, world_, advertisers_);
}

/// A watch for each service on a LAN link of the configuration, those that were there already kept.
/// At the `first` time what the last process announced is taken for good until it was looked at.
void Agent::watch_lan(bool first) {
    decltype(lan_) kept;
    if (links_) {
        for (const LanWatch::Target& target : watched(*config_)) {
            auto& watch = kept[{target.link, target.port}];
            const auto old = lan_.find({target.link, target.port});
            if (old != lan_.end()) watch = std::move(old->second);
            if (!watch || watch->target() != target)
                watch = std::make_unique<LanWatch>(loop_.get_executor(), target,
                                                   first && was_announced(target.link),
                                                   [this] { replan(); });
            watch->set_certificate(custody_);
            watch->set_links(links_->links());
        }
    }
    lan_ = std::move(kept);
}

void Agent::on_link_sockets(net::ChannelMessage message) {
    auto names = parse_names(message.body);
    if (!names || message.descriptors.size() != 2 * names->size() || !config_ || ending_) return;
    advertisers_.use(*names, std::move(message.descriptors), config_->announce.ra_interval);
    if (plan_) advertise();
}

void Agent::on_wan_sockets(net::ChannelMessage message) {
    const auto names = parse_names(message.body);
    if (!names || message.descriptors.size() != names->size() || ending_) return;
    wan_.use(*names, std::move(message.descriptors));
}

void Agent::on_guard_ports(net::ChannelMessage message) {
    if (auto ports = parse_guard_ports(message.body))
        guard_.listen(*ports, std::move(message.descriptors));
}

/// The keeper reads nothing that hosts chose, such as their names.
void Agent::on_lease_file(std::string_view file) {
    std::vector<Lease> leases =
        parse_lease_file(file, wall_trusted_ ? std::optional(time_.wall()) : std::nullopt);
    // Nobody proves to dnsmasq who he is: one who takes a lease over looks like this.
    const std::vector<Lease> now_others = moved(leases_, leases);
    if (!now_others.empty() && moved_lines_.admit(time_.now()))
        log::warn("an address was leased to another host",
                  {{"address", to_text(now_others[0].address)},
                   {"mac", net::to_text(now_others[0].mac)},
                   {"addresses", std::to_string(now_others.size())}});
    keeper_->send(number(Keep::leases), octets_of(leases));
    leases_ = std::move(leases);
}

void Agent::on_forwarder_channel(net::ChannelMessage message) {
    if (message.descriptors.size() != 1) return;
    forwarder_ = std::make_unique<ChannelLoop>(
        loop_.get_executor(), net::Channel(std::move(message.descriptors[0])),
        [this](net::ChannelMessage answered) { on_forwarder(std::move(answered)); }, [] {});
    supplied_.reset();
    neighbours_.tell();
    supply_forwarder();
}

void Agent::on_forwarder(net::ChannelMessage message) {
    switch (static_cast<forwarder::Control>(message.kind)) {
        case forwarder::Control::applied:
            forwarder_trouble_.clear();
            [[fallthrough]];
        // Whichever comes last: from then on a look can go well.
        case forwarder::Control::listening:
            for (const auto& [name, watch] : lan_) watch->look_now();
            return;
        case forwarder::Control::rejected:
            forwarder_trouble_ = text_of(message.body);
            return log::error("the forwarder refuses its settings",
                              {{"error", forwarder_trouble_}});
        case forwarder::Control::status:
            return word_.hear(message.body);
        case forwarder::Control::queries:
            return word_.hear_queries(message.body);
        default:
            return;
    }
}

void Agent::supply_forwarder() {
    if (!config_ || !forwarder_ || !links_ || !links_->knows_links()) return;
    forwarder::Settings settings = forwarder_settings(
        *config_, world_, upstreams_.upstreams().list(), ending_ ? std::nullopt : plan_,
        links_->links(), orders_.stapled(custody_.identity), wall_trusted_);
    // One that is gone for a moment is no other.
    if (settings.network.empty() && supplied_) settings.network = supplied_->network;
    if (supplied_ == settings) return;
    forwarder_->send(number(forwarder::Control::settings), octets_of(settings));
    supplied_ = std::move(settings);
}

void Agent::learn() {
    if (!config_) return;
    std::vector<Learned> learned = learned_from(world_.wan, *config_, this_boot(), time_.now());
    log_learned(learned_, learned);
    learned_ = std::move(learned);
}

std::vector<Offer> Agent::offers() const {
    std::vector<Offer> all = offers_of(learned_);
    const std::vector<Offer> advertised = wan_.offers();
    all.insert(all.end(), advertised.begin(), advertised.end());
    return still_offered(all, time_.now());
}

void Agent::choose_upstreams(std::span<const Offer> offers) {
    if (!links_ || !links_->knows_links()) return;
    upstreams_.learn(*config_, links_->links(), offers, plain_of(learned_, wan_.plain()),
                     wan_.expects());
    supply_forwarder();
    if (upstreams_.upstreams().list() != asked_by_orders_) set_orders();
}

void Agent::set_orders() {
    Config config = *config_;
    config.upstream = asked_by_orders_ = upstreams_.upstreams().list();
    orders_.set(config, world_, custody_, wall_trusted_);
}

Result<std::unique_ptr<net::TlsClient>> Agent::upstream_tls() const {
    net::TlsClient::Settings settings;
    settings.roots_pem = world_.roots_pem;
    settings.alpn = {"dot"};
    settings.time = &time_;
    settings.dates_count = wall_trusted_;
    return net::TlsClient::create(settings);
}

void Agent::wait_for_end_of_offers() {
    const auto end = first_end(offers());
    offer_ends_.cancel();
    if (!end) return;
    offer_ends_.expires_at(std::max(*end, time_.now() + offers_looked_at));
    offer_ends_.async_wait([this](error_code cancelled) {
        if (!cancelled) replan();
    });
}

void Agent::replan() {
    if (!config_ || !links_ || !links_->knows_links() || ending_) return;
    metrics_.follow(*config_, links_->links());
    // What an agent that died told stays until the WAN's routers could repeat their offers.
    if (!plan_ && wan_.expects() && relayed_stands(*config_, world_, advertisers_)) return;
    Facts facts{links_->links(), {}, told_, offers()};
    wait_for_end_of_offers();
    choose_upstreams(facts.offers);
    facts.upstream_known = upstreams_.upstreams().known();
    for (const auto& [name, watch] : lan_) facts.fitness.push_back(watch->fitness());
    Plan planned = plan(*config_, facts);
    guard_.set_facts(guard_facts(*config_, facts.links, planned));
    if (plan_ == planned) return;
    // An offer that was refreshed is no news, but ours by Router Advertisement last as long as it.
    const bool news = !plan_ || !same_but_for_ends(*plan_, planned);
    if (news) log_what_is_told(planned);
    plan_ = std::move(planned);
    told_ = plan_->links;
    announcement_ = announce(*config_, *plan_);
    if (news) keeper_->send(number(Keep::dnsmasq_options), bytes_of(announcement_.dnsmasq_options));
    if (news) tell_odhcpd();
    advertise();
    supply_forwarder();
}

/// Where odhcpd takes Router Advertisements over from us, hosts must have forgotten ours first: to
/// them both are the same resolver of the same router, and ours taken back afterwards would take
/// odhcpd's along.
void Agent::tell_odhcpd() {
    if (ending_ || !plan_) return;
    if (config_->announce.ra == RaCarrier::odhcpd && !advertisers_.gone()) return;
    keeper_->send(number(Keep::odhcpd_lists), bytes_of(announcement_.odhcpd_lists));
}

void Agent::advertise() {
    advertisers_.tell(announcement_.ra, *config_, {links_->links(), links_->default_routes()});
}

void Agent::describe_links() {
    if (config_ && links_)
        advertisers_.describe_links(*config_, {links_->links(), links_->default_routes()});
}

/// Takes everything back, then ends.
void Agent::end() {
    if (ending_) return;
    ending_ = true;
    lan_.clear();
    supply_forwarder();
    keeper_->send(number(Keep::dnsmasq_options), {});
    keeper_->send(number(Keep::odhcpd_lists), {});
    advertisers_.end([this] { finish(); });
}

void Agent::finish() {
    if (!advertisers_.stands()) keeper_->send(number(Keep::withdrawn), {});
    loop_.stop();
}

awaitable<std::string> Agent::answer(std::string request) {
    if (request == "status") {
        co_await word_.ask(forwarder_.get());
        co_return status_json(status(), time_.wall());
    }
    if (request == "metrics") {
        co_await word_.ask(forwarder_.get());
        co_return metrics_text(status());
    }
    if (request == "queries") co_return co_await word_.ask_queries(forwarder_.get());
    if (request == "renew") {
        const Result<std::string> ordered = orders_.order_now();
        co_return ordered ? *ordered : std::string(refusal) + ordered.error().message;
    }
    if (request == "wan") {
        keeper_->send(number(Keep::wan_changed), {});
        co_return "noted";
    }
    if (request.starts_with(forget_advertised)) {
        wan_.forget(request.substr(forget_advertised.size()));
        co_return "forgotten";
    }
    if (request == "unblock") {
        if (forwarder_) forwarder_->send(number(forwarder::Control::let_in_again), {});
        keeper_->send(number(Keep::let_in_again), {});
        co_return "whoever was kept out may come in again";
    }
    if (request == "reload") {
        keeper_->send(number(Keep::reload), {});
        co_return "reloading";
    }
    co_return "unknown request";
}

Status Agent::status() {
    Status status;
    status.uptime = std::chrono::floor<std::chrono::seconds>(Clock::now() - started_);
    status.wall_trusted = wall_trusted_;
    status.processes = processes_;
    status.processes.agent = static_cast<std::uint32_t>(::getpid());
    status.cannot = cannot_;
    for (std::string& one : metrics_.hindered()) status.cannot.push_back(std::move(one));
    status.forwarder = word_.status();
    status.counters = word_.counters();
    for (const auto& [name, watch] : lan_) status.fitness.push_back(watch->fitness());
    status.forwarder_trouble = forwarder_trouble_;
    if (config_ && uses_dnsmasq(*config_) && announces(*config_) && !processes_.dnsmasq_found)
        status.processes.dnsmasq_trouble = why_no_dnsmasq(*config_, depends_on_found(asked_));
    if (plan_) status.plan = *plan_;
    if (config_ && links_)
        status.offers = {with_advertised(learned_, wan_.offers()),
                         sift(*config_, links_->links(), offers()).refused, time_.now()};
    status.upstreams_origin = upstreams_.upstreams().origin();
    status.upstreams_tried = upstreams_.upstreams().tried();
    if (config_) status.chosen = chosen_carriers(asked_.announce, config_->announce);
    status.carriers = announcement_.carriers;
    status.wan = wan_.status();
    judge_feeds(status.carriers, status.processes);
    for (CarrierStatus& carrier : status.carriers)
        if (carrier.carrier == "ra" && !carrier.by_odhcpd)
            advertisers_.explain(carrier, config_->announce.ra);
    status.guard = guard_.status();
    if (config_) status.guard.detects = config_->guard.detect;
    if (!status.guard.detects) status.guard.rogues.clear();
    status.guard.blocks = processes_.blocks_rogues;
    status.guard.validates_sources = processes_.validates_sources;
    status.guard.leases = leases_.size();
    status.guard.dropped = processes_.dropped;
    status.needs_certificate = status.plan.router;
    status.certificate = custody_.status;
    orders_.describe(status.certificate);
    if (config_ && links_) describe_ddr(*config_, links_->links(), status);
    return status;
}

}  // namespace

int run_agent(net::Channel keeper) {
    Agent(std::move(keeper)).run();
    return 0;
}

}  // namespace porchlight::agent
