#pragma once

#include <string_view>
#include <vector>

#include "core/writer.h"
#include "dns/name.h"
#include "dns/query.h"

// Messages for the forwarder's tests.

namespace porchlight::forwarder {

inline dns::Name name_of(std::string_view text) {
    return *dns::parse_name(text);
}

/// A client's query with recursion desired; `edns_options` in wire form follow an OPT record.
struct QueryMessage {
    std::uint16_t id = 0x1234;
    std::string_view name = "www.example";
    std::uint16_t type = dns::type::a;
    bool edns = false;
    std::uint16_t udp_size = 1232;
    bool dnssec_ok = false;
    bool authentic_data = false;
    Buffer edns_options = {};

    Buffer octets() const {
        Writer out;
        out.u16(id);
        out.u16(static_cast<std::uint16_t>(dns::flag::recursion_desired |
                                           (authentic_data ? dns::flag::authentic_data : 0)));
        out.u16(1);
        out.u16(0);
        out.u16(0);
        out.u16(edns ? 1 : 0);
        dns::write(out, name_of(name));
        out.u16(type);
        out.u16(dns::class_in);
        if (edns) {
            out.u8(0);
            out.u16(dns::type::opt);
            out.u16(udp_size);
            out.u32(dnssec_ok ? 0x8000 : 0);
            out.counted_u16([&] { out.bytes(edns_options); });
        }
        return *out.take();
    }
};

/// A query together with the octets it borrows from.
struct ParsedQuery {
    explicit ParsedQuery(const QueryMessage& from)
        : octets(from.octets()), verdict(dns::parse_query(octets, query)) {}
    Buffer octets;
    dns::Query query;
    dns::Verdict verdict;
};

/// A response with one A record a TTL, `payload` its last address octet.
struct ResponseMessage {
    std::string_view name = "www.example";
    std::uint16_t type = dns::type::a;
    std::vector<std::uint32_t> ttls = {300};
    std::uint8_t payload = 1;
    std::size_t filling = 0;  // octets of a TXT record more
    bool authentic = false;

    Buffer octets() const {
        Writer out;
        out.u16(0);
        out.u16(static_cast<std::uint16_t>(dns::flag::response | dns::flag::recursion_desired |
                                           dns::flag::recursion_available |
                                           (authentic ? dns::flag::authentic_data : 0)));
        out.u16(1);
        out.u16(static_cast<std::uint16_t>(ttls.size()));
        out.u16(0);
        out.u16(0);
        dns::write(out, name_of(name));
        out.u16(type);
        out.u16(dns::class_in);
        for (const std::uint32_t ttl : ttls) {
            out.u16(0xc00c);
            out.u16(dns::type::a);
            out.u16(dns::class_in);
            out.u32(ttl);
            out.u16(4);
            out.u32(0xc0000200u | payload);
        }
        out.zeros(filling);
        return *out.take();
    }

    std::size_t ttl_at(std::size_t record) const {
        return dns::header_octets + name_of(name).wire().size() + 4 + record * 16 + 6;
    }

    std::vector<std::uint16_t> ttl_offsets() const {
        std::vector<std::uint16_t> offsets;
        for (std::size_t i = 0; i < ttls.size(); ++i)
            offsets.push_back(static_cast<std::uint16_t>(ttl_at(i)));
        return offsets;
    }
};

}  // namespace porchlight::forwarder
