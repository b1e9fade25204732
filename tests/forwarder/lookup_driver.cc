// Look-ups by hand, for tests that bring their own servers. Reads commands, one a line:
//
//   upstream ADN ENDPOINT   roots FILE   companion ENDPOINT   local DOMAIN   query_max MS   apply
//   network WORD            nxdomain_cut on|off   stale CLIENT_TIMER_MS RECHECK_S
//   ask NAME TYPE           starts a look-up; when it ends prints
//                             "answer NAME TYPE rcode=0 ede=- ms=12 records=1 data=c0000201"
//   from_companion NAME TYPE   likewise, as the companion would ask
//   refresh NAME TYPE       as when the cache's answer is soon over; nobody waits for it
//   wait                    runs until no look-up is open, then prints "done"
//   sleep MS                runs for so long, then prints "done"
//   advance SECONDS         moves the time that answers age by
//   state                   prints "upstream ADDRESS reachable=1 queries=2 failures=0 error=..."
//                             a line each, then "done"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>

#include "core/escape.h"
#include "core/log.h"
#include "core/random.h"
#include "dns/answer.h"
#include "forwarder/cache.h"
#include "forwarder/lookup.h"
#include "forwarder/recent_failures.h"

namespace porchlight::forwarder {
namespace {

class MovedTime : public SystemTime {
  public:
    Clock::time_point now() const override { return Clock::now() + moved; }
    Clock::duration moved{};
};

std::uint16_t type_number(const std::string& text) {
    const std::map<std::string, std::uint16_t> names{{"A", 1},    {"NS", 2},    {"PTR", 12},
                                                     {"TXT", 16}, {"AAAA", 28}, {"DNSKEY", 48}};
    const auto found = names.find(text);
    return found == names.end() ? static_cast<std::uint16_t>(std::stoi(text)) : found->second;
}

class Driver {
  public:
    int run() {
        for (std::string line; std::getline(std::cin, line);) {
            std::istringstream words(line);
            std::string command;
            std::string first;
            std::string second;
            words >> command >> first >> second;
            if (!obey(command, first, second)) {
                std::cerr << "not understood: " << line << "\n";
                return 2;
            }
        }
        return 0;
    }

  private:
    bool obey(const std::string& command, const std::string& first, const std::string& second) {
        if (command == "upstream")
            settings_.upstreams.push_back(
                {*dns::parse_name(first), {*parse_endpoint(second, 853)}});
        else if (command == "roots")
            settings_.roots_pem = read(first);
        else if (command == "companion")
            settings_.companion = *parse_endpoint(first, 53);
        else if (command == "local")
            settings_.local_domains.push_back(*dns::parse_name(first));
        else if (command == "query_max")
            settings_.limits.query_max = std::chrono::milliseconds(std::stoi(first));
        else if (command == "network")
            settings_.network = first;
        else if (command == "nxdomain_cut")
            settings_.nxdomain_cut = first == "on";
        else if (command == "stale")
            settings_.stale = {settings_.stale.max, std::chrono::milliseconds(std::stoi(first)),
                               std::chrono::seconds(std::stoi(second))};
        else if (command == "apply")
            return apply();
        else if (command == "ask" || command == "from_companion")
            ask(first, second, command == "from_companion");
        else if (command == "refresh")
            lookup_.refresh({*dns::parse_name(first), type_number(second)});
        else if (command == "wait")
            wait();
        else if (command == "sleep")
            sleep(std::chrono::milliseconds(std::stoi(first)));
        else if (command == "advance")
            time_.moved += std::chrono::seconds(std::stoi(first));
        else if (command == "state")
            show_state();
        else
            return false;
        return true;
    }

    static Buffer read(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return Buffer(std::istreambuf_iterator<char>(file), {});
    }

    bool apply() {
        const Result<void> applied = lookup_.apply(std::make_shared<Settings>(settings_));
        std::cout << (applied ? std::string("applied") : applied.error().message) << std::endl;
        return true;
    }

    void ask(const std::string& name, const std::string& type, bool from_companion) {
        const dns::Question question{*dns::parse_name(name), type_number(type)};
        const Clock::time_point start = Clock::now();
        ++open_;
        lookup_.find(question, from_companion, [=, this](const Found& found) {
            --open_;
            const Result<dns::Answer> answer = dns::parse_answer(found.response, question, {});
            const auto took =
                std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
            std::cout << "answer " << name << " " << type;
            if (!answer) {
                std::cout << " malformed " << answer.error().message << std::endl;
                return;
            }
            std::cout << " rcode=" << answer->rcode << " ede="
                      << (found.extended_error ? std::to_string(*found.extended_error) : "-")
                      << " ms=" << took.count() << " records=" << int{answer->ttl_count} << " data="
                      << to_hex(
                             found.response.last(std::min<std::size_t>(found.response.size(), 4)))
                      << std::endl;
        });
    }

    void wait() {
        loop_.restart();
        while (open_ > 0 && loop_.run_one() > 0) {
        }
        std::cout << "done" << std::endl;
    }

    void sleep(std::chrono::milliseconds duration) {
        loop_.restart();
        loop_.run_for(duration);
        std::cout << "done" << std::endl;
    }

    void show_state() {
        for (const UpstreamState& it : lookup_.upstreams()) {
            std::cout << "upstream " << to_text(it.address) << " reachable=" << it.reachable
                      << " queries=" << it.queries << " failures=" << it.failures
                      << " error=" << escape_value(it.last_error) << std::endl;
        }
        std::cout << "done" << std::endl;
    }

    asio::io_context loop_{1};
    MovedTime time_;
    SystemRandom random_;
    Cache cache_{{}, random_};
    Settings settings_;
    Serving serving_;
    RecentFailures failures_;
    Lookup lookup_{loop_.get_executor(), cache_, failures_, time_, serving_};
    int open_ = 0;
};

}  // namespace
}  // namespace porchlight::forwarder

int main() {
    porchlight::log::start(porchlight::log::Target::standard_error, porchlight::log::Level::debug,
                           "lookup_driver");
    return porchlight::forwarder::Driver().run();
}
