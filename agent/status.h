#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/carriers.h"
#include "agent/guard.h"
#include "agent/keeper_protocol.h"
#include "agent/plan.h"
#include "agent/status_offers.h"
#include "agent/upstreams.h"
#include "core/clock.h"
#include "forwarder/settings.h"

namespace porchlight::agent {

/// What says to hosts that the certificate is not revoked (RFC 6066 section 8).
struct StapleStatus {
    std::string responder;                 // whom the certificate names; empty: nobody
    bool required = false;                 // hosts that know RFC 7633 demand one
    std::optional<WallTime> until;         // of the one that is shown; none: there is none
    std::optional<WallTime> next_attempt;  // none: nothing is planned
    std::string last_error;                // of the last attempt; empty: it went well
    std::uint64_t fetched = 0;             // since this process began
    std::uint64_t failed = 0;
};

/// Remarks, a sentence each, for `status` and `check` alike.
std::string missing_issuer_text(const std::string& issuer);
std::string unknown_root_text(const std::string& root);
inline constexpr const char* staple_never_text =
    "it demands a staple (RFC 7633) and names no responder that could give one: hosts that know "
    "that "
    "refuse it";

/// What is known of the certificate in use.
struct CertificateStatus {
    std::string source;                          // "acme", "files" or "none"
    std::string origin;                          // "generation 12", a path
    std::vector<std::string> subject_alt_names;  // names, then addresses
    std::vector<IpAddress> addresses;            // of those the addresses
    std::string issuer;
    std::optional<WallTime> not_before;
    std::optional<WallTime> not_after;
    bool fit = false;
    std::optional<std::string> missing_issuer;  // of the chain's last certificate; none: it's there
    std::optional<std::string> unknown_root;    // at its end; none: there is none, or it is known
    StapleStatus staple;
    std::string why;                       // why not fit; empty otherwise
    std::string passed_over;               // why a newer one is not served; empty: there is none
    std::optional<WallTime> next_attempt;  // of the next order; none: nothing is planned
    std::string last_error_code;           // of the last order; empty: it went well
    std::string last_error;
    std::uint64_t orders_succeeded = 0;  // since this process began
    std::uint64_t orders_failed = 0;
};

/// What a carrier does on a link right now.
struct CarrierStatus {
    std::string link;       // or the tag of a group of hosts
    bool is_group = false;  // it is the latter
    std::string carrier;    // "dhcpv4", "dhcpv6", "ra", "ddr"
    bool announced = false;
    /// What is on the wire, "162 001e…": code and octets in hexadecimal digits. Of DDR the type of
    /// the record and its RDATA.
    std::vector<std::string> options;
    std::vector<std::string> left_out;  // "cpe1.example.net.: has no IPv4 address"
    std::string why;                    // why nothing is announced; empty otherwise
    std::vector<std::string> notes;     // what else is to be known of it, a sentence each
    bool by_odhcpd = false;             // whose own messages carry it
};

/// What was heard on a WAN link by Router Advertisement. Without seconds: for ever.
struct WanStatus {
    struct Resolver {
        dns::EncryptedResolver resolver;
        std::optional<std::chrono::seconds> left;
    };
    struct Plain {
        std::string address;
        std::optional<std::chrono::seconds> left;
    };
    struct Router {
        std::string address;
        std::chrono::seconds heard_ago{0};
        std::vector<Resolver> resolvers;
        std::vector<Plain> plain;
        std::string provisioning_domain;  // not empty: tells of resolvers for that domain alone
    };
    std::string interface;
    bool hears = false;  // there is a socket, and a link that it is bound to
    std::vector<Router> routers;
    std::vector<std::pair<std::string, std::uint64_t>> counters;
};

/// What hosts that know DDR alone (RFC 9462) can make of it.
struct DdrStatus {
    bool announced = false;          // on some link
    bool verified_possible = false;  // wherever it is announced, hosts can prove who answers
    std::string why;                 // why not; empty otherwise
};

/// Everything that `porchlight status` tells.
struct Status {
    Plan plan;
    std::vector<ChosenCarrier> chosen;
    std::vector<CarrierStatus> carriers;
    std::vector<WanStatus> wan;
    DdrStatus ddr;
    bool needs_certificate = false;
    CertificateStatus certificate;
    bool wall_trusted = true;
    std::vector<Fitness> fitness;                // of links that may be told of this router
    std::optional<forwarder::Status> forwarder;  // none: it did not answer
    std::vector<forwarder::Counter> counters;    // of each that there was, see ForwarderTotals
    Processes processes;
    std::vector<std::string> cannot;
    GuardStatus guard;
    std::chrono::seconds uptime{0};
    OffersStatus offers;
    UpstreamOrigin upstreams_origin = UpstreamOrigin::configuration;
    std::vector<Upstreams::Tried> upstreams_tried;  // offered by a WAN
    std::string forwarder_trouble;  // why the forwarder took no settings; empty: it did
};

/// One sentence that a person understands: what hosts are told, how many used it, how long the
/// certificate is good, or what is wrong.
std::string summary(const Status& status, WallTime now);
/// The stable machine-readable form, one JSON object, with the summary.
std::string status_json(const Status& status, WallTime now);
/// From the JSON form, for a terminal: the summary first. Strangers' octets come out escaped.
Result<std::string> status_text(std::string_view json);
/// The part about the certificate alone.
Result<std::string> certificate_text(std::string_view json);

}  // namespace porchlight::agent
