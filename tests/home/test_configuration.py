"""Configuration errors are told, all at once, and never taken."""

from __future__ import annotations

import datetime
import json
import os
import re
import signal
import sys
from pathlib import Path

import dns.message
import dns.query
import pytest

from lab import Home
from lab.host import Host, addresses
from lab.isp import ADN
from lab.program import Program, eventually
from lab.router import BINARY, LAN4, Router, announces

DAY = datetime.timedelta(days=1)


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


@pytest.mark.parametrize("by", [('"lan"', '"lam"'), ("[", "")], ids=["a key", "a bracket"])
def test_status_tells_a_refusal_while_the_file_is_as_it_was_refused(
        home: Home, by: tuple[str, str]) -> None:
    router = home.router
    router.configure(router.config_file.read_text().replace(*by, 1))
    router.reload_porchlight()
    try:
        eventually("status tells the refusal", lambda: "reload was refused" in router.command(
            "status", check=False).stdout)
        done = router.command("status")
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert f"going by {router.state}/config.json" in done.stderr
        assert announces(router.status())
    finally:
        router.configure()
    # Nobody has to reload what is in force already.
    router.until("nothing is refused any more", lambda status: not any(
        "reload was refused" in warning for warning in status["warnings"]))
    assert "again what is in force" in router.porchlight.said()


def test_a_good_reload_keeps_connections_that_are_still_valid(home: Home) -> None:
    router = home.router
    host = home.host()
    host.join()
    with host.dot_connection(LAN4, ADN) as connection:
        router.configure(announce={"ra_interval": "60s"})
        router.reload_porchlight()
        eventually("the new interval is announced", lambda: any(
            option.lifetime_s == 180 for option in host.ra()), every_s=1)
        dns.query.send_tcp(connection, dns.message.make_query("www.example.org", "A"))
        answer, _ = dns.query.receive_tcp(connection)
        assert addresses(answer) == ["198.51.100.81"]
    router.configure()
    router.reload_porchlight()


def served_key(host: Host) -> str:
    """The fingerprint of the key that a host is shown, by kdig."""
    said = host.kdig("www.example.org", LAN4, ADN).said
    pins = re.findall(r"SHA-256 PIN: (\S+)", said)
    return pins[0] if pins else ""


def replace(file: Path, by: Path) -> None:
    """As a careful administrator does it: whole or not at all."""
    new = file.with_suffix(".new")
    new.write_bytes(by.read_bytes())
    new.chmod(0o600)
    new.rename(file)


def test_half_of_a_new_pair_is_refused_and_the_whole_is_taken() -> None:
    with Home() as home:
        router = home.router
        old, new = (home.internet.leaf(ADN, file=name) for name in ("old", "new"))
        chain, key = router.folder / "chain.pem", router.folder / "key.pem"
        replace(chain, old[0])
        replace(key, new[1])
        router.configure(certificate={"files": {"chain": str(chain), "key": str(key)}})
        checked = router.command("check").stdout
        assert "#/certificate/files: expected" in checked, checked
        assert str(chain) in checked and str(key) in checked, checked

        # At the start there is nothing better: the daemon runs, tells nobody, and says why.
        router.start_porchlight()
        status = router.until("the pair is judged", lambda status: "key is not the certificate's"
                              in status["certificate"].get("why", ""))
        assert not any(status["announced"][carrier] for carrier in ("dhcpv4", "dhcpv6", "ra"))
        # Nobody needs to tell the daemon of files that somebody renewed.
        replace(key, old[1])
        router.until_announced()
        host = home.host()
        host.join()
        former = served_key(host)
        assert former

        replace(chain, new[0])
        router.reload_porchlight()
        status = router.until("the refusal is told", lambda status: any(
            "reload was refused" in warning for warning in status["warnings"]))
        refusal = next(each for each in status["warnings"] if "reload was refused" in each)
        assert f"{router.config_file}#/certificate/files: expected" in refusal, refusal
        assert str(chain) in refusal and str(key) in refusal, refusal
        assert announces(status) and served_key(host) == former

        # An agent that starts just now gets what was taken, not what lies there.
        agent = status["processes"]["agent"]
        os.kill(agent, signal.SIGKILL)
        router.until("another agent announces, and tells of the refusal", lambda status: announces(
            status) and status["processes"]["agent"] != agent and any(
            "reload was refused" in warning for warning in status["warnings"]))
        assert served_key(host) == former

        replace(key, new[1])
        router.reload_porchlight()
        eventually("the new key is served", lambda: served_key(host) not in ("", former))
        status = router.until("nothing is refused any more", lambda status: not any(
            "reload was refused" in warning for warning in status["warnings"]))
        assert announces(status)


def test_certificate_files_that_are_no_good_are_a_warning_in_log_and_status() -> None:
    with Home() as home:
        router = home.router
        good, other = (home.internet.leaf(ADN, file=name) for name in ("good", "other"))
        expired = home.internet.leaf(ADN, file="expired", not_before=-3 * DAY, not_after=-DAY)
        chain, key = router.folder / "chain.pem", router.folder / "key.pem"

        def put(pair: tuple[Path, Path]) -> None:
            replace(chain, pair[0])
            replace(key, pair[1])

        def until_warned(what: str, *of: str) -> None:
            router.until(what, lambda status: announces(status) and any(
                all(word in warning for word in of) for warning in status["warnings"]))
            assert times_logged(*of) == 1, router.porchlight.said()

        def times_logged(*of: str) -> int:
            return sum(line.startswith("<4>") and all(word in line for word in of)
                       for line in router.porchlight.said().splitlines())

        # Without the files nothing starts, and `check` says so beforehand.
        router.configure(certificate={"files": {"chain": str(chain), "key": str(key)}})
        checked = router.command("check", check=False)
        assert checked.returncode == router.command("run", check=False).returncode + 1 == 2
        assert f"#/certificate/files/chain: cannot open {chain}" in checked.stderr, checked.stderr
        assert f"#/certificate/files/key: cannot open {key}" in checked.stderr, checked.stderr
        assert "good" not in checked.stdout

        put(good)
        assert "good" in router.command("check").stdout
        router.start_porchlight()
        router.until_announced()
        replace(key, other[1])
        until_warned("another's key is seen", "certificate files", "key is not the certificate's")
        chain.unlink()
        until_warned("a missing file is seen", "certificate files", f"cannot open {chain}")
        put(good)
        router.until("nothing is amiss", lambda status: not any(
            "certificate" in warning for warning in status["warnings"]))
        assert "certificate files are good again" in router.porchlight.said()
        put(expired)
        until_warned("an expired one is seen", "a newer certificate is not taken", "expired on")
        assert times_logged("key is not the certificate's") == 1


def test_an_expired_certificate_takes_no_good_one_s_place() -> None:
    with Home() as home:
        router = home.router
        good, better = (home.internet.leaf(ADN, file=name) for name in ("good", "better"))
        expired = home.internet.leaf(ADN, file="expired", not_before=-3 * DAY, not_after=-DAY)
        chain, key = router.folder / "chain.pem", router.folder / "key.pem"

        def put(pair: tuple[Path, Path]) -> None:
            replace(chain, pair[0])
            replace(key, pair[1])

        put(good)
        router.configure(certificate={"files": {"chain": str(chain), "key": str(key)}})
        router.start_porchlight()
        router.until_announced()
        host = home.host()
        host.join()
        former = served_key(host)
        assert former

        def not_taken(status: dict) -> bool:
            return any("not taken" in remark and "expired on" in remark
                       for remark in status["certificate"]["remarks"])

        def still_serves(status: dict) -> None:
            assert announces(status) and status["certificate"]["fit"]
            assert served_key(host) == former

        # Seen by itself; then with a reload, which is refused nothing else for it.
        put(expired)
        still_serves(router.until("the file is judged", not_taken))
        assert "a newer certificate is not taken" in router.porchlight.said()
        router.reload_and_wait()
        still_serves(router.until("it is judged again", not_taken))
        # An agent that starts just now knows the good one, too.
        agent = router.status()["processes"]["agent"]
        os.kill(agent, signal.SIGKILL)
        still_serves(router.until("another agent serves it", lambda status: announces(status)
                                  and status["processes"]["agent"] != agent and not_taken(status)))
        put(better)
        eventually("the good one is taken", lambda: served_key(host) not in ("", former))
        status = router.until("nothing is held against it", lambda status: not not_taken(status))
        assert announces(status) and status["certificate"]["fit"]

        # Who starts with an expired one has nothing better: it is served, and nobody is told of it.
        router.stop_porchlight()
        put(expired)
        router.start_porchlight()
        status = router.until("it is judged", lambda status: "expired on"
                              in status["certificate"].get("why", ""))
        assert not announces(status)


def test_an_agent_that_starts_while_a_named_file_is_gone_lacks_nothing(home: Home) -> None:
    router = home.router
    key = router.folder / "tsig.key"
    hidden = key.rename(router.folder / "tsig.hidden")
    agent = router.status()["processes"]["agent"]
    os.kill(agent, signal.SIGKILL)
    try:
        router.until("another agent announces", lambda status: announces(
            status) and status["processes"]["agent"] != agent)
    finally:
        hidden.rename(key)


def refusal(status: dict) -> str:
    """Why the last reload was refused; empty if it was taken."""
    return next((each for each in status["warnings"] if "reload was refused" in each), "")


@pytest.mark.parametrize("at", ["/tls/roots", "/certificate/acme/roots"])
def test_roots_that_trust_nobody_are_refused_and_the_old_ones_stay(home: Home, at: str) -> None:
    router = home.router
    host = home.host()
    host.join()
    roots = router.folder / "roots.pem"
    roots.write_text("what a download left here\n")
    if at == "/tls/roots":
        router.configure(tls={"roots": str(roots)})
    else:
        changed = router.config()["certificate"]
        changed["acme"]["roots"] = str(roots)
        router.configure(certificate=changed)
    checked = router.command("check").stdout
    assert f"#{at}: expected" in checked and "reload would be refused" in checked, checked
    router.reload_porchlight()
    try:
        status = router.until("the refusal is told", refusal)
        assert f"{router.config_file}#{at}: expected" in refusal(status), refusal(status)
        assert str(roots) in refusal(status) and announces(status)
        # A name that no cache holds: the upstream is still trusted.
        assert host.kdig(f"{at.count('/')}.fresh.example.org", LAN4, ADN).status != "SERVFAIL"
        assert home.router.porchlight
        assert "the forwarder refuses" not in home.router.porchlight.said()
    finally:
        router.configure()
        router.reload_porchlight()
        router.until("nothing is refused any more", lambda status: not refusal(status))


def hold(router: Router, kind: str, address: str, port: int) -> Program:
    """A daemon of somebody else's that shares its port with nobody."""
    holder = router.ns.start(
        f"holder of {port}", sys.executable, "-c", "import socket, time; "
        f"s = socket.socket(socket.AF_INET, socket.{kind}); s.bind(('{address}', {port})); "
        "print('holds', flush=True); time.sleep(300)")
    eventually("the port is held", lambda: "holds" in holder.said())
    return holder


def test_a_reload_to_a_port_that_is_held_keeps_the_old_one(home: Home) -> None:
    router = home.router
    host = home.host("steady")
    host.join()
    holder = hold(router, "SOCK_STREAM", "0.0.0.0", 8853)
    before = router.until_announced()
    try:
        with host.dot_connection(LAN4, ADN) as connection:
            router.configure(resolver={"adn": ADN, "dot": {"port": 8853}})
            router.reload_porchlight()
            status = router.until("the refusal is told", refusal)
            assert "cannot serve DNS over TLS on br-lan" in refusal(status), refusal(status)
            assert "8853" in refusal(status) and announces(status)
            assert status["plan"] == before["plan"] and status["cannot"] == before["cannot"]
            assert "853" in router.ruleset() and "8853" not in router.ruleset()
            dns.query.send_tcp(connection, dns.message.make_query("www.example.org", "A"))
            answer, _ = dns.query.receive_tcp(connection)
            assert addresses(answer) == ["198.51.100.81"]
        assert host.kdig("www.example.org", LAN4, ADN).status == "NOERROR"
    finally:
        holder.stop()
    try:
        router.reload_porchlight()
        router.until("the reload is taken", lambda status: not refusal(status))
        eventually("the new port is served", lambda: host.kdig(
            "www.example.org", LAN4, ADN, port=8853).status == "NOERROR")
        assert "8853" in router.ruleset() and "{ 853 }" not in router.ruleset()
    finally:
        router.configure()
        router.reload_porchlight()
        router.until_announced(within_s=60)


def test_a_reload_to_a_companion_s_port_that_is_held_keeps_the_old_one(home: Home) -> None:
    router = home.router
    host = home.host("older")
    host.join()
    holder = hold(router, "SOCK_DGRAM", "127.0.0.1", 5399)
    try:
        router.configure(do53={"addresses": ["127.0.0.1", "::1"], "port": 5399})
        router.reload_porchlight()
        status = router.until("the refusal is told", refusal)
        assert "cannot serve the companion on 127.0.0.1" in refusal(status), refusal(status)
        assert announces(status)
        assert host.kdig("www.example.org", LAN4, ADN).status == "NOERROR"
        assert "5399" not in (router.runtime / "dnsmasq/servers").read_text()
    finally:
        holder.stop()
        router.configure()
        router.reload_porchlight()
        router.until("nothing is refused any more", lambda status: not refusal(status))


def test_a_port_that_another_daemon_held_at_the_start_is_served_once_it_is_free() -> None:
    with Home() as home:
        router = home.router
        holder = hold(router, "SOCK_STREAM", "0.0.0.0", 853)

        def hindered(status: dict) -> bool:
            return any("serve DNS over TLS on br-lan" in each and "853" in each
                       for each in status["cannot"])

        router.start_porchlight()
        host = home.host("late")
        try:
            router.until("what can't be served is told", hindered)
            # What is not served can't be lost: this reload is taken.
            router.configure(lan=[{"interface": "br-lan"}, {"interface": "br-guest"}])
            router.reload_porchlight()
            status = router.until("the link is known", lambda status: any(
                link["link"] == "br-guest" for link in status["plan"]))
            assert not refusal(status) and hindered(status)
        finally:
            holder.stop()
        router.until("the port is served", lambda status: not hindered(status))
        router.until_announced(within_s=60)
        host.join()
        assert host.kdig("www.example.org", LAN4, ADN).status == "NOERROR"
        assert router.porchlight
        assert router.porchlight.said().count("cannot serve DNS over TLS on br-lan") == 1


def test_a_loopback_address_that_comes_later_is_served() -> None:
    with Home() as home:
        router = home.router
        router.ns.ip("addr del ::1/128 dev lo")
        router.start_porchlight()
        status = router.until_announced()
        assert not any("companion" in each for each in status["cannot"])
        asked = ("kdig", "+time=1", "+retry=0", "@::1", "-p", "5453", "www.example.org")
        assert "NOERROR" not in router.ns.run(*asked, check=False).stdout
        router.ns.ip("addr add ::1/128 dev lo")
        eventually("::1 is served", lambda: "NOERROR" in router.ns.run(
            *asked, check=False).stdout, within_s=60, every_s=1)


def test_a_firewall_rule_that_somebody_flushed_is_loaded_again(home: Home) -> None:
    router = home.router
    assert router.porchlight
    before = router.ruleset()
    assert "table inet porchlight" in before
    router.ns.run("nft", "flush", "ruleset")
    eventually("the rule stands again", lambda: "table inet porchlight" in router.ruleset(),
               within_s=120, every_s=1)
    router.until("status says so", lambda status: status["firewall"])
    assert router.porchlight.said().count("the firewall rule is gone") == 1


def test_what_can_t_be_stored_is_told_until_it_can(home: Home) -> None:
    router = home.router
    # A directory in the file's place: not even root can write there.
    stored = router.runtime / "announced"
    stored.unlink()
    (stored / "full").mkdir(parents=True)

    def told(status: dict) -> bool:
        return any("cannot remember what is announced" in each for each in status["warnings"])

    there = {"adn": ADN, "dot": {"port": 8853}}
    try:
        router.configure(resolver=there)
        router.reload_porchlight()
        router.until("the trouble is told", told, within_s=60)
        # A reload that has nothing to do with it.
        upstream = router.config()["upstream"]
        upstream[0]["addresses"] = upstream[0]["addresses"][:1]
        router.configure(resolver=there, upstream=upstream)
        router.reload_porchlight()
        router.until("one upstream is left", lambda status: len(status["upstreams"]) == 1)
        assert told(router.status())
    finally:
        (stored / "full").rmdir()
        stored.rmdir()
        router.configure()
        router.reload_porchlight()
    router.until("it is stored, and told no more", lambda status: not told(status), within_s=60)


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


def test_check_points_at_servers_that_dnsmasq_asks_by_itself(home: Home) -> None:
    router = home.router
    assert "in clear text" not in router.command("check").stdout + router.command("check").stderr
    with (router.folder / "dnsmasq.conf").open("a") as conf:
        conf.write("server=/corp.example/192.0.2.8\nserver=192.0.2.77\n")
    router.restart_dnsmasq()
    done = router.command("check")
    said = done.stdout + done.stderr
    assert "dnsmasq asks 192.0.2.77 by its own configuration" in said, said
    assert "192.0.2.8 " not in said, "a server for some names alone is the user's affair"
