"""Configuration errors are told, all at once, and never taken."""

from __future__ import annotations

import json

import dns.message
import dns.query
import pytest

from lab import Home
from lab.host import addresses
from lab.isp import ADN
from lab.program import eventually
from lab.router import BINARY, LAN4, announces


def test_check_takes_the_home_s_configuration(home: Home) -> None:
    assert home.router.command("check").returncode == 0


def test_check_names_file_place_and_expectation_of_every_fault(home: Home) -> None:
    file = home.router.folder / "bad.json"
    config = home.router.config()
    config["resolver"] = {"adn": ADN, "dot": {"port": "853"}}
    config["upstream"] = [{"protocol": "dot", "addresses": ["192.0.2.53"], "profile": "strict"}]
    config["announce"] = {"dhcpv5": "dnsmasq", "ra_interval": "2s"}
    file.write_text(json.dumps(config))
    done = home.router.ns.run(str(BINARY), "check", "-c", str(file), check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 2
    assert f"{file}#/resolver/dot/port: expected" in said and '"853"' in said, said
    assert f"{file}#/upstream/0/adn: missing" in said, said
    assert f"{file}#/announce/dhcpv5: unknown key" in said and "dhcpv4" in said, said
    assert f"{file}#/announce/ra_interval: expected" in said and "2s" in said, said


def test_check_says_where_json_ends_to_be_json(home: Home) -> None:
    file = home.router.folder / "broken.json"
    file.write_text('{"mode": "auto",\n "lan": [}\n')
    done = home.router.ns.run(str(BINARY), "check", "-c", str(file), check=False)
    assert done.returncode == 2
    assert str(file) in done.stdout + done.stderr


@pytest.mark.parametrize("text", ['{"mode": "sometimes"}', '{"mode": "auto", ', ""],
                         ids=["bad value", "bad JSON", "empty"])
def test_a_reload_with_faults_keeps_everything(home: Home, text: str) -> None:
    router = home.router
    host = home.host()
    host.join()
    assert router.porchlight
    before = router.status()
    said = len(router.porchlight.said())
    router.configure(text)
    with host.dot_connection(LAN4, ADN) as connection:
        router.reload_porchlight()
        eventually("the complaint is in the log",
                   lambda: str(router.config_file) in router.porchlight.said()[said:])
        query = dns.message.make_query("www.example.org", "A")
        dns.query.send_tcp(connection, query)
        answer, _ = dns.query.receive_tcp(connection)
        assert addresses(answer) == ["198.51.100.81"]
    router.configure()
    after = router.status()
    assert announces(after)
    assert after["plan"] == before["plan"] and after["processes"] == before["processes"]


def test_a_good_reload_keeps_connections_that_are_still_valid(home: Home) -> None:
    router = home.router
    host = home.host()
    host.join()
    with host.dot_connection(LAN4, ADN) as connection:
        router.configure(announce={"ra_interval": "60s"})
        router.reload_porchlight()
        eventually("the new interval is announced", lambda: any(
            option.lifetime_s == 180 for option in host.ra()), within_s=20, every_s=1)
        dns.query.send_tcp(connection, dns.message.make_query("www.example.org", "A"))
        answer, _ = dns.query.receive_tcp(connection)
        assert addresses(answer) == ["198.51.100.81"]
    router.configure()
    router.reload_porchlight()


def test_a_daemon_does_not_start_with_a_bad_configuration(home: Home) -> None:
    file = home.router.folder / "bad.json"
    file.write_text('{"mode": "sometimes"}')
    done = home.router.ns.run(str(BINARY), "run", "-c", str(file), check=False)
    assert done.returncode == 2 and f"{file}#/mode: expected" in done.stdout + done.stderr


def test_a_secret_is_never_shown(home: Home) -> None:
    shown = home.router.ns.run(
        str(BINARY), "config", "print", "-c", str(home.router.config_file)).stdout
    status = home.router.command("status", "--json").stdout
    assert home.router.porchlight
    for said in (shown, status, home.router.porchlight.said()):
        assert home.isp.tsig_secret not in said
    key = (home.router.folder / "tsig.key").read_text()
    assert home.isp.tsig_secret in key, "the control: this is the secret"
