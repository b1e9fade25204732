"""Several resolvers, several kinds of hosts, both forms of the options."""

from __future__ import annotations

from typing import Iterator

import pytest

from lab import Home, decode, draft
from lab.isp import ADN, RESOLVER4, RESOLVER6, RESOLVER_ADN
from lab.program import eventually
from lab.router import LAN4, LAN6

FAMILY = {"adn": "family.example.org", "addresses": ["198.51.100.7", "2001:db8::7"], "dot": {}}
FAMILY4 = decode.Resolver(1, "family.example.org", ("198.51.100.7",), ("dot",))
FAMILY6 = decode.Resolver(1, "family.example.org", ("2001:db8::7",), ("dot",))
ROUTER4 = decode.Resolver(1, ADN, (LAN4,), ("dot",))
ROUTER6 = decode.Resolver(1, ADN, (LAN6,), ("dot",))


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


def test_a_group_of_hosts_is_told_of_other_resolvers(home: Home) -> None:
    router = home.router
    child, guest, other = home.host("child"), home.host("guest"), home.host("other")
    # The child has a reservation of the user's own, which must stay.
    reserved = f"{LAN4.rsplit('.', 1)[0]}.42"
    with (router.folder / "dnsmasq.conf").open("a") as conf:
        conf.write(f"dhcp-host={child.mac()},{reserved},child\n")
    router.restart_dnsmasq()
    router.configure(router.config(announce={
        "ra": "off",
        "groups": [{"tag": "kids", "hosts": child.mac(), "resolvers": [FAMILY]},
                   {"tag": "none", "hosts": [guest.mac().upper()]}]}))
    router.start_porchlight()
    router.until_dnsmasq_tells()
    told = child.join()
    assert told["ip"] == reserved
    assert child.dhcpv4() == [FAMILY4] and child.dhcpv6() == [FAMILY6]
    assert guest.dhcpv4() == guest.dhcpv6() == []
    # The control: who belongs to no group hears of the router.
    assert other.dhcpv4() == [ROUTER4] and other.dhcpv6() == [ROUTER6]
    # Withdrawn is withdrawn for all of them.
    assert router.stop_porchlight() == 0
    for host in (child, guest, other):
        assert host.dhcpv4() == host.dhcpv6() == []


def test_a_group_is_told_on_links_that_are_on_alone(home: Home) -> None:
    router = home.router
    router.add_guest_link()
    child, visiting = home.host("child"), home.host("child", "br-guest")
    lan = [{"interface": "br-lan"}, {"interface": "br-guest", "mode": "off"}]
    kids = [{"tag": "kids", "hosts": [child.mac(), visiting.mac()], "resolvers": [FAMILY]}]
    config = router.config(lan=lan, announce={"ra": "off", "groups": kids})
    router.configure(config)
    router.start_porchlight()
    status = router.until_dnsmasq_tells()
    assert [group["links"] for group in status["groups"]] == [["br-lan"]]
    for host in (child, visiting):
        host.ask_udhcpc()
    assert child.dhcpv4() == [FAMILY4] and child.dhcpv6() == [FAMILY6]
    assert visiting.dhcpv4() == visiting.dhcpv6() == []
    # The control: it hears of them once its link is on.
    lan[1]["mode"] = "auto"
    router.configure(config)
    router.reload_porchlight()
    router.until("the group is told there", lambda status: [
        group["links"] for group in status["groups"]] == [["br-lan", "br-guest"]])
    eventually("it hears of them", lambda: visiting.dhcpv4() == [FAMILY4])
    assert visiting.dhcpv6() == [FAMILY6]


def test_both_forms_are_told_at_once(home: Home) -> None:
    router = home.router
    router.configure(router.config(announce={"formats": ["rfc9463", "draft-btw-11"]}))
    router.start_porchlight()
    router.until_announced()
    host = home.host()
    host.join()
    said = host.ask_udhcpc(also=(230,))
    assert decode.dhcpv4(bytes.fromhex(said["opt162"])) == [ROUTER4]
    assert draft.dhcpv4(bytes.fromhex(said["opt230"])) == [
        draft.Offer(("dot",), 0, (LAN4,), ADN)]
    options = host.dhcpv6_options(144, 65001, 65002, 65003)
    assert [decode.dhcpv6(option) for option in options[144]] == [ROUTER6]
    assert [draft.dhcpv6_name(option) for option in options[65001]] == [
        draft.Offer(("dot",), adn=ADN)]
    assert [draft.dhcpv6_addresses(option) for option in options[65002]] == [
        draft.Offer(("dot",), 0, (LAN6,))]
    assert options[65003] == []
    heard = next(heard for heard in host.advertisements(12) if heard.encrypted_dns())
    assert [option.resolver for option in heard.encrypted_dns()] == [ROUTER6]
    names = [draft.nd_name(option) for kind, option in heard.options if kind == 253]
    addresses = [draft.nd_addresses(option) for kind, option in heard.options if kind == 254]
    assert names == [draft.Offer(("dot",), adn=ADN, lifetime_s=1800)]
    assert addresses == [draft.Offer(("dot",), 0, (LAN6,), lifetime_s=1800)]
    # Both are taken back: the last that is heard of each has no life left.
    with host.watching() as seen:
        assert router.stop_porchlight() == 0
    ended = {kind: option for heard in seen for kind, option in heard.options
             if kind in (144, 253, 254)}
    assert sorted(ended) == [144, 253, 254]
    assert all(option[4:8] == bytes(4) for option in ended.values())


def test_of_many_resolvers_those_that_fit_are_told_and_the_rest_is_named(home: Home) -> None:
    router = home.router
    named = [{"adn": f"resolver{number}.dns.example.org",
              "addresses": [f"198.51.100.{number}", f"2001:db8::{number}"],
              "dot": {}, "doh": [{"path": "/dns-query{?dns}"}]} for number in range(1, 21)]
    router.configure(router.config(mode="static", announce={"resolvers": named}))
    router.start_porchlight()
    status = router.until_announced()
    host = home.host()
    host.join()
    for version, carrier, heard in (
            (4, "dhcpv4", host.dhcpv4()), (6, "dhcpv6", host.dhcpv6()),
            (6, "ra", all_by_ra(host))):
        plan = decode.planned(status, "br-lan", version)
        row = next(row for row in status["announced"]["carriers"] if row["carrier"] == carrier)
        left_out = len(row.get("left_out", []))
        assert heard == plan[:len(plan) - left_out], carrier
        assert heard and (left_out > 0) == (carrier != "ra"), carrier


def all_by_ra(host) -> list[decode.Resolver]:
    """What several advertisements tell together, by priority."""
    found: dict[int, decode.Resolver] = {}
    for heard in host.advertisements(30):
        found |= {option.resolver.priority: option.resolver for option in heard.encrypted_dns()}
        if len(found) == 20:
            break
    return [found[priority] for priority in sorted(found)]


def test_every_client_hears_the_plan(home: Home) -> None:
    router = home.router
    named = [{"adn": RESOLVER_ADN, "addresses": [RESOLVER4, RESOLVER6], "dot": {}, "doq": {},
              "doh": [{"versions": ["h2", "h3"]}]}]
    router.configure(router.config(mode="static", announce={"resolvers": named}))
    router.start_porchlight()
    status = router.until_announced()
    host = home.host()
    host.join()
    plan4, plan6 = (decode.planned(status, "br-lan", version) for version in (4, 6))
    assert plan4 == [decode.Resolver(1, RESOLVER_ADN, (RESOLVER4,), ("dot", "doq", "h2", "h3"),
                                     None, "/dns-query{?dns}")]
    assert host.dhcpv4() == plan4, "udhcpc"
    assert host.dhcpv4_by_dhclient() == plan4
    assert host.dhcpv4_by_dhcpcd() == plan4
    assert host.dhcpv6() == plan6, "scapy"
    assert host.dhcpv6_by_dhclient() == plan6
    assert [option.resolver for option in host.ra()] == plan6
    # The control: clients that are told nothing say so.
    router.stop_porchlight()
    assert host.dhcpv4() == host.dhcpv4_by_dhcpcd() == host.dhcpv6() == []


def test_protocols_at_other_ports_and_several_paths_are_entries_of_their_own(home: Home) -> None:
    router = home.router
    named = [{"adn": RESOLVER_ADN, "addresses": [RESOLVER4, RESOLVER6], "dot": {},
              "doh": [{"port": 8443, "path": "/a{?dns}"}, {"port": 8443, "path": "/b{?dns}"}]}]
    router.configure(router.config(mode="static", announce={"resolvers": named}))
    router.start_porchlight()
    router.until_announced()
    host = home.host()
    host.join()
    assert host.dhcpv4() == [
        decode.Resolver(1, RESOLVER_ADN, (RESOLVER4,), ("dot",)),
        decode.Resolver(2, RESOLVER_ADN, (RESOLVER4,), ("h2",), 8443, "/a{?dns}"),
        decode.Resolver(3, RESOLVER_ADN, (RESOLVER4,), ("h2",), 8443, "/b{?dns}")]
