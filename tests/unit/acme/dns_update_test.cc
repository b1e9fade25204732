#include "acme/dns_update.h"

#include <doctest/doctest.h>

#include "acme/tsig.h"
#include "core/writer.h"
#include "hex.h"

namespace porchlight::acme {
namespace {

const WallTime now{std::chrono::seconds(1795255200)};
const dns::Name zone = *dns::parse_name("example.net");
const TxtRecord record{*dns::parse_name("_acme-challenge.cpe1.example.net"), "value"};
const TsigKey key{*dns::parse_name("cpe1"), "hmac-sha256", Buffer(32, 7)};

/// An answer that the server did not sign, with an error in its TSIG where one is given.
Buffer unsigned_answer(std::uint16_t rcode, std::uint16_t tsig_error) {
    Writer out;
    out.u16(0x1234);
    out.u16(static_cast<std::uint16_t>(0xa800 | rcode));
    out.zeros(6);
    out.u16(tsig_error != 0 ? 1 : 0);
    if (tsig_error == 0) return *out.take();
    dns::write(out, key.name);
    out.u16(250);
    out.u16(255);
    out.u32(0);
    out.counted_u16([&] {
        dns::write(out, *dns::parse_name(key.algorithm));
        out.zeros(6);
        out.u16(300);
        out.u16(0);  // no MAC
        out.u16(0x1234);
        out.u16(tsig_error);
        out.u16(0);
    });
    return *out.take();
}

std::string code_of(Bytes answer, std::uint16_t id = 0x1234) {
    const auto failure = read_update_answer(answer, id, key, Buffer(32, 1), now);
    return failure ? failure->code : "";
}

TEST_SUITE("acme/dns_update") {
    TEST_CASE("a record is added in class IN and removed, it alone, in class NONE") {
        const std::string head =
            "1234 2800 0001 0000 0001 0000"
            "07 6578616d706c65 03 6e6574 00  0006 0001";
        const std::string owner =
            "0f 5f61636d652d6368616c6c656e6765 04 63706531 07 6578616d706c65 03 6e6574 00  0010";
        CHECK(write_update(0x1234, zone, UpdateKind::add, {record}) ==
              hex(head + owner + "0001 0000003c 0006 05 76616c7565"));
        CHECK(write_update(0x1234, zone, UpdateKind::remove, {record}) ==
              hex(head + owner + "00fe 00000000 0006 05 76616c7565"));
    }

    TEST_CASE("each refusal has a code of its own") {
        CHECK(code_of(unsigned_answer(9, 17)) == "dns-update.badkey");
        CHECK(code_of(unsigned_answer(9, 16)) == "dns-update.badsig");
        CHECK(code_of(unsigned_answer(9, 0)) == "dns-update.notauth");
        CHECK(code_of(unsigned_answer(10, 0)) == "dns-update.notzone");
        CHECK(code_of(unsigned_answer(5, 0)) == "dns-update.refused");
        CHECK(code_of(unsigned_answer(8, 0)) == "dns-update.nxrrset");
        CHECK(code_of(unsigned_answer(2, 0)) == "dns-update.servfail");
        CHECK(code_of(unsigned_answer(11, 0)) == "dns-update.rcode-11");
    }

    TEST_CASE("a success that nobody signed is none") {
        CHECK(code_of(unsigned_answer(0, 0)) == "dns-update.unsigned");
    }

    TEST_CASE("what is no answer to this update is malformed") {
        CHECK(code_of(unsigned_answer(0, 0), 0x4321) == "dns-update.malformed");
        CHECK(code_of(hex("1234 2800 0000 0000 0000 0000")) == "dns-update.malformed");
        CHECK(code_of(hex("1234 8000 0000 0000 0000 0000")) == "dns-update.malformed");
        CHECK(code_of(hex("1234")) == "dns-update.malformed");
    }
}

}  // namespace
}  // namespace porchlight::acme
