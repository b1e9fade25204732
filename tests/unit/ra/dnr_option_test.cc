#include "ra/dnr_option.h"

#include <doctest/doctest.h>

#include "hex.h"

namespace porchlight::ra {
namespace {

TEST_SUITE("ra/dnr_option") {
    using std::chrono::seconds;

    const auto full =
        hex("90 06"                                     // type, 48 octets
            "0001 00000708"                             // priority, lifetime 1800
            "0005 03 646e73 00"                         // adn "dns."
            "0010 20010db8 00000000 00000000 00000053"  // one address
            "0008 0001 0004 03 646f74"                  // alpn=dot
            "00 00000000");                             // padding
    const auto adn_only = hex("90 02 0001 00000708 0005 03 646e73 00 00");

    TEST_CASE("a full option survives a round trip") {
        REQUIRE(full.size() == 48);
        const auto dnr = parse_dnr_option(full);
        REQUIRE(dnr);
        CHECK(dnr->priority == 1);
        CHECK(dnr->lifetime == seconds(1800));
        CHECK(dns::to_text(dnr->adn) == "dns.");
        CHECK(dnr->addresses == std::vector{*parse_ipv6("2001:db8::53")});
        CHECK(dnr->params.alpn == std::vector<std::string>{"dot"});
        Writer out;
        write(out, *dnr);
        CHECK(*out.take() == full);
        CHECK(dnr_option(resolver_of(*dnr), dnr->lifetime) == *dnr);
    }

    TEST_CASE("every truncation is refused") {
        for (std::size_t size = 0; size < full.size(); ++size) {
            CAPTURE(size);
            CHECK(!parse_dnr_option(Bytes(full).first(size)));
        }
    }

    TEST_CASE("every name length is padded with 0 to 7 zeros and read back") {
        for (std::size_t length = 1; length <= 63; ++length) {
            for (const bool alone : {false, true}) {
                CAPTURE(length);
                DnrOption dnr{1, seconds(600), *dns::parse_name(std::string(length, 'a')), {}, {}};
                if (!alone) {
                    dnr.addresses = {*parse_ipv6("fd00::1")};
                    dnr.params.alpn = {"dot"};
                }
                Writer out;
                write(out, dnr);
                const Buffer option = *out.take();
                CHECK(option.size() % 8 == 0);
                CHECK(option.size() < 10 + length + 2 + (alone ? 0 : 28) + 8);
                CHECK(*parse_dnr_option(option) == dnr);
            }
        }
    }

    TEST_CASE("RFC 9463 section 3.1.6: with the name alone only zeros follow, less than 8") {
        const auto dnr = parse_dnr_option(adn_only);
        REQUIRE(dnr);
        CHECK(dns::is_adn_only(resolver_of(*dnr)));
        Writer out;
        write(out, *dnr);
        CHECK(*out.take() == adn_only);
        CHECK(!parse_dnr_option(hex("90 03 0001 00000708 0005 03 646e73 00 00 00000000 00000000")));
        CHECK(!parse_dnr_option(hex("90 02 0001 00000708 0005 03 646e73 00 01")));
    }

    TEST_CASE("RFC 9463 section 6.1: padding is zero and less than 8 octets") {
        Buffer dirty = full;
        dirty.back() = 1;
        CHECK(!parse_dnr_option(dirty));
        Buffer padded = full;
        padded.resize(56);
        padded[1] = 7;
        CHECK(!parse_dnr_option(padded));
    }

    TEST_CASE("RFC 9463 section 6.1: 8 octets of padding are one unit too many") {
        CHECK(parse_dnr_option(hex("90 02 0001 00000708 0006 04 646e7331 00")));
        CHECK(!parse_dnr_option(hex("90 03 0001 00000708 0006 04 646e7331 00 00000000 00000000")));
        Buffer exact =
            hex("90 06 0001 00000708 000a 04 646e7331 03 6e6574 00"
                "0010 20010db8 00000000 00000000 00000053 0008 0001 0004 03 646f74");
        CHECK(parse_dnr_option(exact));
        exact.resize(56);
        exact[1] = 7;
        CHECK(!parse_dnr_option(exact));
    }

    TEST_CASE("RFC 9463 section 6.1: Addr Length is a multiple of 16") {
        for (const std::size_t length : {8u, 15u, 16u, 17u, 24u, 31u, 32u}) {
            CAPTURE(length);
            Buffer option = hex("90 00 0001 00000708 0005 03 646e73 00 00");
            option.push_back(static_cast<std::uint8_t>(length));
            option.insert(option.end(), length, 0x20);
            option.resize((option.size() + 2 + 7) / 8 * 8);  // no parameters, and padding
            option[1] = static_cast<std::uint8_t>(option.size() / 8);
            CHECK(bool(parse_dnr_option(option)) == (length % 16 == 0));
        }
    }

    TEST_CASE("RFC 9463 section 3.1.8: lengths stay inside the option, whatever its Length says") {
        for (const auto& [at, value] : {std::pair{16, 0x20},
                                        {16, 0xff},
                                        {15, 0xff},  // addresses
                                        {34, 0x10},
                                        {34, 0xff},
                                        {33, 0xff},  // parameters
                                        {9, 0x30},
                                        {8, 0xff}}) {  // name
            CAPTURE(at);
            Buffer wrong = full;
            wrong[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
            CHECK(!parse_dnr_option(wrong));
        }
    }

    TEST_CASE("RFC 9463 section 6.1: type and length are its own") {
        for (const auto& [at, value] : {std::pair{0, 25}, {1, 5}, {1, 7}, {1, 0}}) {
            Buffer wrong = full;
            wrong[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
            CHECK(!parse_dnr_option(wrong));
        }
    }

    TEST_CASE("RFC 9463 section 6.1: lifetimes go from now to for ever") {
        for (const char* lifetime : {"00000000", "ffffffff"}) {
            Buffer option = full;
            const auto octets = hex(lifetime);
            std::copy(octets.begin(), octets.end(), option.begin() + 4);
            const auto dnr = parse_dnr_option(option);
            REQUIRE(dnr);
            CHECK(dnr->lifetime == (octets[0] == 0 ? seconds(0) : DnrOption::for_ever));
            Writer out;
            write(out, *dnr);
            CHECK(*out.take() == option);
        }
    }

    TEST_CASE("RFC 9463 section 6.1: with lifetime 0 a resolver is taken back") {
        DnrOption dnr = *parse_dnr_option(full);
        CHECK(!why_not_usable(dnr));
        dnr.priority = 0;
        CHECK(*why_not_usable(dnr) == "priority 0 has no meaning for a resolver");
        dnr.lifetime = seconds(0);
        CHECK(*why_not_usable(dnr) == "withdrawn");
    }

    TEST_CASE("RFC 9463 section 3.1.8: the name is there, whole, uncompressed and not the root") {
        CHECK(!parse_dnr_option(hex("90 02 0001 00000708 0000 000000000000")));     // none
        CHECK(!parse_dnr_option(hex("90 02 0001 00000708 0001 00 0000000000")));    // the root
        CHECK(!parse_dnr_option(hex("90 02 0001 00000708 0004 03 646e73 0000")));   // no root label
        CHECK(!parse_dnr_option(hex("90 02 0001 00000708 0006 03 646e73 0000")));   // too long
        CHECK(!parse_dnr_option(hex("90 02 0001 00000708 0006 03 646e73 c000")));   // compressed
        CHECK(!parse_dnr_option(hex("90 02 0001 00000708 0005 03 642073 00 00")));  // "d s"
    }

    TEST_CASE("RFC 9463 section 3.1.8: additional data without an address is invalid") {
        CHECK(!parse_dnr_option(
            hex("90 04 0001 00000708 0005 03 646e73 00 0000 0008 0001 0004 03 646f74 00 0000")));
    }

    TEST_CASE("RFC 9463 section 6.2: multicast and loopback addresses are dropped in silence") {
        Buffer option = full;
        option[17] = 0xff;  // 2001:db8::53 becomes ff01:db8::53
        CHECK(!parse_dnr_option(option));
        const auto kept = parse_dnr_option(
            hex("90 08 0001 00000708 0005 03 646e73 00 0020 ff020000 00000000 00000000 00000001"
                "20010db8 00000000 00000000 00000053 0008 0001 0004 03 646f74 00 00000000"));
        REQUIRE(kept);
        CHECK(kept->addresses == std::vector{*parse_ipv6("2001:db8::53")});
        CHECK(kept->params.alpn == std::vector<std::string>{"dot"});
    }

    TEST_CASE("RFC 9463 section 3.1.8: malformed parameters invalidate the option") {
        Buffer option = full;
        option[39] = 4;  // the ALPN id's length
        CHECK(parse_dnr_option(option).error().message ==
              "RA option 144: ends too early at octet 40");
    }

    TEST_CASE("RFC 9463 section 3.1.5: address hints invalidate the option") {
        DnrOption dnr = *parse_dnr_option(full);
        dnr.params.other[dns::key_ipv4hint] = hex("c0000235");
        Writer out;
        write(out, dnr);
        CHECK(!parse_dnr_option(*out.take()));
    }

    TEST_CASE("an option that its Length can't say is not written") {
        DnrOption dnr = *parse_dnr_option(full);
        dnr.addresses.assign(127, dnr.addresses.front());
        Writer out;
        write(out, dnr);
        CHECK(!out.take());
    }

    TEST_CASE("resolvers become options by priority, IPv4 alone is left out") {
        dns::EncryptedResolver six = resolver_of(*parse_dnr_option(full));
        dns::EncryptedResolver four = six;
        four.addresses = {*parse_ipv4("192.0.2.53")};
        dns::EncryptedResolver first = six;
        six.priority = 2;
        const auto encoded = encode(std::vector{six, four, first}, seconds(1800));
        REQUIRE(encoded.options.size() == 2);
        CHECK(encoded.options.front() == full);
        CHECK(encoded.left_out.size() == 1);
        six.addresses = {*parse_ipv6("ff02::1"), *parse_ipv6("2001:db8::53")};
        six.priority = 1;
        CHECK(encode(std::vector{six}, seconds(1800)).options == std::vector<Buffer>{full});
    }
}

TEST_SUITE("ra/dnr_option encoded") {
    TEST_CASE("what one advertisement can't hold is left out and named") {
        dns::EncryptedResolver resolver;
        resolver.adn = *dns::parse_name("a.example");
        resolver.addresses = {*parse_ipv6("2001:db8::53")};
        resolver.params.alpn = {"h2"};
        resolver.params.dohpath = "/" + std::string(1300, 'p') + "{?dns}";
        const std::vector<dns::EncryptedResolver> resolvers{resolver};
        CHECK(encode(resolvers, std::chrono::seconds(60)).options.size() == 1);
        const Encoded encoded = encode(resolvers, std::chrono::seconds(60), 1224);
        CHECK(encoded.options.empty());
        REQUIRE(encoded.left_out.size() == 1);
        CHECK(encoded.left_out[0].why.ends_with("octets do not fit into one advertisement"));
        const std::size_t size = encode(resolvers, std::chrono::seconds(60)).options[0].size();
        CHECK(encode(resolvers, std::chrono::seconds(60), size).left_out.empty());
        CHECK(encode(resolvers, std::chrono::seconds(60), size - 1).options.empty());
    }
}

}  // namespace
}  // namespace porchlight::ra
