#include "forwarder/http_exchange.h"

#include <doctest/doctest.h>

namespace porchlight::forwarder {

TEST_SUITE("forwarder/http_exchange") {
    TEST_CASE("what unfinished requests hold is bounded for all together") {
        HttpExchanges exchanges;
        auto one = exchanges.take(), two = exchanges.take();
        CHECK(exchanges.add_body(*one, HttpExchanges::body_octets_max - 10, nullptr));
        CHECK(exchanges.add_body(*two, 10, nullptr));
        CHECK(!exchanges.add_body(*two, 1, nullptr));
        CHECK(exchanges.forget_body(*two) == 10);
        CHECK(exchanges.forget_body(*two) == 0);
        CHECK(exchanges.add_body(*two, 10, nullptr));
        exchanges.give_back(std::move(one));
        CHECK(exchanges.add_body(*two, HttpExchanges::body_octets_max - 10, nullptr));
    }

    TEST_CASE("and for those of one host, whoever serves them") {
        HttpExchanges exchanges, of_another_worker;
        auto one = exchanges.take(), two = of_another_worker.take(), other = exchanges.take();
        std::atomic<std::uint32_t> host{0}, other_host{0};
        CHECK(exchanges.add_body(*one, HttpExchanges::host_body_octets_max - 10, &host));
        CHECK(of_another_worker.add_body(*two, 10, &host));
        CHECK(!of_another_worker.add_body(*two, 1, &host));
        CHECK(exchanges.add_body(*other, 100, &other_host));
        exchanges.give_back(std::move(one));
        // It stays where it was counted first, whoever the client is known to be by then.
        CHECK(of_another_worker.add_body(*two, 1, &other_host));
        CHECK(host == 11);
        CHECK(other_host == 100);
        exchanges.give_back(std::move(other));
        of_another_worker.give_back(std::move(two));
        CHECK(host == 0);
        CHECK(other_host == 0);
    }

    TEST_CASE("one that is used again is empty, and one that grew is not kept") {
        HttpExchanges exchanges;
        auto one = exchanges.take();
        HttpExchange* const kept = one.get();
        one->answer.u32(1);
        one->sent = 2;
        one->judged = one->answered = true;
        CHECK(one->request.add_body(bytes_of("abc")));
        exchanges.give_back(std::move(one));
        one = exchanges.take();
        CHECK(one.get() == kept);
        CHECK(one->answer.size() == 0);
        CHECK(one->request.message().empty());
        CHECK((one->sent == 0 && !one->judged && !one->answered));

        one->answer.zeros(HttpExchanges::octets_max + 1);
        exchanges.give_back(std::move(one));
        one = exchanges.take();
        CHECK(one->answer.size() == 0);
        CHECK(one->request.add_body(Buffer(HttpExchanges::octets_max + 1)));
        exchanges.give_back(std::move(one));
        CHECK(exchanges.take()->request.capacity() <= HttpExchanges::octets_max);
    }
}

}  // namespace porchlight::forwarder
