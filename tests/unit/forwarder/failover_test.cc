#include "forwarder/failover.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <optional>

namespace porchlight::forwarder {
namespace {

using namespace std::chrono_literals;
using Kind = dns::Answer::Kind;

Result<Response> response(Kind kind) {
    Response made;
    made.facts.kind = kind;
    return made;
}

Result<Response> error(Errc code) {
    return Error{code, "scripted"};
}

/// Answers from a script, its last line for ever; counts what it is asked.
class Scripted : public Resolver {
  public:
    explicit Scripted(std::vector<Result<Response>> lines) : lines_(std::move(lines)) {}

    awaitable<Result<Response>> resolve(dns::Question question,
                                        std::chrono::milliseconds) override {
        asked.push_back(question);
        co_return lines_[std::min(asked.size(), lines_.size()) - 1];
    }

    std::vector<dns::Question> asked;

  private:
    std::vector<Result<Response>> lines_;
};

struct Home {
    explicit Home(std::vector<std::shared_ptr<Scripted>> scripted)
        : servers(std::move(scripted)),
          failover(std::make_shared<Failover>(
              loop.get_executor(),
              std::vector<std::shared_ptr<Resolver>>(servers.begin(), servers.end()), failures,
              [this] { return may_explore; })) {}

    Result<Response> ask() {
        std::optional<Result<Response>> result;
        asio::co_spawn(loop, ask_into(failover, result), asio::detached);
        loop.restart();
        loop.run();
        return *result;
    }

    static awaitable<void> ask_into(std::shared_ptr<Failover> failover,
                                    std::optional<Result<Response>>& result) {
        const dns::Question question{*dns::parse_name("example.org"), 1};
        Result<Response> found = co_await failover->resolve(question, 10s);
        result.emplace(std::move(found));
    }

    asio::io_context loop{1};
    std::vector<std::shared_ptr<Scripted>> servers;
    bool may_explore = true;
    std::shared_ptr<UpstreamFailures> failures = std::make_shared<UpstreamFailures>();
    std::shared_ptr<Failover> failover;
};

std::shared_ptr<Scripted> says(std::vector<Result<Response>> lines) {
    return std::make_shared<Scripted>(std::move(lines));
}

TEST_SUITE("forwarder/failover") {
    TEST_CASE("an answer is final, be it positive or not") {
        for (Kind kind : {Kind::positive, Kind::no_data, Kind::no_name}) {
            Home home({says({response(kind)}), says({response(Kind::positive)})});
            const auto found = home.ask();
            REQUIRE(found);
            CHECK(found->facts.kind == kind);
            CHECK(home.servers[1]->asked.empty());
        }
    }

    TEST_CASE("a failure of any kind moves on") {
        for (const auto& failure :
             {response(Kind::failure), error(Errc::timeout), error(Errc::unavailable),
              error(Errc::refused), error(Errc::malformed)}) {
            Home home({says({failure}), says({response(Kind::positive)})});
            const auto found = home.ask();
            REQUIRE(found);
            CHECK(found->facts.kind == Kind::positive);
        }
    }

    TEST_CASE("failures are counted by what was wrong, an answer is none") {
        Home home({says({response(Kind::failure), error(Errc::unavailable)}),
                   says({error(Errc::timeout), response(Kind::no_name)}),
                   says({error(Errc::malformed), error(Errc::internal)}),
                   says({response(Kind::no_name)})});
        CHECK(home.ask());
        const UpstreamFailures& failed = *home.failures;
        CHECK(failed.unhelpful == 1);
        CHECK(failed.timeouts == 1);
        CHECK(failed.malformed == 1);
        CHECK(failed.internal == 1);  // the probe of who was better liked
        CHECK(failed.unreachable + failed.unproved == 0);
    }

    TEST_CASE("SERVFAIL from all is handed over, not asked for again") {
        Home home({says({response(Kind::failure)}), says({error(Errc::timeout)})});
        const auto found = home.ask();
        REQUIRE(found);
        CHECK(found->facts.kind == Kind::failure);
        CHECK(home.servers[0]->asked.size() == 1);
        REQUIRE(home.servers[1]->asked.size() == 2);
        CHECK(home.servers[1]->asked[1].name.is_root());  // is it the server or the name?
    }

    TEST_CASE("slow names alone don't cost a server its place, silence does") {
        const auto slow = error(Errc::timeout);
        const auto good = response(Kind::positive);
        Home alive({says({slow, good, slow, good, good}), says({good})});
        for (int i = 0; i < 3; ++i) CHECK(alive.ask());
        CHECK(alive.servers[1]->asked.size() == 2);
        CHECK(!alive.servers[0]->asked.back().name.is_root());  // still the first choice
        Home dead({says({slow}), says({good})});
        for (int i = 0; i < 3; ++i) CHECK(dead.ask());
        CHECK(dead.servers[1]->asked.size() == 3);
        // One question, two of our own: is it dead, and is it better now?
        CHECK(dead.servers[0]->asked.size() == 3);
    }

    TEST_CASE("silence is tried again while there is time, and not for ever") {
        Home mended({says({error(Errc::timeout), response(Kind::positive)})});
        CHECK(mended.ask());
        Home silent({says({error(Errc::timeout)})});
        CHECK(silent.ask().error().code == Errc::timeout);
        CHECK(silent.servers[0]->asked.size() == Failover::rounds_max);
    }

    TEST_CASE("who can't be reached is not tried again at once") {
        Home home({says({error(Errc::unavailable)}), says({error(Errc::refused)})});
        CHECK(home.ask().error().code == Errc::refused);
        CHECK(home.servers[0]->asked.size() == 1);
        CHECK(home.servers[1]->asked.size() == 1);
    }

    TEST_CASE("where places are scarce a better one is not tried, but one that is doubted is") {
        Home home({says({error(Errc::unavailable)}), says({response(Kind::positive)})});
        home.may_explore = false;
        CHECK(home.ask());
        CHECK(home.servers[0]->asked.size() == 1);
        Home silent({says({error(Errc::timeout)}), says({response(Kind::positive)})});
        silent.may_explore = false;
        CHECK(silent.ask());
        REQUIRE(silent.servers[0]->asked.size() == 2);
        CHECK(silent.servers[0]->asked[1].name.is_root());
        CHECK(silent.ask());  // found dead by that
        CHECK(silent.servers[0]->asked.size() == 2);
    }

    TEST_CASE("no server at all is an error, too") {
        Home home({});
        CHECK(home.ask().error().code == Errc::unavailable);
    }

    TEST_CASE("one that failed is asked last, and its health with a question of our own") {
        Home home({says({error(Errc::unavailable)}), says({response(Kind::positive)})});
        CHECK(home.ask());
        REQUIRE(home.servers[0]->asked.size() == 2);
        CHECK(home.servers[0]->asked[1].name.is_root());  // the probe
        CHECK(home.ask());
        CHECK(home.servers[0]->asked.size() == 2);
        CHECK(home.servers[1]->asked.size() == 2);
    }
}

}  // namespace
}  // namespace porchlight::forwarder
