"""Where the configuration names nobody to ask, the router asks whom the Internet provider offers."""

from __future__ import annotations

import os
import signal
from typing import Any, Iterator

import pytest

from lab import Home, encode
from lab.isp import RESOLVER4, RESOLVER_ADN
from lab.program import eventually
from lab.router import LAN4, Router
from lab.wan import IspDhcp, Udhcpc

OFFERED = encode.dhcpv4(1, RESOLVER_ADN, RESOLVER4)
PRIVATE = "10.9.9.53"


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        config = home.router.config()
        config.pop("upstream")
        home.router.configure(config)
        yield home


def because(status: dict[str, Any]) -> str:
    return status["upstreams_because"]


def tried_in_vain(status: dict[str, Any]) -> bool:
    return any("certificate not accepted" in one.get("error", "")
               for one in status["upstreams_offered"])


def until_nobody(router: Router) -> None:
    status = router.until("nobody is asked", lambda status: status["plan"] and because(
        status) == "the WAN offers nobody")
    assert "nobody is known yet whom this router could ask" in status["plan"][0]["why"]
    assert "Upstreams, because the WAN offers nobody\n  none" in router.command("status").stdout


def test_whom_the_isp_offers_is_asked_and_stays_when_the_lease_is_lost(home: Home) -> None:
    router = home.router
    host = home.host()
    router.start_porchlight()
    until_nobody(router)
    # The control: until somebody is known, the home resolves as it did before, in clear text.
    host.join()
    with home.capture_wan("udp port 53") as clear:
        assert host.ask_clear("www.example.org", LAN4).answer
    assert clear.fields(f"ip.dst == {RESOLVER4} and dns.qry.name == www.example.org", "dns.id")

    dhcp = IspDhcp(home.isp, OFFERED)
    client = Udhcpc(router)
    status = router.until_announced()
    assert because(status) == "the WAN offers them"
    assert [one["adn"] for one in status["upstreams"]] == [RESOLVER_ADN]
    answer = host.ask("www.example.org", LAN4, "cpe1.example.net")
    assert answer.answer
    with home.capture_wan("udp port 53 or tcp port 53") as clear:
        assert host.ask_clear("mail.example.net", LAN4).answer
        assert host.ask_clear("diary.example.org", LAN4).answer
    assert not clear.fields(f"ip.dst == {RESOLVER4}", "dns.id")

    # One that does not work comes in its place: those that answered stand behind it.
    dhcp.offer(encode.dhcpv4(1, "another.isp.test", RESOLVER4))
    client.send(signal.SIGUSR1)
    status = router.until("it was tried", tried_in_vain)
    assert status["plan"][0]["resolvers"]
    assert [one["adn"] for one in status["upstreams"]] == [RESOLVER_ADN]
    assert host.ask("ns1.example.net", LAN4, "cpe1.example.net").answer

    # An offer that ends must not bring the home back into clear text, nor an agent that dies.
    client.send(signal.SIGUSR2)
    status = router.until("the offer is gone", lambda status: because(
        status) == "they are the last that the WAN offered")
    agent = status["processes"]["agent"]
    os.kill(agent, signal.SIGKILL)
    status = router.until("a new agent", lambda status: status["processes"]["agent"] not in (
        0, agent) and status["plan"] and status["upstreams"])
    assert because(status) == "they are the last that the WAN offered"
    with home.capture_wan("udp port 53 or tcp port 53") as clear:
        assert host.ask_clear("ns1.example.org", LAN4).answer
    assert not clear.fields(f"ip.dst == {RESOLVER4}", "dns.id")


def test_an_offer_that_does_not_work_breaks_nothing(home: Home) -> None:
    router = home.router
    host = home.host()
    host.join()
    IspDhcp(home.isp, encode.dhcpv4(1, "another.isp.test", RESOLVER4))
    Udhcpc(router)
    router.start_porchlight()
    status = router.until("it was tried", tried_in_vain)
    assert because(status) == "the WAN offers nobody" and status["upstreams"] == []
    assert "another.isp.test is offered and tried:" in router.command("status").stdout
    assert "nobody is known yet" in status["plan"][0]["why"]
    assert host.ask_clear("www.example.org", LAN4).answer


@pytest.mark.parametrize("address, certified, proved", [
    (RESOLVER4, True, "by its address"),
    (PRIVATE, False, "not at all, for the address is private"),
    (RESOLVER4, False, "")])
def test_a_plain_resolver_is_asked_for_its_encrypted_one(
        home: Home, address: str, certified: bool, proved: str) -> None:
    router = home.router
    home.isp.designate(address, certified)
    IspDhcp(home.isp, b"", plain=address)
    Udhcpc(router)
    router.start_porchlight()
    if proved:
        status = router.until_announced()
        assert because(status) == "the WAN's plain resolvers designate them"
        host = home.host()
        host.join()
        with home.capture_wan("port 53 or port 853") as wan:
            assert host.ask_clear("diary.example.org", LAN4).answer
        assert wan.fields(f"ip.dst == {address} and tcp.dstport == 853", "tcp.len")
        assert not wan.fields("dns.qry.name == diary.example.org", "dns.id")
        return
    # The control: who can't prove a public address is not asked.
    status = router.until("it was tried", tried_in_vain)
    assert "nobody is known yet" in status["plan"][0]["why"]
    assert status["upstreams"] == []
