#include "dns/name.h"

#include <doctest/doctest.h>

#include <string>

#include "hex.h"

namespace porchlight::dns {
namespace {

TEST_SUITE("dns/name") {
    const auto doh1 = hex("04 646f6831 07 6578616d706c65 03 636f6d 00");  // doh1.example.com.

    TEST_CASE("a name survives wire and text") {
        Reader in(doh1);
        const Name name = read_name(in);
        CHECK(in.finished());
        CHECK(to_text(name) == "doh1.example.com.");
        CHECK(to_host(name) == "doh1.example.com");
        CHECK(name.label_count() == 3);
        CHECK(*parse_name("doh1.example.com") == name);
        CHECK(*parse_name("DOH1.Example.COM.") == name);
        Writer out;
        write(out, name);
        CHECK(*out.take() == doh1);
    }

    TEST_CASE("every truncation is refused") {
        for (std::size_t size = 0; size < doh1.size(); ++size) {
            CAPTURE(size);
            Reader in(Bytes(doh1).first(size));
            (void)read_name(in);
            CHECK(in.failed());
        }
    }

    TEST_CASE("pointers, long labels and long names are refused") {
        for (const Buffer& bad : {hex("c00c"), hex("40"), Buffer(300, 1)}) {
            Reader in(bad);
            (void)read_name(in);
            CHECK(in.failed());
        }
        Buffer longest;  // 127 labels of one octet: 255 octets with the root
        for (int i = 0; i < 127; ++i) longest.insert(longest.end(), {1, 'a'});
        longest.push_back(0);
        Reader fits(longest);
        (void)read_name(fits);
        CHECK(fits.finished());
        longest.insert(longest.begin(), {1, 'a'});
        Reader over(longest);
        (void)read_name(over);
        CHECK(over.failed());
    }

    TEST_CASE("a label has 63 octets at most and a name 255, in wire and text alike") {
        const auto name_of = [](std::initializer_list<std::size_t> labels) {
            Buffer wire;
            std::string text;
            for (const std::size_t size : labels) {
                wire.push_back(static_cast<std::uint8_t>(size));
                wire.insert(wire.end(), size, 'a');
                text += std::string(size, 'a') + '.';
            }
            wire.push_back(0);
            Reader in(wire);
            (void)read_name(in);
            const bool from_text(parse_name(text));
            CHECK(in.finished() == from_text);
            return from_text;
        };
        CHECK(name_of({63}));
        CHECK(!name_of({64}));
        CHECK(name_of({63, 63, 63, 61}));
        CHECK(!name_of({63, 63, 63, 62}));
    }

    TEST_CASE("text that is no name is refused") {
        for (const char* bad : {"", "..", ".a", "a..b", "a\\", "a\\25", "a\\256"}) {
            CAPTURE(bad);
            CHECK(!parse_name(bad));
        }
        CHECK(!parse_name(std::string(64, 'a')));
        CHECK(to_text(*parse_name("a\\.b.c")) == "a\\046b.c.");
    }

    TEST_CASE("ancestry goes by labels, not by letters") {
        const Name name = *parse_name("a.b.Example.org");
        CHECK(name.is_within(*parse_name("example.ORG")));
        CHECK(name.is_within(name));
        CHECK(name.is_within(Name()));
        CHECK(!name.is_within(*parse_name("ample.org")));
        CHECK(!parse_name("example.org")->is_within(name));
        CHECK(to_text(name.parent()) == "b.Example.org.");
        CHECK(Name().parent().is_root());
    }

    TEST_CASE("a name that reads as an address ends in a number") {
        for (const char* address : {"192.0.2.53", "53", "dns.example.0"}) {
            CAPTURE(address);
            CHECK(reads_as_address(*parse_name(address)));
            CHECK(*why_not_announceable(*parse_name(address)) == "reads as an address");
        }
        for (const char* name : {"1.dns.example", "dns.example.1a", "dns.0x1", "."})
            CHECK(!reads_as_address(*parse_name(name)));
    }

    TEST_CASE("a name to be announced is one that every receiver takes") {
        CHECK(!why_not_announceable(*parse_name("Dns-1.example.xn--p1ai")));
        CHECK(*why_not_announceable(*parse_name("dns_1.example")) ==
              "has an underscore, for which systemd discards the option");
        CHECK(*why_not_announceable(*parse_name("b\\195.example")) == "is no host's name");
        CHECK(*why_not_announceable(Name()) == "is no host's name");
    }

    TEST_CASE("a server's name has letters, digits, hyphens and underscores") {
        CHECK(is_host_name(*parse_name("dns-1.example_net.xn--p1ai")));
        CHECK(!is_host_name(Name()));
        CHECK(!is_host_name(*parse_name("-a.example")));
        CHECK(!is_host_name(*parse_name("a-.example")));
        CHECK(!is_host_name(*parse_name("a\\000.example")));
        CHECK(!is_host_name(*parse_name("b\\195\\188cher.example")));
    }
}

}  // namespace
}  // namespace porchlight::dns
