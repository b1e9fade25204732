"""The whole path: a host joins, is told, authenticates, asks; and nobody on the WAN reads along."""

from __future__ import annotations

import json
import ssl

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from lab import Home, decode
from lab.capture import Capture
from lab.host import Host, addresses
from lab.isp import ADN, RESOLVER4
from lab.router import BINARY, LAN4, LAN6

# Whoever listens on the WAN may read these, and nothing else: the update that proves the name to
# the CA is signed, not secret; a TLS client says whom it wants to talk to.
CLEAR = {("example.net", "dns"), (f"_acme-challenge.{ADN}", "dns"),
         ("ca.isp.test", "sni"), ("dns.isp.test", "sni")}


@pytest.fixture(scope="module")
def host(home: Home) -> Host:
    host = home.host()
    host.join()
    return host


def test_every_carrier_tells_what_the_plan_says(home: Home, host: Host) -> None:
    status = home.router.status()
    plan4 = decode.planned(status, "br-lan", 4)
    plan6 = decode.planned(status, "br-lan", 6)
    assert plan4 == [decode.Resolver(1, ADN, (LAN4,), ("dot",))]
    assert plan6 == [decode.Resolver(1, ADN, (LAN6,), ("dot",))]

    assert host.dhcpv4() == plan4
    assert host.dhcpv4_by_dhclient() == plan4
    assert host.dhcpv6() == plan6
    assert host.dhcpv6_by_dhclient() == plan6
    options = host.ra()
    assert [option.resolver for option in options] == plan6
    # RFC 9463 section 6.1: at least three times the longest interval between advertisements.
    assert all(option.lifetime_s >= 3 * 600 for option in options)


def test_porchlight_reads_its_own_options_as_others_do(home: Home, host: Host) -> None:
    option = host.ra()[0]
    told = host.ask_udhcpc()["opt162"]
    for carrier, octets, resolver in (("dhcpv4", told, host.dhcpv4()[0]),
                                      ("ra", option.octets.hex(), option.resolver)):
        shown = host.ns.run(str(BINARY), "options", "decode", "--carrier", carrier, octets)
        entry = json.loads(shown.stdout)[0]
        version = 4 if carrier == "dhcpv4" else 6
        assert decode.from_plan(entry, version) == resolver, shown.stdout
    bad = host.ns.run(str(BINARY), "options", "decode", "--carrier", "dhcpv4", told[:-2],
                      check=False)
    assert bad.returncode == 1 and bad.stderr, bad


def test_an_advertisement_with_the_option_leaves_the_default_route_alone(
        home: Home, host: Host) -> None:
    with_option, without = [], []
    for advertisement in host.advertisements(12):
        (with_option if advertisement.encrypted_dns() else without).append(advertisement)
    assert with_option and without
    routers = {each.source for each in with_option + without}
    if len(routers) == 1:
        # One router to the host, so both must say the same of lifetime, flags and preference.
        # Ours has what is left of it.
        assert {each.router_lifetime_s for each in without} == {1800}
        assert all(1700 < each.router_lifetime_s <= 1800 for each in with_option)
        assert len({each.flags for each in with_option + without}) == 1
    route = host.ns.run("ip", "-6", "route", "show", "default").stdout
    assert "via fe80:" in route and "proto ra" in route, route


def test_kdig_and_dnspython_authenticate_the_resolver_and_get_answers(host: Host) -> None:
    for server in (LAN4, LAN6):
        seen = host.kdig("www.example.org", server, ADN)
        assert seen.trusted and seen.status == "NOERROR", seen.said
        assert seen.addresses == ("198.51.100.81",), seen.said
        answer = host.ask("www.example.org", server, ADN, kind="AAAA")
        assert addresses(answer) == ["2001:db8:80::81"]
        assert answer.flags & dns.flags.RA
    assert host.ask("no.such.name.example.org", LAN4, ADN).rcode() == dns.rcode.NXDOMAIN


def test_neither_takes_it_for_another(host: Host) -> None:
    seen = host.kdig("www.example.org", LAN4, "cpe2.example.net")
    assert not seen.trusted and not seen.addresses, seen.said
    with pytest.raises(ssl.SSLCertVerificationError):
        host.ask("www.example.org", LAN4, "cpe2.example.net")


def test_many_questions_share_one_connection_and_are_answered_out_of_order(
        home: Home, host: Host) -> None:
    names = [f"pipelined{number}.load.example.org" for number in range(50)]
    host.ask("www.example.net", LAN4, ADN)  # now in the cache, so its answer can overtake
    with host.dot_connection(LAN4, ADN) as connection:
        queries = {}
        octets = b""
        for number, name in enumerate([*names, "www.example.net"]):
            query = dns.message.make_query(name, "A", use_edns=0)
            query.id = number  # of fifty that are drawn two may be alike
            queries[query.id] = name
            wire = query.to_wire()
            octets += len(wire).to_bytes(2, "big") + wire
        connection.sendall(octets)
        order = []
        while len(order) < len(queries):
            answer, _ = dns.query.receive_tcp(connection, expiration=None)
            assert addresses(answer), answer
            order.append(queries[answer.id])
    assert sorted(order) == sorted(queries.values())
    assert order[-1] != "www.example.net", "the cached answer waited for those from upstream"


def test_the_home_s_own_names_are_known_over_tls(home: Home, host: Host) -> None:
    assert set(addresses(host.ask("router.lan", LAN4, ADN))) == {LAN4}
    with home.capture_wan() as wan:
        assert host.ask("nobody.lan", LAN4, ADN).rcode() == dns.rcode.NXDOMAIN
        reverse = host.ask("1.77.168.192.in-addr.arpa", LAN4, ADN, kind="PTR")
        assert "router.lan" in reverse.to_text(), reverse
    assert not wan.holds("nobody.lan")


def test_a_question_that_nobody_can_answer_does_not_run_in_circles(home: Home, host: Host) -> None:
    # dnsmasq hands the forwarder what it does not know, the forwarder dnsmasq what is of the
    # home: were either to hand it back, their conversation on loopback would never end.
    with Capture(home.router.ns, "lo", "port 53 or port 5453") as loopback:
        host.ask_clear("nobody.lan", LAN4)
        host.ask("nobody.lan", LAN4, ADN)
        host.ask_clear("200.77.168.192.in-addr.arpa", LAN4, kind="PTR")
        host.ask_clear("ring.example.org", LAN4)
    assert loopback.count("dns") < 30


def test_no_special_name_reaches_the_isp_s_resolver(home: Home, host: Host) -> None:
    special = ["localhost", "a.localhost", "1.0.0.127.in-addr.arpa", "a.invalid", "a.test",
               "a.onion", "a.alt", "printer.local", "7.1.254.169.in-addr.arpa", "nas.home.arpa",
               "9.1.168.192.in-addr.arpa", "9.1.64.100.in-addr.arpa", "9.2.0.192.in-addr.arpa",
               "9.0.0.10.in-addr.arpa", "9.16.172.in-addr.arpa", "1.0.0.0.d.f.ip6.arpa",
               "1.0.8.e.f.ip6.arpa", "1.8.b.d.0.1.0.0.2.ip6.arpa", "nobody.lan", "nas",
               "a.resolver.arpa", "a.service.arpa", "use-application-dns.net"]

    def asked_for(name: str) -> bool:
        return f" {name}. " in home.isp.unbound.said()

    # What leaves to nobody's resolver counts too: everything but the home's link and loopback.
    with Capture(home.router.ns, "any", "port 53") as everywhere:
        for name in special:
            for kind in ("A", "PTR"):
                over_tls = host.ask(name, LAN4, ADN, kind=kind)
                assert over_tls.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN), over_tls
                host.ask_clear(name, LAN4, kind)
        host.ask_clear("www.example.org", RESOLVER4)
    assert host.ask(special[-1], LAN4, ADN).rcode() == dns.rcode.NXDOMAIN
    assert host.ask_clear(special[-1], LAN4).rcode() == dns.rcode.NXDOMAIN
    for control in ("over-tls.load.example.org", "clear.load.example.org"):
        assert not asked_for(control)
    host.ask("over-tls.load.example.org", LAN4, ADN)
    host.ask_clear("clear.load.example.org", LAN4)
    for control in ("over-tls.load.example.org", "clear.load.example.org"):
        assert asked_for(control)
    assert [name for name in special if asked_for(name)] == []
    asked = {(name, v4 or v6) for name, v4, v6 in everywhere.fields(
        "dns.flags.response == 0", "dns.qry.name", "ip.dst", "ipv6.dst")}
    assert {("a.onion", LAN4), ("www.example.org", RESOLVER4)} <= asked
    at_home = {LAN4, "127.0.0.1"}
    assert {name for name, to in asked if to not in at_home} == {"www.example.org"}


def test_what_the_resolver_does_is_told_by_its_name(host: Host) -> None:
    for name in (ADN, "resolver.arpa"):
        told = host.ask(name, LAN4, ADN, kind="TYPE261").answer
        assert len(told) == 1 and told[0][0].to_wire() == b"\x1aexterr=3,15,18-19,22-23,29", told


def test_what_a_host_sends_goes_to_port_853_only(host: Host) -> None:
    # DHCP and discovery of neighbours apart, which are no questions.
    talk = "not arp and not icmp6 and not port 67 and not port 68 and not port 546 and not port 547"
    with Capture(host.ns, "eth0", talk) as wire:
        assert host.kdig("www.example.org", LAN4, ADN).trusted
        host.ask("diary.example.org", LAN4, ADN)
        host.ask("diary.example.org", LAN6, ADN)
    mine = "(ip.dst == 192.168.77.1 or ipv6.dst == fd77:77:77::1) and (tcp or udp)"
    assert wire.destinations(mine) == {("tcp", LAN4, 853), ("tcp", LAN6, 853)}
    assert wire.clear_names() == {seen for seen in wire.clear_names() if seen.how == "sni"}
    assert not wire.holds("diary.example.org")

    with Capture(host.ns, "eth0", talk) as wire:
        host.ask_clear("diary.example.org", LAN4)
    assert ("udp", LAN4, 53) in wire.destinations(mine)
    assert wire.holds("diary.example.org")


def test_no_name_that_a_host_asked_for_leaves_the_home_in_clear() -> None:
    # A home of its own, so that the capture holds everything from the router's first packet.
    with Home() as home, home.capture_wan() as wan:
        home.router.start_porchlight()
        home.router.until_announced()
        host = home.host()
        host.join()
        over_tls = ["www.example.org", "mail.example.net", "a.load.example.org"]
        for name in over_tls:
            assert addresses(host.ask(name, LAN4, ADN))
        assert host.kdig("b.load.example.org", LAN6, ADN).trusted
        in_clear_at_home = ["c.load.example.org", "diary.example.org"]
        for name in in_clear_at_home:
            assert addresses(host.ask_clear(name, LAN4))
        wan.stop()
        for name in [*over_tls, *in_clear_at_home, "b.load.example.org"]:
            assert not wan.holds(name)
        assert {(seen.name, seen.how) for seen in wan.clear_names()} <= CLEAR
        assert ("tcp", RESOLVER4, 853) in wan.destinations()

        # The same look finds a leak made on purpose.
        with home.capture_wan() as leak:
            assert addresses(host.ask_clear("www.example.org", RESOLVER4))
        assert leak.holds("www.example.org")
        assert not {(seen.name, seen.how) for seen in leak.clear_names()} <= CLEAR
