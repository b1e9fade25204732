"""Router Advertisements beside each daemon, and as the daemon: what a host's kernel makes of them."""

from __future__ import annotations

import time
from typing import Any, Iterator

import pytest

from lab import Home, decode, ra
from lab.host import Host
from lab.program import eventually
from lab.ra import RESOLVER, announce, resolvers, until_announced, withdrawals
from lab.router import LAN6

DAEMON_LIFETIME_S = 12


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


def ra_row(status: dict[str, Any]) -> dict[str, Any]:
    return next(row for row in status["announced"]["carriers"] if row["carrier"] == "ra")


# Beside a daemon that somebody else wrote.

@pytest.fixture(params=["dnsmasq", "radvd"])
def daemon(request: pytest.FixtureRequest, home: Home) -> Any:
    if request.param == "dnsmasq":
        # Within its first minute dnsmasq speaks every 5 to 20 s, whatever it is told.
        steady = any(story in request.node.name for story in ("one_router", "route_stands"))
        made: Any = ra.DnsmasqRa(home.router, 30 if steady else DAEMON_LIFETIME_S)
    else:
        ra.without_ra(home.router)
        made = ra.Radvd(home.router, lifetime_s=DAEMON_LIFETIME_S)
    made.start()
    return made


@pytest.fixture
def host(home: Home, daemon: Any) -> Host:
    """It has its route and its address from the daemon, before porchlight runs."""
    host = home.host()
    eventually("the daemon's default route", lambda: ra.default_route(host))
    return host


def until_just_heard(host: Host) -> None:
    """The daemon's word is a fresh one; who has said nothing for a while is asked."""

    def fresh() -> bool:
        route = ra.default_route(host)
        if route and route["expires"] > DAEMON_LIFETIME_S / 2:
            return True
        next(host.advertisements(1), None)
        return False

    eventually("the daemon was just heard", fresh)


def test_a_daemon_and_its_supplement_are_one_router(home: Home, daemon: Any, host: Host) -> None:
    alone = next(host.advertisements(10))
    assert alone.encrypted_dns() == [] and alone.router_lifetime_s in (DAEMON_LIFETIME_S, 30)
    by_rdisc6 = ra.rdisc6(host)
    announce(home.router, "supplement")
    with ra.watching_route(host) as route, host.watching() as heard:
        home.router.start_porchlight()
        until_announced(home.router)
        eventually("hosts hear of the resolver", lambda: resolvers(heard))
        eventually("both speak for a while", lambda: len(heard) >= 5 and 2 <= sum(
            ra.is_supplement(each) for each in heard) < len(heard), within_s=60)
        assert home.router.stop_porchlight() == 0
        eventually("and that it is withdrawn", lambda: len(withdrawals(heard)) >= 3)
        time.sleep(1)
    ours = [each for each in heard if ra.is_supplement(each)]
    theirs = [each for each in heard if not ra.is_supplement(each)]
    assert len(ours) >= 5
    assert set(resolvers(heard)) == {RESOLVER}
    assert {each.source for each in heard} == {alone.source}
    assert {each.flags for each in heard} == {alone.flags}
    # Nothing but the lifetime that is left of the daemon's, never more.
    assert all(0 < each.router_lifetime_s <= alone.router_lifetime_s for each in ours)
    assert all(each.header[4] == 0 and each.header[8:16] == bytes(8) for each in ours)
    # The host's kernel saw one router all the time, and never a longer life than the daemon's.
    assert route and all(sample.route for sample in route)
    assert {sample.route["gateway"] for sample in route if sample.route} == {alone.source}
    assert all(sample.route["expires"] <= alone.router_lifetime_s for sample in route if sample.route)
    # And what the daemon says besides is what it was.
    after = ra.rdisc6(host)
    for label in ("Recursive DNS server", "Stateful address conf.", "Stateful other conf.",
                  "Router lifetime", "Router preference", "Prefix"):
        assert set(after.get(label, [])) == set(by_rdisc6.get(label, [])), label
    assert by_rdisc6["Recursive DNS server"] and by_rdisc6["Prefix"]


def test_a_daemon_that_is_killed_takes_its_route_with_it(
        home: Home, daemon: Any, host: Host) -> None:
    announce(home.router, "supplement")
    home.router.start_porchlight()
    until_announced(home.router)
    with ra.watching_route(host) as route, host.watching() as heard:
        eventually("hosts hear of the resolver", lambda: resolvers(heard))
        until_just_heard(host)
        daemon.kill()
        died = time.monotonic()
        eventually("the route ends", lambda: ra.default_route(host) is None)
        assert any(sample.route for sample in route if sample.at > died), "it did not end at once"
        time.sleep(5)  # more than an interval of ours
        assert ra.default_route(host) is None
        last = len(heard)
        daemon.start()
        eventually("the route is back", lambda: ra.default_route(host))
        eventually("and so is the resolver", lambda: resolvers(heard[last:]))
    assert withdrawals(heard) == [], "a crash that is mended withdraws nothing"


def test_a_farewell_is_respected_and_a_new_start_is_joined(home: Home) -> None:
    # radvd says farewell when it is stopped; dnsmasq does not.
    ra.without_ra(home.router)
    daemon = ra.Radvd(home.router, lifetime_s=DAEMON_LIFETIME_S)
    daemon.start()
    host = home.host()
    eventually("the daemon's default route", lambda: ra.default_route(host))
    announce(home.router, "supplement")
    home.router.start_porchlight()
    until_announced(home.router)
    with host.watching() as heard:
        eventually("hosts hear of the resolver", lambda: resolvers(heard))
        daemon.stop()
        farewell = eventually("its farewell", lambda: next(
            (number for number, each in enumerate(heard) if each.router_lifetime_s == 0), None))
        assert ra.default_route(host) is None
        eventually("what came from its address is withdrawn",
                   lambda: len(withdrawals(heard)) >= 3)
        time.sleep(5)
        assert all(each.router_lifetime_s == 0 for each in heard[farewell:])
        assert ra.default_route(host) is None
        last = len(heard)
        daemon.start()
        eventually("the route is back", lambda: ra.default_route(host))
        eventually("and so is the resolver", lambda: resolvers(heard[last:]))


def test_a_restarted_daemon_interrupts_nothing(home: Home, daemon: Any, host: Host) -> None:
    announce(home.router, "supplement")
    home.router.start_porchlight()
    until_announced(home.router)
    with host.watching() as heard:
        eventually("hosts hear of the resolver", lambda: resolvers(heard))
        daemon.stop()
        daemon.start()
        last = len(heard)
        eventually("the resolver is told of again", lambda: resolvers(heard[last:]))
        eventually("and the route stands", lambda: ra.default_route(host))


def test_a_killed_porchlight_is_withdrawn_and_the_route_stands(
        home: Home, daemon: Any, host: Host) -> None:
    announce(home.router, "supplement")
    home.router.start_porchlight()
    until_announced(home.router)
    with ra.watching_route(host) as route, host.watching() as heard:
        eventually("hosts hear of the resolver", lambda: resolvers(heard))
        home.router.kill_porchlight()
        eventually("hosts are told to forget it", lambda: len(withdrawals(heard)) >= 3)
        time.sleep(1)
    assert route and all(sample.route for sample in route)
    assert {option.octets[:4] + option.octets[8:] for option in withdrawals(heard)} == {
        option.octets[:4] + option.octets[8:] for each in heard
        for option in each.encrypted_dns() if option.lifetime_s}


def test_a_daemon_that_tells_of_a_resolver_itself_is_left_to_it(home: Home) -> None:
    router = home.router
    ra.without_ra(router)
    theirs = decode.Resolver(1, "dns.other.example", ("2001:db8:5::53",), ("dot",))
    daemon = ra.OdhcpdStandIn(router, theirs.adn, theirs.addresses[0])
    daemon.start()
    host = home.host()
    eventually("the daemon's default route", lambda: ra.default_route(host))
    announce(router, "supplement")
    router.start_porchlight()
    until_announced(router)
    with ra.watching_route(host) as route, host.watching() as heard:
        eventually("hosts hear of our resolver", lambda: RESOLVER in resolvers(heard))
        daemon.tell()
        status = router.until("it is left to the daemon", lambda status: ra_row(status).get(
            "why") == "the RA daemon of this link announces encrypted DNS itself")
        assert not status["announced"]["ra"]
        assert ra_row(status)["notes"] == ["it announces something else than planned: "
                                           "dns.other.example at 2001:db8:5::53"]
        eventually("ours is taken back", lambda: len(withdrawals(heard)) >= 3)
        assert {option.resolver for option in withdrawals(heard)} == {RESOLVER}
        last = len(heard)
        eventually("one is heard for a while, the daemon's",
                   lambda: len(resolvers(heard[last:])) >= 3)
        assert set(resolvers(heard[last:])) == {theirs}
        last = len(heard)
        daemon.take_back()
        eventually("ours is told again", lambda: RESOLVER in resolvers(heard[last:]))
        router.until("and status says so", lambda status: status["announced"]["ra"])
        last = len(heard)
        time.sleep(10)
        eventually("ours is told on", lambda: resolvers(heard[last:]))
        assert set(resolvers(heard[last:])) == {RESOLVER}
    assert route and all(sample.route for sample in route)
    said = router.porchlight.said()
    assert said.count("announces encrypted DNS itself, leaving it to that") == 1
    assert said.count("no longer announces encrypted DNS itself") == 1


def test_another_routers_resolver_is_named(home: Home) -> None:
    router = home.router
    announce(router, "supplement")
    router.start_porchlight()
    until_announced(router)
    assert router.status()["guard"]["rogues"] == [], "the control: this router's own resolvers"
    host = home.host()
    port = f"lan{len(home.hosts)}"
    router.until("its port is heard", lambda status: port in status["guard"]["listens_at"])
    stranger = ra.advertise_as(host, "fd66::53")
    status = router.until("it is named", lambda status: status["guard"]["rogues"])
    assert status["guard"]["rogues"][0]["address"] == stranger
    assert "notes" not in ra_row(status), "it is told once"
    assert "fd66::53" in router.command("status").stdout
    assert "fd66::53" in router.porchlight.said()


# As the daemon.

def is_ours_in_full(advertisement: decode.RouterAdvertisement) -> bool:
    """Encrypted and plain resolver in one packet: no daemon here tells both."""
    return {25, 144} <= {kind for kind, _ in advertisement.options}


@pytest.fixture
def full_home(home: Home) -> Home:
    """porchlight is the RA daemon, beside a dnsmasq that isn't."""
    router = home.router
    ra.without_ra(router)
    router.ns.ip("addr add 2001:db8:77::1/64 dev br-lan valid_lft 3600 preferred_lft 1800 nodad")
    announce(router, "full", announce={"router": {
        "lifetime": "12s", "preference": "high", "managed": True, "dnssl": ["lan"]}})
    # The control: without porchlight nobody says a word.
    host = home.host()
    assert list(host.advertisements(4)) == []
    assert ra.default_route(host) is None
    router.start_porchlight()
    until_announced(router)
    return home


def test_in_full_a_host_gets_all_that_a_home_has(full_home: Home) -> None:
    with full_home.capture_lan("icmp6") as lan:
        host = full_home.host()
        eventually("an address of each prefix", lambda: set(ra.addresses(host)) >= {
            "fd77:77:77", "2001:db8:77"})
        route = eventually("a default route", lambda: ra.default_route(host))
        advertisement = next(host.advertisements(10))
    assert route["pref"] == "high" and route["expires"] <= 12
    assert [option.resolver for option in advertisement.encrypted_dns()] == [RESOLVER]
    assert advertisement.flags & 0xC0 == 0xC0
    limited = ra.addresses(host)["2001:db8:77"]
    assert limited["valid_life_time"] <= 3600 and limited["preferred_life_time"] <= 1800
    assert ra.addresses(host)["fd77:77:77"]["valid_life_time"] <= 5400
    said = ra.rdisc6(host)
    assert said["Recursive DNS server"][0].split()[0] == LAN6
    assert said["DNS search list"][0].split()[0].rstrip(".") == "lan"
    assert "1500" in said["MTU"][0] and set(said["Router preference"]) == {"high"}
    rows = lan.fields("icmpv6.type == 134 and icmpv6.opt.rdnss", "icmpv6.nd.ra.router_lifetime",
                      "icmpv6.opt.prefix", "icmpv6.checksum.status", "_ws.malformed")
    assert rows and all(row[0] == "12" and row[2] in ("", "1", "Good") and not row[3]
                        for row in rows), rows
    assert "fd77:77:77::" in rows[0][1] and "2001:db8:77::" in rows[0][1]


def test_in_full_a_stop_takes_route_and_resolvers_and_leaves_addresses(full_home: Home) -> None:
    host = full_home.host()
    eventually("a default route", lambda: ra.default_route(host))
    before = set(ra.addresses(host))
    with host.watching() as heard:
        assert full_home.router.stop_porchlight() == 0
        eventually("the route ends", lambda: ra.default_route(host) is None)
        time.sleep(1)
    last = [each for each in heard if each.router_lifetime_s == 0]
    assert len(last) >= 3 and withdrawals(last)
    rdnss = [option for each in last for kind, option in each.options if kind == 25]
    assert rdnss and all(option[4:8] == bytes(4) for option in rdnss)
    assert set(ra.addresses(host)) == before


def test_in_full_a_kill_is_no_worse_than_a_stop(full_home: Home) -> None:
    host = full_home.host()
    eventually("a default route", lambda: ra.default_route(host))
    with host.watching() as heard:
        full_home.router.kill_porchlight()
        eventually("it is told that the route ends, which does not run out",
                   lambda: any(each.router_lifetime_s == 0 for each in heard))
        eventually("the route ends", lambda: ra.default_route(host) is None)
        eventually("the resolver is withdrawn", lambda: withdrawals(heard))


def test_in_full_a_prefix_that_vanishes_is_deprecated(full_home: Home) -> None:
    router = full_home.router
    host = full_home.host()
    eventually("an address of the prefix", lambda: "2001:db8:77" in ra.addresses(host))
    assert ra.addresses(host)["2001:db8:77"]["preferred_life_time"] > 0
    router.ns.ip("addr del 2001:db8:77::1/64 dev br-lan",
                 "addr add 2001:db8:78::1/64 dev br-lan nodad")
    eventually("the new prefix is used", lambda: "2001:db8:78" in ra.addresses(host))
    eventually("the old one no more", lambda: ra.addresses(host).get(
        "2001:db8:77", {"preferred_life_time": 0})["preferred_life_time"] == 0)
    # Who comes back after a crash goes on telling.
    agent = router.status()["processes"]["agent"]
    with host.watching() as heard:
        ra.kill(agent)
        router.until("a new agent", lambda status: status["processes"]["agent"] not in (0, agent))
        last = len(heard)
        eventually("it tells of the old prefix", lambda: any(
            kind == 3 and option[4:12] == bytes(8) and option[16:22].hex() == "20010db80077"
            for each in heard[last:] for kind, option in each.options))


def test_in_full_a_prefix_that_vanished_while_the_power_was_off_is_deprecated(
        full_home: Home) -> None:
    router = full_home.router
    host = full_home.host()
    eventually("an address of the prefix", lambda: "2001:db8:77" in ra.addresses(host))
    stored = router.state / "prefixes"
    before = eventually("it is remembered", lambda: stored.exists() and stored.stat())
    router.cut_power()
    router.ns.ip("addr del 2001:db8:77::1/64 dev br-lan")
    router.start_porchlight()
    until_announced(router)
    assert ra.addresses(host)["2001:db8:77"]["preferred_life_time"] > 0, "it may come back yet"
    # The uplink's lifetimes count down all the time; flash hears nothing of that.
    time.sleep(6)
    assert stored.stat().st_mtime_ns == before.st_mtime_ns
    router.ns.ip("addr add 2001:db8:78::1/64 dev br-lan nodad")
    eventually("the new prefix is used", lambda: "2001:db8:78" in ra.addresses(host))
    eventually("the old one no more", lambda: ra.addresses(host)["2001:db8:77"][
        "preferred_life_time"] == 0)
    assert ra.addresses(host)["fd77:77:77"]["preferred_life_time"] > 0
    eventually("flash hears of the new one", lambda: stored.stat().st_mtime_ns
               != before.st_mtime_ns)


def test_in_full_a_daemon_that_is_started_later_has_the_link_until_it_ends(
        full_home: Home) -> None:
    router = full_home.router
    host = full_home.host()
    eventually("a default route", lambda: ra.default_route(host))
    assert "notes" not in ra_row(router.status())
    with ra.watching_route(host) as route, host.watching() as heard:
        ra.with_ra(router, lifetime_s=30)
        status = router.until("it yields", lambda status: "notes" in ra_row(status))
        assert "has this link; porchlight stands beside it" in ra_row(status)["notes"][0]
        assert status["announced"]["ra"]
        last = len(heard)
        eventually("both speak", lambda: {ra.is_supplement(each) for each in heard[last:]} == {
            True, False}, within_s=60)
        assert not any(is_ours_in_full(each) for each in heard[last:])
        router.stop_dnsmasq()  # without a farewell
        last = len(heard)
        router.until("it is the daemon again", lambda status: "notes" not in ra_row(status),
                     within_s=90)
        eventually("and speaks as such", lambda: any(
            is_ours_in_full(each) for each in heard[last:]))
        time.sleep(5)
    assert route and all(sample.route for sample in route), "the route never blinked"
    assert all(each.router_lifetime_s for each in heard) and withdrawals(heard) == []
    said = router.porchlight.said()
    assert said.count("another RA daemon of this router has the link") == 1
    assert said.count("the other RA daemon has ended") == 1


def test_in_full_a_daemon_that_was_there_first_keeps_the_link(home: Home) -> None:
    router = home.router
    ra.without_ra(router)
    daemon = ra.Radvd(router, lifetime_s=DAEMON_LIFETIME_S)
    daemon.start()
    host = home.host()
    eventually("the daemon's default route", lambda: ra.default_route(host))
    announce(router, "full")
    with ra.watching_route(host) as route, host.watching() as heard:
        router.start_porchlight()
        router.until("it yields", lambda status: "notes" in ra_row(status))
        eventually("hosts hear of the resolver", lambda: resolvers(heard))
        time.sleep(5)
        assert not any(is_ours_in_full(each) for each in heard)
        assert route and all(sample.route for sample in route)
        last = len(heard)
        daemon.stop()  # with a farewell, which takes the route
        eventually("we are the daemon", lambda: any(
            is_ours_in_full(each) for each in heard[last:]))
        eventually("and the route", lambda: ra.default_route(host))


def test_a_supplement_becomes_the_daemon_when_the_other_was_told_to_be_none(home: Home) -> None:
    router = home.router  # dnsmasq gives 1800 s, which outlasts this scenario by far
    host = home.host()
    eventually("the daemon's default route", lambda: ra.default_route(host))
    announce(router, "supplement")
    router.start_porchlight()
    until_announced(router)
    with ra.watching_route(host) as route, host.watching() as heard:
        eventually("hosts hear of the resolver", lambda: resolvers(heard))
        ra.without_ra(router)  # without a farewell
        announce(router, "full")
        last = len(heard)
        router.reload_porchlight()
        eventually("hosts hear of the prefixes again", lambda: any(
            is_ours_in_full(each) and 3 in dict(each.options) for each in heard[last:]))
    assert route and all(sample.route for sample in route)
    assert "notes" not in ra_row(router.status())


def test_in_full_a_router_without_uplink_is_no_default_router(full_home: Home) -> None:
    router = full_home.router
    host = full_home.host()
    eventually("a default route", lambda: ra.default_route(host))
    router.ns.ip("route del ::/0 via 2001:db8:0:1::1")
    eventually("hosts hear of the loss", lambda: ra.default_route(host) is None)
    assert [option.resolver for option in next(host.advertisements(10)).encrypted_dns()] == [
        RESOLVER], "the resolver is still announced"
    router.ns.ip("route add ::/0 via 2001:db8:0:1::1")
    eventually("and of the return", lambda: ra.default_route(host))


def test_in_full_two_lans_each_have_their_own(home: Home) -> None:
    router = home.router
    ra.without_ra(router)
    ra.second_lan(home)
    announce(router, "full", lan=[{"interface": "br-lan"}, {"interface": "br-guest"}])
    router.start_porchlight()
    until_announced(router)
    host, guest = home.host(), ra.guest(home)
    eventually("the LAN's prefix", lambda: set(ra.addresses(host)) == {"fd77:77:77"})
    eventually("the guests' prefix", lambda: "fd77:77:78" in ra.addresses(guest))
    assert [option.resolver for option in host.ra()] == [RESOLVER]
    assert [option.resolver for option in guest.ra()] == [RESOLVER]
    router.ns.ip("addr del fd77:77:78::1/64 dev br-guest")
    eventually("the guests' prefix is deprecated", lambda: ra.addresses(guest)["fd77:77:78"][
        "preferred_life_time"] == 0)
    assert ra.addresses(host)["fd77:77:77"]["preferred_life_time"] > 0
