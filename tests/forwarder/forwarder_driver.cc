// A forwarder on loopback, told by hand: the keeper's and the agent's part played by commands on
// standard input. Each command is answered by one line, "ok …" or "error …".
//
//   forwarder_driver WORKERS DOT_PORT DO53_PORT DOH_PORT
//
//   identity CHAIN KEY        upstream ADN ADDRESS:PORT     roots FILE      adn NAME ADDRESS
//   local DOMAIN              companion ADDRESS:PORT        limit NAME N    cache OCTETS
//   apply                     status                        flush           alive
//   path PATH                 http1                         allow-device MAC|ID [DOMAIN]
//   listen [without-doh]      no-devices                    staple FILE
//   failure-ttl SECONDS       query-log LEVEL               queries
// "listen" makes new sockets in place of the old.

#include <arpa/inet.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>

#include "core/escape.h"
#include "core/log.h"
#include "forwarder/control.h"
#include "forwarder/forwarder.h"
#include "forwarder/listeners.h"
#include "forwarder/neighbours.h"
#include "forwarder/query_log.h"
#include "forwarder/settings.h"
#include "net/socket_address.h"

using namespace porchlight;
using namespace porchlight::forwarder;

namespace {

Buffer file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

FileDescriptor listening(const char* address, std::uint16_t port, int type) {
    const net::SocketAddress to({*parse_address(address), port, 0});
    FileDescriptor socket(::socket(to.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int one = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (to.family() == AF_INET6)
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (::bind(socket.get(), to.get(), to.size()) != 0 ||
        (type == SOCK_STREAM && ::listen(socket.get(), 1024) != 0)) {
        std::perror(address);
        std::exit(1);
    }
    return socket;
}

struct Ports {
    std::uint16_t dot, do53, doh;
};

void send_listeners(net::Channel& keeper, unsigned workers, const Ports& ports, bool doh = true) {
    std::vector<ListenerInfo> infos;
    std::vector<FileDescriptor> sockets;
    const auto add = [&](ListenerKind kind, const char* address, std::uint16_t port, int type,
                         unsigned worker) {
        infos.push_back({kind, static_cast<std::uint8_t>(worker), ""});
        sockets.push_back(listening(address, port, type));
    };
    for (unsigned worker = 0; worker < workers; ++worker) {
        for (const char* any : {"0.0.0.0", "::"}) {
            add(ListenerKind::dot, any, ports.dot, SOCK_STREAM, worker);
            if (doh) add(ListenerKind::doh, any, ports.doh, SOCK_STREAM, worker);
        }
        for (const char* loopback : {"127.0.0.1", "::1"}) {
            add(ListenerKind::do53_udp, loopback, ports.do53, SOCK_DGRAM, worker);
            add(ListenerKind::do53_tcp, loopback, ports.do53, SOCK_STREAM, worker);
        }
    }
    Writer out;
    write(out, infos);
    std::vector<int> descriptors;
    for (const auto& socket : sockets) descriptors.push_back(socket.get());
    auto sent =
        keeper.send(static_cast<std::uint16_t>(Control::listeners), out.view(), descriptors);
    if (!sent) std::cout << "error " << sent.error().message << std::endl;
}

/// The next answer of either channel's other end; an empty kind after five seconds.
net::ChannelMessage next(net::Channel& channel) {
    for (;;) {
        auto message = channel.receive();
        if (!message) {
            std::cout << "error " << message.error().message << std::endl;
            std::exit(1);
        }
        // Said unasked, whenever sockets were handed over.
        if (*message && static_cast<Control>((*message)->kind) == Control::listening) continue;
        if (*message) return std::move(**message);
        pollfd waiting{channel.descriptor(), POLLIN, 0};
        if (::poll(&waiting, 1, 5000) == 0) return {};
    }
}

net::ChannelMessage ask(net::Channel& channel, Control kind, Bytes body = {}) {
    if (auto sent = channel.send(static_cast<std::uint16_t>(kind), body); !sent)
        std::cout << "error " << sent.error().message << std::endl;
    return next(channel);
}

std::map<std::string, std::uint32_t*> counts(Limits& limits) {
    return {{"connections_max", &limits.connections_max},
            {"connections_per_client_max", &limits.connections_per_client_max},
            {"in_flight_per_connection_max", &limits.in_flight_per_connection_max},
            {"streams_per_connection_max", &limits.streams_per_connection_max},
            {"hpack_table_bytes", &limits.hpack_table_bytes},
            {"in_flight_max", &limits.in_flight_max},
            {"queries_per_client_second", &limits.queries_per_client_second},
            {"queries_per_client_burst", &limits.queries_per_client_burst},
            {"do53_queries_per_second", &limits.do53_queries_per_second},
            {"do53_queries_burst", &limits.do53_queries_burst},
            {"output_bytes_max", &limits.output_bytes_max},
            {"doh_bodies_bytes_max", &limits.doh_bodies_bytes_max},
            {"connections_per_prefix_max", &limits.connections_per_prefix_max},
            {"in_flight_per_client_max", &limits.in_flight_per_client_max},
            {"full_handshakes_per_client_second", &limits.full_handshakes_per_client_second},
            {"full_handshakes_per_client_burst", &limits.full_handshakes_per_client_burst},
            {"resumed_handshakes_per_client_burst", &limits.resumed_handshakes_per_client_burst},
            {"unfinished_per_client_max", &limits.unfinished_per_client_max},
            {"unfinished_max", &limits.unfinished_max},
            {"handshake_cpu_share_percent", &limits.handshake_cpu_share_percent}};
}

std::map<std::string, std::chrono::milliseconds*> times(Limits& limits) {
    return {{"handshake_max", &limits.handshake_max},
            {"frame_max", &limits.frame_max},
            {"idle_max", &limits.idle_max},
            {"doh_idle_max", &limits.doh_idle_max},
            {"stalled_max", &limits.stalled_max},
            {"query_max", &limits.query_max},
            {"handshake_cpu_burst", &limits.handshake_cpu_burst},
            {"leaving_max", &limits.leaving_max},
            {"ticket_lifetime", &limits.ticket_lifetime},
            {"ticket_rotation", &limits.ticket_rotation}};
}

std::string set_limit(Limits& limits, const std::string& name, std::uint32_t value) {
    if (name == "memory_mib") {
        limits.memory_bytes_max = std::uint64_t(value) << 20;
        return "ok";
    }
    if (const auto known = counts(limits); known.contains(name)) {
        *known.at(name) = value;
        return "ok";
    }
    if (const auto known = times(limits); known.contains(name)) {
        *known.at(name) = std::chrono::milliseconds(value);
        return "ok";
    }
    return "error no such limit";
}

std::string status_text(net::Channel& agent) {
    const auto message = ask(agent, Control::ask_status);
    const auto status = parse_status(message.body);
    if (!status) return "error " + status.error().message;
    std::ostringstream out;
    out << "ok serving=" << status->serving << " connections=" << status->dot_connections
        << " doh=" << status->doh_connections << " clients=" << status->clients_today
        << " bans=" << status->bans.size() << " asked=" << status->since_last_dot_query.has_value()
        << " cache_entries=" << status->cache_entries << " cache_octets=" << status->cache_octets
        << " connection_octets=" << status->connection_octets
        << " connection_octets_max=" << status->connection_octets_max
        << " handshakes_waiting=" << status->handshakes_waiting;
    for (const Counter& counter : status->counters)
        out << ' ' << counter.name << '=' << counter.value;
    return out.str();
}

/// One word a question: transport, outcome, rcode, extended error, type, name, and who asked.
std::string queries_text(net::Channel& agent) {
    const auto message = ask(agent, Control::ask_queries);
    const auto report = parse_query_report(message.body);
    if (!report) return "error " + report.error().message;
    std::ostringstream out;
    out << "ok";
    for (const LoggedQuery& query : report->queries)
        out << ' ' << static_cast<int>(query.over) << ',' << static_cast<int>(query.outcome) << ','
            << int{query.rcode} << ',' << query.extended_error << ',' << query.type << ','
            << (query.name ? dns::to_text(*query.name) : "-") << ',' << int{query.client.family}
            << ',' << query.client.pseudonym << ',' << to_hex(query.client.network);
    return out.str();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    const auto workers = static_cast<unsigned>(std::atoi(argv[1]));
    const auto port = [&](int which) { return static_cast<std::uint16_t>(std::atoi(argv[which])); };
    const Ports ports{port(2), port(3), port(4)};
    auto keeper = net::Channel::pair();
    auto agent = net::Channel::pair();
    if (!keeper || !agent) return 1;
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        keeper->first = net::Channel();
        agent->first = net::Channel();
        log::start(log::Target::standard_error, log::Level::debug, "forwarder");
        return run({std::move(keeper->second), std::move(agent->second), workers});
    }
    keeper->second = net::Channel();
    agent->second = net::Channel();
    send_listeners(keeper->first, workers, ports);
    std::cout << "ok " << child << std::endl;

    Settings settings;
    std::vector<Neighbour> neighbours;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string command, one, two;
        words >> command >> one >> two;
        std::string answer = "ok";
        if (command == "identity") {
            settings.identity = TlsIdentity{file(one), file(two), {}};
        } else if (command == "staple") {
            settings.identity->staple_der = file(one);
        } else if (command == "no-identity") {
            settings.identity.reset();
        } else if (command == "upstream") {
            settings.upstreams.push_back({*dns::parse_name(one), {*parse_endpoint(two, 853)}});
        } else if (command == "validates") {
            settings.upstreams.back().validates = one == "on";
        } else if (command == "designated") {
            settings.upstreams.back().designated = one;
        } else if (command == "dates-count") {
            settings.dates_count = one == "on";
        } else if (command == "stale-max") {
            settings.stale.max = std::chrono::seconds(std::stoi(one));
        } else if (command == "roots") {
            settings.roots_pem = file(one);
        } else if (command == "adn") {
            settings.adn = *dns::parse_name(one);
            settings.addresses = {*parse_address(two)};
        } else if (command == "local") {
            settings.local_domains.push_back(*dns::parse_name(one));
        } else if (command == "companion") {
            settings.companion = parse_endpoint(one, 53);
        } else if (command == "path") {
            settings.doh_paths.push_back(one);
        } else if (command == "allow-device") {
            RebindingRules::Device device{net::parse_mac_address(one)};
            if (!device.mac) device.id = one;
            if (!two.empty()) device.domains = {*dns::parse_name(two)};
            settings.rebinding.allow_devices.push_back(device);
        } else if (command == "no-devices") {
            settings.rebinding.allow_devices.clear();
        } else if (command == "failure-ttl") {
            settings.failure_ttl = std::chrono::seconds(std::stoi(one));
        } else if (command == "query-log") {
            const std::vector<std::string> levels{"off", "counters", "names", "full"};
            const auto level = std::find(levels.begin(), levels.end(), one) - levels.begin();
            settings.query_log.level = static_cast<QueryLogSettings::Level>(level);
        } else if (command == "queries") {
            answer = queries_text(agent->first);
        } else if (command == "http1") {
            settings.doh_http1 = true;
        } else if (command == "cache") {
            settings.cache_bytes_max = std::stoull(one);
        } else if (command == "limit") {
            answer = set_limit(settings.limits, one, static_cast<std::uint32_t>(std::stoul(two)));
        } else if (command == "apply") {
            Writer out;
            write(out, settings);
            const auto message = ask(agent->first, Control::settings, out.view());
            if (static_cast<Control>(message.kind) != Control::applied)
                answer = "error " + std::string(text_of(message.body));
        } else if (command == "status") {
            answer = status_text(agent->first);
        } else if (command == "flush") {
            if (!agent->first.send(static_cast<std::uint16_t>(Control::flush_cache), {}))
                answer = "error";
        } else if (command == "neighbour") {
            neighbours.push_back({{}, *parse_address(one), *net::parse_mac_address(two)});
        } else if (command == "neighbours") {
            Writer out;
            write(out, neighbours);
            if (!agent->first.send(static_cast<std::uint16_t>(Control::neighbours), out.view()))
                answer = "error";
        } else if (command == "let-in") {
            if (!agent->first.send(static_cast<std::uint16_t>(Control::let_in_again), {}))
                answer = "error";
        } else if (command == "alive") {
            const auto message = ask(keeper->first, Control::alive);
            if (static_cast<Control>(message.kind) != Control::alive) answer = "error no answer";
        } else if (command == "listen") {
            send_listeners(keeper->first, workers, ports, one != "without-doh");
        } else {
            answer = "error unknown command";
        }
        std::cout << answer << std::endl;
    }
    keeper->first = net::Channel();
    int state = 0;
    ::waitpid(child, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 1;
}
