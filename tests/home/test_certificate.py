"""How the router comes by its certificate."""

from __future__ import annotations

import copy
import subprocess
from typing import Iterator

import pytest

from lab import Home
from lab.isp import ADN, DIRECTORY
from lab.router import LAN4


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


def acme(home: Home, **changes: object) -> dict:
    certificate = copy.deepcopy(home.router.config()["certificate"])
    certificate["acme"].update(changes)
    return certificate


def test_it_is_an_ecdsa_p256_certificate_for_the_name_alone(home: Home) -> None:
    home.router.start_porchlight()
    home.router.until_announced()
    host = home.host()
    host.join()
    shown = host.ns.run("openssl", "s_client", "-connect", f"{LAN4}:853", "-servername", ADN,
                        "-CAfile", str(home.trust), "-verify_hostname", ADN, "-alpn", "dot",
                        check=False)
    assert "Verification: OK" in shown.stdout, shown.stdout
    assert "Verified peername: " + ADN in shown.stdout, shown.stdout
    leaf = subprocess.run(["openssl", "x509", "-noout", "-text"], input=shown.stdout,
                          capture_output=True, text=True, timeout=10).stdout
    assert "prime256v1" in leaf and leaf.count("DNS:") == 1 and f"DNS:{ADN}" in leaf, leaf


def test_directories_are_tried_in_order(home: Home) -> None:
    home.router.configure(certificate=acme(
        home, directory=["https://ca.isp.test:14999/dir", DIRECTORY]))
    home.router.start_porchlight()
    home.router.until_announced(within_s=60)


def test_an_update_with_a_wrong_key_is_refused_and_said(home: Home) -> None:
    router = home.router
    key = router.folder / "tsig.key"
    good = key.read_text()
    key.write_text("d3Jvbmcga2V5IHdyb25nIGtleSB3cm9uZyBrZXkgISE=\n")
    router.start_porchlight()
    status = router.until("the refusal is told",
                          lambda status: "last_error" in status["certificate"])
    error = status["certificate"]["last_error"]
    assert error["code"].startswith("dns-update."), error
    assert error["text"] in router.command("status").stdout
    assert not status["announced"]["dhcpv4"]
    key.write_text(good)
    router.reload_porchlight()
    router.until_announced(within_s=90)


def test_the_challenge_record_is_taken_away_again(home: Home) -> None:
    home.router.start_porchlight()
    home.router.until_announced()
    host = home.host()
    host.join()
    answer = host.ask_clear(f"_acme-challenge.{ADN}", "192.0.2.1", "TXT")
    assert answer.answer == [], answer


def test_key_and_account_are_for_nobody_else_to_read(home: Home) -> None:
    home.router.start_porchlight()
    home.router.until_announced()
    secret = [path for path in home.router.state.rglob("*")
              if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert secret, "the control: a key is stored somewhere"
    for path in secret:
        readable = [each for each in (path, *path.parents) if each.stat().st_mode & 0o077 == 0]
        assert readable, f"{path} can be read by others"
