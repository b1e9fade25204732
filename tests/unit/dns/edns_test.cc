#include "dns/edns.h"

#include <doctest/doctest.h>

#include "dns/query.h"
#include "hex.h"

namespace porchlight::dns {
namespace {

Buffer query(const Question& question, const QueryOptions& options) {
    Writer out;
    write_query(out, 0xbeef, question, options);
    return *out.take();
}

TEST_SUITE("dns/edns") {
    const Question question{*parse_name("example.org"), type::aaaa};

    TEST_CASE("a plain query says its size and nothing of the client") {
        CHECK(query(question, {}) == hex("beef 0100 0001 0000 0000 0001"
                                         "07 6578616d706c65 03 6f7267 00 001c 0001"
                                         "00 0029 04d0 00000000 0000"));
    }

    TEST_CASE("DO and CD are passed on") {
        Question wants = question;
        wants.dnssec_ok = wants.checking_disabled = true;
        const Buffer bytes = query(wants, {});
        CHECK(bytes[3] == 0x10);
        CHECK(Buffer(bytes.end() - 6, bytes.end()) == hex("00008000 0000"));
    }

    TEST_CASE("AD is asked for, or not") {
        CHECK(query(question, {.authentic_data = true})[3] == 0x20);
        CHECK(query(question, {})[3] == 0);
    }

    TEST_CASE("that no client subnet is to be told is passed on, and it alone") {
        Question wants = question;
        wants.subnet_withheld = true;
        const Buffer bytes = query(wants, {});
        CHECK(Buffer(bytes.end() - 10, bytes.end()) == hex("0008 0008 0004 0001 00 00"));
        CHECK(query(wants, {.padding_bytes_block = 128}).size() == 128);
    }

    TEST_CASE("padding rounds up the whole message, whatever else is in it") {
        for (std::size_t label = 1; label <= 63; ++label) {
            const Question longer{*parse_name(std::string(label, 'a') + ".example.org"), type::a};
            for (bool keepalive : {false, true}) {
                CAPTURE(label);
                const Buffer bytes =
                    query(longer, {.keepalive = keepalive, .padding_bytes_block = 128});
                CHECK(bytes.size() == 128);
            }
        }
        const Question longest{*parse_name(std::string(63, 'a') + "." + std::string(63, 'b')),
                               type::a};
        CHECK(query(longest, {.padding_bytes_block = 128}).size() == 256);
    }

    TEST_CASE("padding starts at the message, not at what stands before it") {
        Writer out;
        out.u16(0);  // as a stream's length would
        write_query(out, 1, question, {.padding_bytes_block = 128});
        CHECK(out.size() == 130);
    }

    TEST_CASE("the keepalive option of a query is empty") {
        const Buffer bytes = query(question, {.keepalive = true});
        CHECK(Buffer(bytes.end() - 6, bytes.end()) == hex("0004 000b 0000"));
    }
}

}  // namespace
}  // namespace porchlight::dns
