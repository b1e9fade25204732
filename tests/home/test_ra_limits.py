"""How often Router Advertisements leave, where many hosts ask at once and where one does."""

from __future__ import annotations

import time
from typing import Iterator

import pytest

from lab import Home, ra
from lab.capture import Capture
from lab.program import eventually
from lab.ra import announce, resolvers, until_announced

OURS = "icmpv6.type == 134 and icmpv6.opt.type == 144"


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


def test_in_full_250_hosts_that_ask_at_once_are_answered_within_the_limits(home: Home) -> None:
    host = home.host()
    ra.without_ra(home.router)
    announce(home.router, "full", announce={"router": {"lifetime": "12s"}})
    home.router.start_porchlight()
    eventually("a default route", lambda: ra.default_route(host))
    time.sleep(3)
    with home.capture_lan("icmp6 and ip6[40] == 134") as lan:
        ra.solicit_as(host, 250)
        time.sleep(7)
    assert_few_and_spaced(lan, "icmpv6.type == 134")


def test_beside_a_daemon_250_hosts_that_ask_at_once_are_answered_within_the_limits(
        home: Home) -> None:
    host = home.host()
    ra.know_askers(home.router, host, 250)
    announce(home.router, "supplement")
    home.router.start_porchlight()
    until_announced(home.router)
    with host.watching() as heard:
        eventually("hosts hear of the resolver", lambda: resolvers(heard))
    with home.capture_lan("icmp6 and (ip6[40] == 133 or ip6[40] == 134)") as lan:
        ra.solicit_as(host, 250)
        time.sleep(10)  # ours also keep their distance from the daemon's
    # The control: they are on the line, and dnsmasq answers them one by one.
    assert lan.count("icmpv6.type == 133") > 125
    assert lan.count("icmpv6.type == 134 and !(icmpv6.opt.type == 144)") > 50
    assert_few_and_spaced(lan, OURS)


@pytest.mark.parametrize("form", ["full", "supplement"])
def test_who_asks_alone_is_answered_alone_within_half_a_second(home: Home, form: str) -> None:
    if form == "full":
        ra.without_ra(home.router)
    host = home.host()
    announce(home.router, form, announce={"ra_interval": "30s", "router": {"lifetime": "90s"}})
    home.router.start_porchlight()
    until_announced(home.router)
    # In full form it first listens for a second whether somebody else is the daemon.
    with host.watching() as heard:
        eventually("hosts hear of the resolver", lambda: resolvers(heard), within_s=20)
    with home.capture_lan("icmp6 and (ip6[40] == 133 or ip6[40] == 134)") as lan:
        for _ in range(12):
            # Its own answer: one to all may come before that.
            next(each for each in host.advertisements(10)
                 if each.encrypted_dns() and not each.multicast)
            time.sleep(0.6)
    # The router itself looks for other daemons.
    router = {by for _, by in lan.fields(OURS, "frame.time_epoch", "ipv6.src")}
    asked = [(float(at), by) for at, by in lan.fields(
        "icmpv6.type == 133 and ipv6.src != ::", "frame.time_epoch", "ipv6.src")
        if by not in router]
    answers = [(float(at), to) for at, to in lan.fields(OURS, "frame.time_epoch", "ipv6.dst")
               if to != "ff02::1"]
    assert len(asked) == len(answers) == 12
    assert {to for _, to in answers} == {by for _, by in asked}, "to nobody else"
    delays = [answered - at for (at, _), (answered, _) in zip(asked, answers)]
    # MAX_RA_DELAY_TIME, and what a busy machine adds, now and then more; at random, not all at once.
    assert all(0 <= delay < 0.5 + 2.5 for delay in delays), delays
    assert sum(delay < 0.5 + 0.1 for delay in delays) >= 9, delays
    assert max(delays) - min(delays) > 0.1, delays


def assert_few_and_spaced(lan: Capture, which: str) -> None:
    """MIN_DELAY_BETWEEN_RAS, and one answer to all where many ask (RFC 4861 section 6.2.6)."""
    arrivals = [(float(when), to) for when, to in lan.fields(which, "frame.time_epoch", "ipv6.dst")]
    multicasts = [when for when, to in arrivals if to == "ff02::1"]
    assert len(multicasts) >= 2
    # Three seconds by the sender's clock, which a busy machine may let leave a little after it looked.
    assert all(later - earlier > 2 for earlier, later in zip(multicasts, multicasts[1:]))
    assert len(arrivals) - len(multicasts) < 50, "unicast answers are few where many ask"
