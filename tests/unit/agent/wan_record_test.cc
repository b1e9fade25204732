#include "agent/wan_record.h"

#include <doctest/doctest.h>

#include "agent/wan_hooks.h"

namespace porchlight::agent {
namespace {

using std::chrono::seconds;

WanRecord full_record() {
    WanRecord record;
    record.interface = "eth0.2";
    record.source = OfferSource::dhcpv4;
    record.told_by = "udhcpc bound";
    record.v4 = {{162, {0, 1, 2}}, {6, {192, 0, 2, 53}}};
    record.lifetime = seconds(3600);
    record.received = seconds(17);
    record.boot = "b0071d";
    return record;
}

Result<WanRecord> reparsed(const WanRecord& record) {
    return parse_wan_record(bytes_of(to_json(record)));
}

Config home(MemoryStorage& storage) {
    Config config;
    config.wan = {{"eth0"}, {"wwan0"}};
    config.runtime_directory = "/run/porchlight";
    (void)storage.make_directory("/run/porchlight/wan", 0700);
    return config;
}

TEST_SUITE("agent/wan_record") {
    TEST_CASE("a record survives a round trip") {
        CHECK(*reparsed(full_record()) == full_record());
        WanRecord six = full_record();
        six.source = OfferSource::dhcpv6;
        six.v4.clear();
        six.v6 = {0, 144, 0, 0};
        six.lifetime.reset();
        CHECK(*reparsed(six) == six);
        six.leases = {{"2001:db8::2", seconds(99)}, {"2001:db8:1::/56", seconds(0xffffffff)}};
        CHECK(*reparsed(six) == six);
        WanRecord user = full_record();
        user.source = OfferSource::user;
        user.v4.clear();
        user.resolvers = *resolvers_from_json(
            R"([{"adn": "dns.isp.test", "addresses": ["192.0.2.53"], "alpn": ["dot"]}])");
        const auto read = reparsed(user);
        REQUIRE(read);
        CHECK(read->resolvers == user.resolvers);
    }

    TEST_CASE("whatever is damaged is refused") {
        const std::string whole = to_json(full_record());
        for (std::size_t size = 0; size + 2 < whole.size(); ++size)
            CHECK(!parse_wan_record(bytes_of(whole).first(size)));
        const auto with = [&](std::string_view from, std::string_view to) {
            std::string text = whole;
            text.replace(text.find(from), from.size(), to);
            return bool(parse_wan_record(bytes_of(text)));
        };
        CHECK(with("eth0.2", "eth0"));
        CHECK(!with("eth0.2", "../eth0"));
        CHECK(!with("dhcpv4", "ra"));
        CHECK(!with("dhcpv4", "dhcp"));
        CHECK(!with("000102", "00010"));
        CHECK(!with("162", "362"));
        CHECK(!with("3600", "-1"));
        CHECK(!with("3600", "\"1\""));
        CHECK(!parse_wan_record(bytes_of("[]")));
        CHECK(!parse_wan_record({}));
    }

    TEST_CASE("the keeper takes the files of the configured interfaces alone, unread") {
        MemoryStorage storage;
        const Config config = home(storage);
        const std::string folder = wan_directory(config.runtime_directory) + "/";
        storage.files[folder + "wwan0.user.json"] = {'u'};
        storage.files[folder + "eth0.dhcpv6.json"] = {'6'};
        storage.files[folder + "eth0.dhcpv4.json"] = Buffer(wan_record_octets_max + 1, '4');
        storage.files[folder + "eth1.dhcpv4.json"] = {'x'};
        CHECK(read_wan_records(config, storage) ==
              StoredParts{{"eth0.dhcpv4.json", {}},  // too large: the agent says so
                          {"eth0.dhcpv6.json", {'6'}},
                          {"wwan0.user.json", {'u'}}});
    }

    TEST_CASE("a user's resolvers are offers that hosts can use") {
        const auto why = [](const char* json) {
            return why_not_an_offer(*resolvers_from_json(json)).value_or("");
        };
        CHECK(why(R"([{"adn": "dns.isp.test"}])").empty());
        CHECK(why(R"([{"adn": "a.test"}, {"addresses": ["192.0.2.53"]}])") ==
              "/1/adn: missing; hosts authenticate the resolver by it");
        CHECK(why(R"([{"adn": "a.test", "templates": ["https://a.test/"]}])") ==
              "/0/templates: is of another form; use dohpath");
        CHECK(why(R"([{"adn": "a.test", "request": ["dot"]}])") == "/0/request: is no offer");
        CHECK(why(R"([{"adn": "a.test", "addresses": ["192.0.2.53"], "alpn": ["h2"]}])")
                  .starts_with("/0: "));
    }

    TEST_CASE("this boot has a name and an age") {
        const Boot boot = this_boot();
        CHECK(boot.id.size() == 36);
        CHECK(boot.age > seconds(0));
    }
}

}  // namespace
}  // namespace porchlight::agent
