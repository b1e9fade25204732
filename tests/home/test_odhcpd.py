"""odhcpd told by UCI. Both are stand-ins: see lab/uci.py and lab/odhcpd.py."""

from __future__ import annotations

import json
import time
from typing import Any, Iterator

import pytest

from lab import Home, decode
from lab.isp import ADN, RESOLVER6, RESOLVER_ADN
from lab.odhcpd import Odhcpd, dhcpv6_option
from lab.program import eventually
from lab.router import LAN6, announces
from lab.wan import relay

ROUTER6 = decode.Resolver(1, ADN, (LAN6,), ("dot",))
OWN = "9 dns.user.example 2001:db8::53 alpn=dot"
CONFIG = f"""
config dhcp 'lan'
	option interface 'lan'
	option ra 'server'
	option dhcpv6 'server'
	list dnr '{OWN}'

config dhcp 'guest'
	option interface 'guest'
"""


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


@pytest.fixture
def odhcpd(home: Home) -> Odhcpd:
    router = home.router
    odhcpd = Odhcpd(router.ns, CONFIG)
    odhcpd.start()
    router.configure(router.config(announce={"dhcpv6": "odhcpd", "ra": "odhcpd"},
                                   odhcpd={"uci": str(odhcpd.uci)}))
    return odhcpd


def ours(odhcpd: Odhcpd) -> list[str]:
    return [value for value in odhcpd.dnr() if value != OWN]


def announced(home: Home, odhcpd: Odhcpd) -> list[str]:
    """UCI's list once odhcpd has read ours, which `status` may say a moment earlier."""
    home.router.until_announced()
    eventually("odhcpd has read one value of ours", lambda: len(ours(odhcpd)) == 1)
    return odhcpd.in_uci()


def test_odhcpd_tells_what_the_plan_says_and_nobody_else_does(home: Home, odhcpd: Odhcpd) -> None:
    router = home.router
    router.start_porchlight()
    status = router.until_announced()
    eventually("odhcpd has read one value of ours", lambda: len(ours(odhcpd)) == 1)
    option = dhcpv6_option(ours(odhcpd)[0])
    planned = decode.planned(status, "br-lan", 6)[0]
    # The router's own name makes a length that odhcpd pads wrong, unless it names the port.
    told = decode.dhcpv6(option)
    assert (told.adn, told.addresses) == (ADN, (LAN6,)) == (planned.adn, planned.addresses)
    shown = {row["carrier"]: row["options"] for row in status["announced"]["carriers"]}
    assert shown["dhcpv6"] == ["144 " + option.hex()]
    advertised = bytes.fromhex(shown["ra"][0].removeprefix("144 "))
    assert decode.nd_option(advertised).resolver == told
    assert len(advertised) - (len(option) + 8) in range(1, 7)
    # Neither we nor dnsmasq send these options beside odhcpd; dnsmasq still has DHCPv4.
    host = home.host()
    host.join()
    assert host.dhcpv6() == host.ra(within_s=4) == []
    assert [resolver.adn for resolver in host.dhcpv4()] == [ADN]

    assert router.stop_porchlight() == 0
    eventually("odhcpd has read that nothing of ours is left", lambda: odhcpd.dnr() == [OWN])
    assert odhcpd.in_uci() == [OWN]


def test_after_a_kill_withdraw_takes_exactly_ours(home: Home, odhcpd: Odhcpd) -> None:
    router = home.router
    router.start_porchlight()
    announced(home, odhcpd)
    router.kill_porchlight()
    eventually("the last will has taken ours back", lambda: odhcpd.dnr() == [OWN])
    assert odhcpd.in_uci() == [OWN]
    eventually("the last will is done", lambda: not router.programs())

    # A power cut leaves no last will: what stands in UCI is announced again until someone withdraws.
    router.start_porchlight()
    standing = announced(home, odhcpd)
    router.cut_power()
    assert len(standing) == 2 and odhcpd.in_uci() == standing
    odhcpd.start()
    assert router.command("withdraw").returncode == 0
    assert odhcpd.in_uci() == [OWN]
    eventually("odhcpd has read that ours is gone", lambda: odhcpd.dnr() == [OWN])
    reads = odhcpd.times_read()
    assert router.command("withdraw").returncode == 0
    assert odhcpd.times_read() == reads


def test_what_a_stop_could_not_take_back_a_withdrawal_does(home: Home, odhcpd: Odhcpd) -> None:
    router = home.router
    router.start_porchlight()
    standing = announced(home, odhcpd)
    odhcpd.fill_flash()
    assert router.stop_porchlight() == 0
    assert odhcpd.in_uci() == standing
    # The configuration that the last will goes by stays for as long as anything is announced.
    assert (router.state / "config.json").exists()
    odhcpd.empty_flash()
    # The last will may be at it still; both at once is one too many.
    eventually("a withdrawal goes through",
               lambda: router.command("withdraw", check=False).returncode == 0)
    eventually("odhcpd has read that ours is gone", lambda: odhcpd.dnr() == [OWN])
    assert odhcpd.in_uci() == [OWN]
    assert not (router.state / "config.json").exists()


def test_without_its_journal_ours_is_known_by_its_spelling(home: Home, odhcpd: Odhcpd) -> None:
    router = home.router
    router.start_porchlight()
    announced(home, odhcpd)
    router.cut_power()
    odhcpd.start()
    (router.state / "odhcpd").write_bytes(bytes(64))
    assert router.command("withdraw").returncode == 0
    assert odhcpd.in_uci() == [OWN]
    assert not (router.state / "odhcpd").exists()
    eventually("odhcpd has read that ours is gone", lambda: odhcpd.dnr() == [OWN])


def test_what_the_user_has_staged_is_not_committed(home: Home, odhcpd: Odhcpd) -> None:
    odhcpd.change("set", "dhcp.guest.ra=server")
    home.router.start_porchlight()
    announced(home, odhcpd)
    assert "option ra 'server'" not in odhcpd.file.read_text().partition("'guest'")[2]
    odhcpd.change("commit", "dhcp")
    assert "option ra 'server'" in odhcpd.file.read_text().partition("'guest'")[2]
    assert len(odhcpd.in_uci()) == 2
    assert home.router.stop_porchlight() == 0
    assert odhcpd.in_uci() == [OWN]


def test_a_restart_after_a_power_cut_leaves_one_value(home: Home, odhcpd: Odhcpd) -> None:
    router = home.router
    router.start_porchlight()
    before = announced(home, odhcpd)
    router.cut_power()
    router.start_dnsmasq()
    odhcpd.start()
    router.start_porchlight()
    router.until_announced()
    eventually("the list is as it was", lambda: odhcpd.in_uci() == odhcpd.dnr() == before)


def test_what_a_wan_offered_before_a_power_cut_is_taken_out_at_once(home: Home, odhcpd: Odhcpd
                                                                    ) -> None:
    router = home.router
    relay(home, announce={"dhcpv6": "odhcpd", "ra": "odhcpd"}, odhcpd={"uci": str(odhcpd.uci)})
    router.start_porchlight()
    router.until("a status", lambda status: status["plan"])
    said = [{"adn": RESOLVER_ADN, "addresses": [RESOLVER6], "alpn": ["dot"]}]
    router.command("wan", "set", "eth0", json.dumps(said))
    eventually("odhcpd has read one value of ours", lambda: len(ours(odhcpd)) == 1)
    router.cut_power()
    assert len(odhcpd.in_uci()) == 2
    odhcpd.start()
    router.start_porchlight()
    eventually("nothing of it is left", lambda: odhcpd.dnr() == odhcpd.in_uci() == [OWN],
               within_s=8)


def test_what_is_missing_is_told_and_mended(home: Home, odhcpd: Odhcpd) -> None:
    router = home.router
    config = router.config(announce={"dhcpv6": "odhcpd", "ra": "odhcpd"},
                           odhcpd={"uci": str(odhcpd.uci)})
    router.configure(config, lan=[{"interface": "br-lan", "uci_section": "elsewhere"}])
    router.start_porchlight()
    status = router.until("the section is missed", lambda status: any(
        "has no section elsewhere" in row.get("why", "")
        for row in status["announced"]["carriers"]))
    assert not status["announced"]["ra"] and not status["announced"]["dhcpv6"]
    assert odhcpd.in_uci() == [OWN]
    router.configure(config, lan=[{"interface": "br-lan", "uci_section": "guest"}])
    router.reload_porchlight()
    eventually("odhcpd has read ours there", lambda: len(odhcpd.dnr("guest")) == 1)
    assert odhcpd.in_uci() == [OWN]
    router.until_announced()

    odhcpd.stop()
    router.until("odhcpd is missed", lambda status: any(
        row.get("why") == "odhcpd is not running" for row in status["announced"]["carriers"]))
    odhcpd.start()
    router.until_announced()

    # Another carrier: odhcpd's list is emptied, if not at once then as soon as UCI can write.
    odhcpd.fill_flash()
    router.configure(router.config())
    router.reload_porchlight()
    assert router.porchlight
    said = router.porchlight.said
    eventually("UCI could not write", lambda: "I/O error" in said())
    odhcpd.empty_flash()
    eventually("nothing of ours is left", lambda: odhcpd.in_uci("guest") == [], within_s=60)


# Carriers that the configuration leaves to what runs.


def left_open(home: Home, odhcpd: Odhcpd) -> None:
    home.router.configure(home.router.config(odhcpd={"uci": str(odhcpd.uci)}))


def carriers(status: dict[str, Any]) -> tuple[str, ...]:
    assert all(chosen["auto"] for chosen in status["carriers"].values())
    return tuple(status["carriers"][name]["by"] for name in ("dhcpv4", "dhcpv6", "ra"))


def until_chosen(home: Home, by: tuple[str, ...], within_s: float = 60) -> None:
    home.router.until(f"carriers are {by}", lambda status: carriers(status) == by
                      and announces(status), within_s)


def choices(home: Home) -> int:
    """How often it was said that carriers were chosen."""
    assert home.router.porchlight
    return home.router.porchlight.said().count("carriers are chosen by what runs here")


OURS = ("dnsmasq", "dnsmasq", "supplement")
ODHCPDS = ("dnsmasq", "odhcpd", "odhcpd")


def test_an_odhcpd_that_starts_later_takes_over_and_nobody_speaks_twice(home: Home, odhcpd: Odhcpd
                                                                        ) -> None:
    router = home.router
    left_open(home, odhcpd)
    odhcpd.stop()
    router.start_porchlight()
    until_chosen(home, OURS)
    host = home.host()
    host.join()
    # The control of what is absent below: dnsmasq and we tell as long as we are alone.
    assert host.dhcpv6() == [option.resolver for option in host.ra()] == [ROUTER6]
    assert odhcpd.in_uci() == [OWN]
    with host.watching() as seen:
        odhcpd.start()
        eventually("odhcpd has read one value of ours", lambda: len(ours(odhcpd)) == 1, 60)
        before = len(seen)
        time.sleep(3)
    # Ours was taken back first: what came later would have made hosts forget odhcpd's.
    told = [option.lifetime_s for heard in seen[:before] for option in heard.encrypted_dns()]
    assert told[-1] == 0
    assert [heard for heard in seen[before:] if heard.encrypted_dns()] == []
    until_chosen(home, ODHCPDS)
    assert host.dhcpv6() == host.ra(within_s=4) == []
    assert [resolver.adn for resolver in host.dhcpv4()] == [ADN]
    assert "dhcpv6 odhcpd (auto); ra odhcpd (auto)" in router.command("status").stdout
    assert choices(home) == 2
    assert router.stop_porchlight() == 0
    assert odhcpd.in_uci() == [OWN]


def test_a_restart_of_odhcpd_changes_nothing_its_end_does(home: Home, odhcpd: Odhcpd) -> None:
    router = home.router
    left_open(home, odhcpd)
    router.start_porchlight()
    until_chosen(home, ODHCPDS)
    standing = announced(home, odhcpd)
    odhcpd.stop()
    router.until("odhcpd is missed", lambda status: any(
        row.get("why") == "odhcpd is not running" for row in status["announced"]["carriers"]))
    assert carriers(router.status()) == ODHCPDS and odhcpd.in_uci() == standing
    odhcpd.start()
    until_chosen(home, ODHCPDS)
    assert odhcpd.in_uci() == odhcpd.dnr() == standing
    assert choices(home) == 1
    # The control, and the way back: one that does not come again is gone after a minute.
    odhcpd.stop()
    until_chosen(home, OURS, within_s=150)
    assert choices(home) == 2
    eventually("ours is out of UCI", lambda: odhcpd.in_uci() == [OWN])
    host = home.host()
    host.join()
    assert host.dhcpv6() == [option.resolver for option in host.ra()] == [ROUTER6]


def test_after_a_power_cut_odhcpd_is_waited_for_and_a_withdrawal_takes_ours(home: Home,
                                                                            odhcpd: Odhcpd
                                                                            ) -> None:
    router = home.router
    left_open(home, odhcpd)
    router.start_porchlight()
    until_chosen(home, ODHCPDS)
    standing = announced(home, odhcpd)
    router.cut_power()
    # It may start later than we do: what it is to say then stands until it was waited for.
    router.start_dnsmasq()
    router.start_porchlight()
    router.until("odhcpd is missed", lambda status: any(
        row.get("why") == "odhcpd is not running" for row in status["announced"]["carriers"]))
    assert carriers(router.status()) == ODHCPDS and odhcpd.in_uci() == standing
    odhcpd.start()
    until_chosen(home, ODHCPDS)
    assert choices(home) == 1, "since the last start"

    # Nobody runs, so nothing can be found, and the configuration does not name odhcpd.
    router.cut_power()
    assert odhcpd.in_uci() == standing
    assert router.command("withdraw").returncode == 0
    assert odhcpd.in_uci() == [OWN]
    assert not (router.state / "odhcpd").exists()


def test_an_odhcpd_that_does_not_serve_the_home_is_left_alone(home: Home, odhcpd: Odhcpd) -> None:
    router = home.router
    for option, value in (("ra", "relay"), ("dhcpv6", "disabled")):
        odhcpd.change("set", f"dhcp.lan.{option}={value}")
    odhcpd.change("set", "dhcp.guest.ra=server")
    odhcpd.change("commit", "dhcp")
    left_open(home, odhcpd)
    router.start_porchlight()
    until_chosen(home, OURS)
    time.sleep(12)  # longer than it takes to look
    assert carriers(router.status()) == OURS and odhcpd.in_uci() == [OWN]
    # The control: it is found once it serves, at a reload at the latest.
    odhcpd.change("set", "dhcp.lan.ra=hybrid")
    odhcpd.change("commit", "dhcp")
    router.reload_porchlight()
    until_chosen(home, ODHCPDS)
    assert len(announced(home, odhcpd)) == 2
    # And after a crash the last will knows what was chosen.
    router.kill_porchlight()
    eventually("the last will has taken ours back", lambda: odhcpd.dnr() == [OWN])
    assert odhcpd.in_uci() == [OWN]
