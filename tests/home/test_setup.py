"""The first configuration, made by answering questions."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any, Iterator

import pytest

from lab import Home, decode
from lab.isp import ADN, RESOLVER4, RESOLVER6, RESOLVER_ADN
from lab.program import eventually, hear_ctrl_c
from lab.ra import Radvd, pids, without_ra
from lab.router import AGENT_UID, BINARY, FORWARDER_UID, LAN4, Router

QUAD9 = "dns.quad9.net"


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        home.router.config_file.unlink()
        yield home


def ask(router: Router, *options: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return router.ns.run(str(BINARY), "setup", "-c", str(router.config_file), *options,
                         stdin=typed or None, check=False)


def written(router: Router) -> dict[str, Any]:
    return json.loads(router.config_file.read_text())


def nothing_left(router: Router) -> bool:
    """Neither the file nor a half of it; hidden files count."""
    return not [each for each in router.folder.iterdir() if "porchlight.json" in each.name]


def test_three_empty_lines_and_hosts_are_told_of_a_well_known_resolver(home: Home) -> None:
    router = home.router
    done = ask(router, typed="\n\n\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("]: ") == 3, "more than three questions"
    assert "br-lan (192.168.77.1, fd77:77:77::1)" in done.stdout
    assert "by DHCPv4, DHCPv6 and Router Advertisement" in done.stdout
    config = written(router)
    assert config["lan"] == [{"interface": "br-lan"}]
    assert config["wan"] == [{"interface": "eth0"}]
    # All of them out of the file that the home's dnsmasq was started with.
    found = router.config()["dnsmasq"]
    assert config["dnsmasq"] == {
        key: found[key] for key in ("fragment", "pid_file", "lease_file", "resolv_file")}
    assert "good" in router.command("check").stdout

    # What the lab keeps apart from the machine that it runs on; the rest is what was written.
    router.configure(config | {
        "state_directory": str(router.state), "runtime_directory": str(router.runtime),
        "users": {"agent": AGENT_UID, "forwarder": FORWARDER_UID}})
    router.start_porchlight()
    router.until("dnsmasq has a fragment to read", lambda _: router.fragment.exists())
    router.restart_dnsmasq()  # as setup said that somebody must
    status = router.until_announced()
    assert status["mode"] == "static"
    host = home.host()
    host.join()
    v4, v6 = host.dhcpv4(), host.dhcpv6()
    assert v4 == decode.planned(status, "br-lan", 4) and v6 == decode.planned(status, "br-lan", 6)
    told = [*v4, *v6, *(option.resolver for option in host.ra())]
    assert [each.adn for each in told] == [QUAD9] * 3
    assert v4[0].addresses == ("9.9.9.9", "149.112.112.112")
    assert v6[0].addresses == ("2620:fe::fe", "2620:fe::9")
    assert router.stop_porchlight() == 0


def live_by_what_was_written(router: Router, **changes: Any) -> dict[str, Any]:
    """What the lab keeps apart from the machine that it runs on is changed; the rest stays."""
    config = written(router) | changes
    router.configure(config | {
        "state_directory": str(router.state), "runtime_directory": str(router.runtime),
        "users": {"agent": AGENT_UID, "forwarder": FORWARDER_UID},
        "dnsmasq": config["dnsmasq"] | {"restart": router.config()["dnsmasq"]["restart"]}})
    router.start_porchlight()
    return router.until_announced()


def test_the_isps_resolver_is_told_by_its_name_and_addresses(home: Home) -> None:
    router = home.router
    # Its number, name, addresses and protocols, and that the file shall be written.
    done = ask(router, typed=f"3\n{RESOLVER_ADN}\n{RESOLVER4} {RESOLVER6}\n\n\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{RESOLVER_ADN} by DNS over TLS at {RESOLVER4}" in done.stdout
    status = live_by_what_was_written(router)
    assert status["mode"] == "static"
    host = home.host()
    host.join()
    assert host.dhcpv4() == [decode.Resolver(1, RESOLVER_ADN, (RESOLVER4,), ("dot",))]
    assert host.dhcpv6() == [decode.Resolver(1, RESOLVER_ADN, (RESOLVER6,), ("dot",))]
    assert host.kdig("www.example.org", RESOLVER4, RESOLVER_ADN).trusted


def test_this_router_is_told_with_the_certificate_that_was_named(home: Home) -> None:
    router = home.router
    chain, key = home.internet.leaf(ADN, file="router")
    done = ask(router, "--yes", "--resolver", "router", "--adn", ADN, "--upstream", "quad9",
               "--chain", str(chain), "--key", str(key))
    assert done.returncode == 0, done.stdout + done.stderr
    assert written(router)["resolver"] == {"adn": ADN, "doh": [{}]}
    assert written(router)["upstream"][0]["adn"] == QUAD9
    # The well-known resolver is out of the lab's reach.
    home_config = router.config()
    status = live_by_what_was_written(router, upstream=home_config["upstream"],
                                      tls=home_config["tls"])
    assert status["mode"] == "forwarder"
    host = home.host()
    host.join()
    assert [each.adn for each in host.dhcpv4()] == [ADN]
    assert host.kdig("www.example.org", LAN4, ADN).trusted


def test_nothing_is_written_unless_somebody_says_so(home: Home) -> None:
    router = home.router
    for typed, status in (("", 1), ("\n", 1), ("\n\n", 1), ("\n\nno\n", 1), ("x\ny\nz\n", 1)):
        done = ask(router, typed=typed)
        assert done.returncode == status and "nothing was written" in done.stderr, typed
        assert nothing_left(router), typed
    shown = ask(router, "--dry-run", "--yes", "--resolver", "cloudflare")
    assert shown.returncode == 0 and "one.one.one.one" in shown.stdout
    assert json.loads(shown.stdout[shown.stdout.index("\n{"):])["lan"] == [{"interface": "br-lan"}]
    assert nothing_left(router)
    wrong = ask(router, "--yes", "--lan", "eth0")
    assert wrong.returncode == 2 and "stands in lan too" in wrong.stderr
    assert nothing_left(router)
    # The control: the same words write a file where they make sense.
    assert ask(router, "--yes", "--lan", "br-lan").returncode == 0
    assert not nothing_left(router)


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_ctrl_c_at_any_question_leaves_nothing(home: Home, answers: int) -> None:
    router = home.router
    asking = subprocess.Popen(
        router.ns.argv(str(BINARY), "setup", "-c", str(router.config_file)), text=True, cwd="/",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=hear_ctrl_c)
    assert asking.stdin and asking.stdout
    asking.stdin.write("\n" * answers)
    asking.stdin.flush()
    said = ""
    while said.count("]: ") <= answers:
        said += asking.stdout.read(1)
    asking.send_signal(signal.SIGINT)
    assert asking.wait(timeout=10) == -signal.SIGINT
    assert nothing_left(router)


def test_a_file_that_is_there_is_replaced_by_consent_alone(home: Home) -> None:
    router = home.router
    router.configure("{}\n")
    assert ask(router, "--yes").returncode == 1
    assert ask(router, typed="\n\n\n").returncode == 1
    assert written(router) == {}
    assert ask(router, typed="\n\nyes\n").returncode == 0
    assert written(router)["announce"]["resolvers"][0]["adn"] == QUAD9
    assert ask(router, "--yes", "--force", "--resolver", "dns.google").returncode == 0
    assert written(router)["announce"]["resolvers"][0]["adn"] == "dns.google"


def preview(router: Router) -> str:
    shown = ask(router, "--dry-run", "--yes")
    assert shown.returncode == 0, shown.stderr
    text = shown.stdout[shown.stdout.index("\nHosts on"):shown.stdout.index("\n{")]
    return " ".join(text.split())


NO_RA = "not by Router Advertisement: no RA daemon was found on br-lan"


def test_only_carriers_that_somebody_works_for_are_promised(home: Home) -> None:
    router = home.router
    assert "by DHCPv4, DHCPv6 and Router Advertisement" in preview(router)
    without_ra(router)
    text = preview(router)
    assert "by DHCPv4 and DHCPv6" in text and NO_RA in text and 'announce.ra to "full"' in text

    # radvd advertises on the link that it was told of, and on no other.
    router.ns.ip("link add br-guest type bridge", "link set br-guest up")
    for interface, found in (("br-guest", False), ("br-lan", True)):
        radvd = Radvd(router, interface)
        radvd.start()
        eventually("radvd runs", lambda: pids(router, "radvd"))
        assert (NO_RA not in preview(router)) == found, interface
        assert ("RAs on: br-lan by radvd" in " ".join(
            ask(router, "--dry-run", "--yes").stdout.split())) == found
        radvd.stop()
        eventually("both its processes are gone", lambda: not pids(router, "radvd"))
    assert NO_RA in preview(router)

    conf = router.folder / "dnsmasq.conf"
    for family, pattern in (("IPv6", "dhcp-range=fd77"), ("IPv4", "dhcp-range=192")):
        conf.write_text("".join(line for line in conf.read_text().splitlines(keepends=True)
                                if pattern not in line))
        router.restart_dnsmasq()
        assert f"dnsmasq has no dhcp-range for {family} on br-lan" in preview(router)
    assert "by DHCPv4 and" not in preview(router)


def test_a_relative_path_is_followed_where_dnsmasq_stayed_and_else_named(home: Home) -> None:
    router = home.router
    router.stop_dnsmasq()
    for debugging, read in ((True, True), (False, False)):
        # With -d dnsmasq stays where it was started; else it goes to "/".
        program = router.ns.start(
            "dnsmasq", "sh", "-c", f"cd {router.folder} && exec dnsmasq -C dnsmasq.conf "
            + ("-d" if debugging else "-k"))
        eventually("dnsmasq has read its file", lambda: router.ns.accepts("127.0.0.1", 53))
        found = " ".join(ask(router, "--dry-run", "--yes").stdout.split())
        assert (f"takes {router.fragment}" in found) == read, found
        assert ("conf-file=dnsmasq.conf was not read" in found) != read, found
        program.stop()
