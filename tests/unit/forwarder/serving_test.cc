#include "forwarder/serving.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace porchlight::forwarder {
namespace {

const IpAddress v4 = *parse_address("192.168.1.7");
const IpAddress v6 = *parse_address("fd77::7");

}  // namespace

TEST_SUITE("forwarder/serving") {
    TEST_CASE("whom a process served when it was killed is known to the one that made the page") {
        auto page = ServingPage::create();
        REQUIRE(page);
        const pid_t child = ::fork();
        if (child == 0) {
            const ServingPage mapped(*page);
            Serving first(mapped.place(0)), second(mapped.place(1)), third(mapped.place(2));
            first.begin(host_of(v4));
            second.begin(host_of(v6));
            { const Serving::During done(third, host_of(*parse_address("192.168.1.8"))); }
            ::raise(SIGKILL);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        CHECK(ServingPage::take(*page) == std::vector{v4, v6});
        CHECK(ServingPage::take(*page).empty());
    }

    TEST_CASE("a page can't be made smaller by whoever writes it") {
        auto page = ServingPage::create();
        REQUIRE(page);
        CHECK(::ftruncate(page->get(), 0) != 0);
    }

    TEST_CASE("without a page there are no places, and a worker notes to nobody") {
        const ServingPage none{FileDescriptor()};
        CHECK(none.place(0) == nullptr);
        Serving serving(none.place(0));
        serving.begin(host_of(v4));
        CHECK(serving.host().family == 4);
        auto page = ServingPage::create();
        REQUIRE(page);
        const ServingPage mapped(*page);
        CHECK(mapped.place(ServingPage::workers_max - 1) != nullptr);
        CHECK(mapped.place(ServingPage::workers_max) == nullptr);
    }

    TEST_CASE("refused hosts pass a channel, damaged ones don't") {
        const std::vector<RefusedHost> hosts{{v4, std::chrono::seconds(600)},
                                             {v6, std::chrono::seconds(1)}};
        Writer out;
        write(out, hosts);
        Buffer message = *out.take();
        const auto parsed = parse_refused(message);
        REQUIRE(parsed);
        CHECK(*parsed == hosts);
        message[4] = 5;
        CHECK(!parse_refused(message));
        message.pop_back();
        CHECK(!parse_refused(message));
    }
}

}  // namespace porchlight::forwarder
