"""What the ISP's routers advertise of resolvers: heard on the WAN, for as long as they say."""

from __future__ import annotations

import time
from typing import Any, Callable, Iterator

import pytest

from lab import Home
from lab.capture import Capture
from lab.host import Host
from lab.isp import RESOLVER6, RESOLVER_ADN
from lab.program import eventually
from lab.ra import announce, kill, withdrawals
from lab.wan_ra import (FOR_EVER, GLOBAL_ADDRESS, WanRouter, badly_padded, in_provisioning_domain,
                        nobody_knows, radvd, resolver, wan_router)


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home that tells its hosts of a resolver of its own choice, and listens all the same."""
    with Home() as home:
        announce(home.router, "supplement")
        yield home


def on_wan(status: dict[str, Any]) -> dict[str, Any]:
    return next(link for link in status["wan_advertisements"] if link["link"] == "eth0")


def offered(status: dict[str, Any]) -> dict[str, int | None]:
    """Names to the seconds that are left of them; None: for ever."""
    return {one["adn"]: one["seconds_left"] for router in on_wan(status)["routers"]
            for one in router["resolvers"]}


def counters(status: dict[str, Any]) -> dict[str, int]:
    return on_wan(status)["counters"]


def start(home: Home) -> None:
    home.router.start_porchlight()
    home.router.until("it listens on the WAN", lambda status: on_wan(status)["hears"])


def until_heard(home: Home, isp: WanRouter, what: str, holds: Callable[[dict[str, Any]], Any],
                *options: bytes) -> dict[str, Any]:
    """The ISP's router says so until it was heard: on a link that has just come up, or beside a
    change of sockets, one word may be lost."""
    isp.say(*options)

    def heard(status: dict[str, Any]) -> bool:
        if holds(status):
            return True
        isp.say(*options)
        return False

    return home.router.until(what, heard)


@pytest.fixture
def listening(home: Home) -> Iterator[Home]:
    start(home)
    yield home
    home.router.stop_porchlight()


@pytest.fixture
def isp(home: Home) -> Iterator[WanRouter]:
    with wan_router(home.isp) as router:
        yield router


def test_a_router_is_asked_when_the_link_comes_up_until_one_answers(home: Home, isp: WanRouter
                                                                    ) -> None:
    with Capture(home.isp.ns, "wan0", "icmp6") as wire:
        start(home)
        # Nobody answers the first: four seconds later there is another.
        assert isp.solicited(within_s=30, enough=2) == 2
        daemon = radvd(home.isp)
        eventually("radvd runs", daemon.alive)
        home.router.until("radvd's first word is heard", lambda status: on_wan(status)["routers"])
        isp.solicited(within_s=0.1)
        home.router.ns.ip("link set eth0 down")
        home.router.ns.ip("link set eth0 up")
        # radvd speaks unasked every ten minutes; it was asked, and answered.
        assert isp.solicited(within_s=30, enough=1) == 1
        heard = on_wan(home.router.until(
            "the answer is heard", lambda status: on_wan(status)["counters"]["advertisements"] > 1))
        plain = [one for router in heard["routers"] for one in router["plain"]]
        assert [one["address"] for one in plain] == [RESOLVER6]
        assert 1200 < plain[0]["seconds_left"] <= 1234
        daemon.stop()
        home.router.stop_porchlight()
    assert wire.count("icmpv6.type == 134 && ipv6.src != fe80::/10") == 0
    sent = {row[0] for row in wire.fields("icmpv6.type == 134", "eth.src")}
    router = home.router.ns.run("cat", "/sys/class/net/eth0/address").stdout.strip()
    assert sent and router not in sent, "porchlight advertises nothing toward the ISP"


def test_what_is_offered_lasts_as_long_as_it_was_told_to(listening: Home, isp: WanRouter) -> None:
    router = listening.router
    status = until_heard(listening, isp, "all are heard", lambda status: len(offered(status)) == 3,
                         resolver(600), resolver(FOR_EVER, "always.isp.test"),
                         resolver(4, "soon.isp.test"))
    isp.solicited(within_s=0.1)
    assert 590 <= offered(status)["dns.isp.test."] <= 600
    assert offered(status)["always.isp.test."] is None
    text = router.command("status").stdout
    assert f"{RESOLVER_ADN}. at {RESOLVER6} for" in text and "for ever" in text
    # Its router falls silent, and is no default router any more: only what has ended is gone.
    isp.say(router_lifetime_s=0)
    router.until("one has ended", lambda status: "soon.isp.test." not in offered(status))
    assert len(offered(router.status())) == 2
    assert isp.solicited(within_s=0.5) == 0, "whoever was answered asks no more"
    isp.say(resolver(0))
    router.until("one is taken back", lambda status: list(offered(status)) == ["always.isp.test."])
    # Whoever replaces the configuration forgets nothing.
    router.reload_porchlight()
    until_heard(listening, isp, "it is offered again", lambda status: len(offered(status)) == 2,
                resolver(600))


def test_what_is_wrong_is_dropped_counted_and_told_once(listening: Home, isp: WanRouter) -> None:
    router = listening.router
    isp.say(resolver(600, "far.isp.test"), hops=64)
    with wan_router(listening.isp, GLOBAL_ADDRESS) as stranger:
        stranger.say(resolver(600, "global.isp.test"))
    isp.say(resolver(600, "whole.isp.test"), b"\5\0\0\0\0\0\5\xdc")
    listening.isp.ns.ip("link set wan0 mtu 1280")
    isp.say(resolver(600, "pieces.isp.test"), nobody_knows(1304))
    listening.isp.ns.ip("link set wan0 mtu 1500")
    router.until("four are dropped", lambda status: counters(status)["malformed_advertisements"] == 4)
    isp.say(badly_padded(600), in_provisioning_domain(resolver(600, "pvd.isp.test")),
            resolver(600, "beside.isp.test"))
    status = router.until("what is beside bad ones is heard", offered)
    assert list(offered(status)) == ["beside.isp.test."]
    assert counters(status)["malformed_options"] == 1
    assert counters(status)["options_in_provisioning_domains"] == 1
    assert on_wan(status)["routers"][0]["provisioning_domain"] == "pvd.isp.test"
    # Control: the very same from the right place, whole.
    isp.say(resolver(600, "far.isp.test"), resolver(600, "global.isp.test"),
            resolver(600, "whole.isp.test"), resolver(600))
    isp.say(resolver(600, "pieces.isp.test"), nobody_knows(1304))
    router.until("good ones are heard", lambda status: len(offered(status)) == 6)
    # A stranger who repeats it for ever makes one line, not thousands.
    for _ in range(500):
        isp.say(badly_padded(600))
    router.until("they are counted", lambda status: counters(status)["malformed_options"] > 50)
    assert router.porchlight.said().count("of the WAN does not count") == 1


def test_places_that_a_stranger_took_for_ever_are_taken_back(listening: Home, isp: WanRouter
                                                             ) -> None:
    router = listening.router
    isp.say(resolver(FOR_EVER, "bad.isp.test"))
    router.until("it is heard", lambda status: offered(status) == {"bad.isp.test.": None})
    isp.solicited(within_s=0.1)
    # The link is lost and back: what was for ever must be said again.
    router.ns.ip("link set eth0 down")
    router.ns.ip("link set eth0 up")
    router.until("it has an end", lambda status: offered(status)["bad.isp.test."] is not None)
    until_heard(listening, isp, "it is said again",
                lambda status: offered(status) == {"bad.isp.test.": None},
                resolver(FOR_EVER, "bad.isp.test"))
    isp.solicited(within_s=2, enough=1)
    # A person has it forgotten.
    assert router.command("wan", "clear", "eth0", "ra").returncode == 0
    router.until("it is forgotten", lambda status: not offered(status))
    assert isp.solicited(within_s=30, enough=1), "the routers are asked again"
    isp.say(resolver(600))
    router.until("who answers is heard", lambda status: len(offered(status)) == 1)


def test_a_link_that_is_made_anew_is_heard_again(listening: Home, isp: WanRouter) -> None:
    isp.say(resolver(600))
    listening.router.until("it is heard", offered)
    listening.isp.ns.ip("link del wan0")
    status = listening.router.until("the link is gone", lambda status: not on_wan(status)["hears"])
    assert offered(status), "an offer lasts while the WAN is down"
    listening.isp.ns.ip(f"link add wan0 type veth peer name eth0 netns {listening.router.ns.name}")
    listening.isp.connect()
    with wan_router(listening.isp) as anew:
        listening.router.ns.ip("link set eth0 up")
        assert anew.solicited(within_s=60, enough=1), "it asks on the new link"
        until_heard(listening, anew, "it is heard on the new link",
                    lambda status: "anew.isp.test." in offered(status),
                    resolver(600, "anew.isp.test"))


# Passed on to hosts.

OTHER_ADN, OTHER6 = "always.isp.test", "2001:db8:0:1::54"


@pytest.fixture
def relaying(home: Home) -> Iterator[Home]:
    """What the ISP offers is passed on, by RAs that hosts may keep for three minutes."""
    config = home.router.config(announce={"ra": "supplement", "ra_interval": "60s",
                                          "dhcpv4": "dnsmasq", "dhcpv6": "off"})
    for key in ("resolver", "certificate"):
        del config[key]
    home.router.configure(config)
    start(home)
    yield home
    home.router.stop_porchlight()
    announce(home.router, "supplement")


OURS_S = 180


def told(host: Host) -> dict[str, int]:
    """Names to lifetimes, of the next advertisement that has any; not what it takes back."""
    return {one.resolver.adn: one.lifetime_s for one in host.ra() if one.lifetime_s}


def test_no_host_is_told_of_an_offer_for_longer_than_it_lasts(relaying: Home, isp: WanRouter
                                                              ) -> None:
    router, host = relaying.router, relaying.host()
    isp.say(resolver(60), resolver(FOR_EVER, OTHER_ADN, OTHER6))
    first: dict[str, int] = {}
    eventually("hosts hear of both", lambda: first.update(told(host)) or len(first) == 2)
    first_at = time.monotonic()
    with host.watching() as heard:
        eventually("two seconds pass", lambda: time.monotonic() > first_at + 2)
        second_at, second = time.monotonic(), told(host)
        # Control: what has no end is told with our own lifetime, always.
        assert first[OTHER_ADN] == second[OTHER_ADN] == OURS_S
        assert 20 < second[RESOLVER_ADN] < first[RESOLVER_ADN] <= 60
        # Of whole seconds, told before the one moment and after the other.
        assert second[RESOLVER_ADN] <= first[RESOLVER_ADN] + 1 - (second_at - first_at)
        # Put off, it is told for longer again; nobody needs to hear of that at once.
        isp.say(resolver(3600))
        eventually("it is told with ours", lambda: told(host)[RESOLVER_ADN] == OURS_S)
        assert not withdrawals(heard)
        # Taken back, it is taken back.
        isp.say(resolver(0))
        eventually("hosts forget it", lambda: withdrawals(heard))
        assert {one.resolver.adn for one in withdrawals(heard)} == {RESOLVER_ADN}
        assert list(told(host)) == [OTHER_ADN]
        # A router that falls silent.
        def told_for_so_long() -> int | None:
            """Which advertisement was the first to tell it again. Offered while hosts ask: between
            multicasts for all lie more seconds than it may have left."""
            isp.say(resolver(7))
            told(host)
            return next((number for number, each in enumerate(heard) if any(
                0 < option.lifetime_s <= 7 for option in each.encrypted_dns())), None)

        again = eventually("it is told again", told_for_so_long)
        # Not before: it was taken back more than once.
        eventually("and its end", lambda: withdrawals(heard[again:]))
        router.until("it is gone", lambda status: list(offered(status)) == [OTHER_ADN + "."])
    assert router.status()["announced"]["ra"]


def test_an_offer_that_is_told_again_wakes_nobody_and_a_flood_not_many(relaying: Home, isp: WanRouter
                                                                      ) -> None:
    router = relaying.router

    def announcing() -> int:
        return router.porchlight.said().count("announcing link=br-lan")

    isp.say(resolver(600))
    router.until("it is announced", lambda status: status["announced"]["ra"])
    lines = announcing()
    for lifetime_s in (900, 700, 1200):
        isp.say(resolver(lifetime_s))
        router.until("it lasts as told", lambda status: offered(status)[
            RESOLVER_ADN + "."] in range(lifetime_s - 60, lifetime_s + 1))
    assert announcing() == lines
    # Control: another one is news.
    isp.say(resolver(600, OTHER_ADN, OTHER6))
    eventually("another one is announced", lambda: announcing() == lines + 1)
    # A stranger who changes it all the time.
    begin, count = time.monotonic(), 0
    while time.monotonic() < begin + 3 or count <= 50:
        isp.say(resolver(600 if count % 2 else 0, "flood.isp.test", "2001:db8:0:1::55"))
        count += 1
        time.sleep(0.02)
    changes = announcing() - lines - 1
    assert changes <= 1 + time.monotonic() - begin, "one a second at most"


def test_an_agent_that_dies_takes_no_offer_along(relaying: Home, isp: WanRouter) -> None:
    router, host = relaying.router, relaying.host()
    isp.say(resolver(600))
    eventually("hosts hear of it", lambda: told(host))
    isp.solicited(within_s=0.1)
    with host.watching() as heard:
        starts = router.status()["processes"]["agent_starts"]
        kill(router.status()["processes"]["agent"])
        assert isp.solicited(within_s=60, enough=1), "the next one asks at once"
        isp.say(resolver(600))
        router.until("the next one goes on", lambda status: status["announced"]["ra"]
                     and status["processes"]["agent_starts"] > starts)
        assert told(host)
        assert not withdrawals(heard)
        # Control: where nobody answers the next one takes it back.
        kill(router.status()["processes"]["agent"])
        eventually("hosts forget it", lambda: withdrawals(heard), within_s=60)


def test_what_dhcp_told_outlives_an_agent_too(home: Home, isp: WanRouter) -> None:
    router = home.router
    config = router.config(announce={"ra": "off", "dhcpv4": "off", "dhcpv6": "dnsmasq"})
    for key in ("resolver", "certificate"):
        del config[key]
    router.configure(config)
    start(home)
    options = router.runtime / "dnsmasq" / "options"
    isp.say(resolver(600))
    eventually("dnsmasq tells of it", lambda: "option6:144" in options.read_text())
    written = options.stat().st_mtime_ns
    isp.solicited(within_s=0.1)
    starts = router.status()["processes"]["agent_starts"]
    kill(router.status()["processes"]["agent"])
    assert isp.solicited(within_s=60, enough=1), "the next one asks at once"
    isp.say(resolver(600))
    router.until("the next one goes on", lambda status: status["announced"]["dhcpv6"]
                 and status["processes"]["agent_starts"] > starts)
    assert options.stat().st_mtime_ns == written, "nobody was told anything else meanwhile"
    # Control: what is taken back is told no more.
    isp.say(resolver(0))
    eventually("dnsmasq tells of nothing", lambda: "option6:144" not in options.read_text())
    router.stop_porchlight()
    announce(router, "supplement")
