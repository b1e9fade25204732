#include "agent/ddr_status.h"

#include <algorithm>

#include "agent/designations.h"
#include "core/writer.h"
#include "dns/query.h"

namespace porchlight::agent {
namespace {

using forwarder::Designations;

const Designations* find(const std::vector<Designations>& all, const std::string& link) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Designations& one) { return one.link == link; });
    return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> texts_of(const Designations& told) {
    std::vector<std::string> texts;
    for (const dns::Svcb& record : told.records) {
        Writer out;
        dns::write(out, record);
        texts.push_back(std::to_string(dns::type::svcb) + " " + to_hex(out.view()));
    }
    return texts;
}

/// The addresses by which hosts of the link may ask, but which the certificate lacks. Each host
/// asks by one of them and verifies that one.
std::string unproved_addresses(const std::vector<net::Link>& links, const std::string& name,
                               const std::vector<IpAddress>& certified) {
    std::string list;
    for (const net::Link& link : links) {
        if (link.name != name) continue;
        for (const IpAddress& address : announced_addresses(link))
            if (std::find(certified.begin(), certified.end(), address) == certified.end())
                list += (list.empty() ? "" : ", ") + to_text(address);
    }
    return list;
}

std::string why_none(const LinkPlan& link, const std::vector<Designations>& told,
                     const Status& status) {
    if (link.resolvers.empty()) return link.why;
    if (find(told, link.link) == nullptr) return "hosts are still told of another resolver";
    if (!status.forwarder_trouble.empty())
        return "the forwarder refuses its settings: " + status.forwarder_trouble;
    // Those who know DDR alone ask dnsmasq, which asks us.
    if (!status.processes.dnsmasq_trouble.empty()) return status.processes.dnsmasq_trouble;
    if (find(told, "") == nullptr)
        return "who asks dnsmasq may be a host of another link, and not all of them are told of "
               "this router";
    return "";
}

}  // namespace

void describe_ddr(const Config& config, const std::vector<net::Link>& links, Status& status) {
    status.ddr = {};
    if (!config.announce.ddr) {
        status.ddr.why = "announce.ddr is false";
        return;
    }
    const std::vector<Designations> told = designations(config, status.plan, links);
    std::string unproved;  // by which hosts can't verify
    for (const LinkPlan& link : status.plan.links) {
        const auto lan = std::find_if(config.lan.begin(), config.lan.end(),
                                      [&](const auto& one) { return one.interface == link.link; });
        if (lan == config.lan.end() || resolve_mode(config, *lan) != Mode::forwarder) continue;
        CarrierStatus row;
        row.link = link.link;
        row.carrier = "ddr";
        row.why = why_none(link, told, status);
        row.announced = row.why.empty();
        if (row.announced) {
            row.options = texts_of(*find(told, link.link));
            status.ddr.announced = true;
            const std::string missing =
                unproved_addresses(links, link.link, status.certificate.addresses);
            if (!missing.empty()) {
                unproved += (unproved.empty() ? "" : ", ") + missing + " of " + link.link;
                row.notes.push_back("hosts can't verify it by " + missing +
                                    ", which the certificate lacks; they encrypt without proof, "
                                    "or not at all");
            }
        } else if (status.ddr.why.empty()) {
            status.ddr.why = row.why;
        }
        status.carriers.push_back(std::move(row));
    }
    if (!status.ddr.announced) {
        if (status.ddr.why.empty()) status.ddr.why = "no link's hosts are told of this router";
        return;
    }
    status.ddr.verified_possible = unproved.empty();
    status.ddr.why = unproved.empty() ? "" : "the certificate lacks " + unproved;
}

}  // namespace porchlight::agent
