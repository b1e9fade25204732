"""What hosts are shown of the router's certificate beside it: that it is not revoked (OCSP, RFC 6066 section 8),
from `openssl ocsp` as responder to `openssl s_client` as host; and what is said where that is not to be had."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from lab import Home
from lab.authority import Authority
from lab.host import Host
from lab.isp import ADN
from lab.program import eventually
from lab.router import LAN4

PORT = 2560
RESPONDER = f"http://ocsp.isp.test:{PORT}/"
GOOD, NONE = "Cert Status: good", "OCSP response: no response sent"


@pytest.fixture
def home() -> Iterator[Home]:
    with Home() as home:
        yield home


def shown(home: Home, host: Host) -> str:
    """What a host sees of a staple; its handshake is good in any case."""
    said = host.ns.run("openssl", "s_client", "-connect", f"{LAN4}:853", "-servername", ADN,
                       "-CAfile", str(home.trust), "-verify_return_error", "-status", "-alpn",
                       "dot", check=False).stdout
    assert "Verify return code: 0 (ok)" in said, said
    assert (GOOD in said) != (NONE in said), said
    return GOOD if GOOD in said else NONE


def files(pair: tuple[Path, Path]) -> dict:
    return {"files": {"chain": str(pair[0]), "key": str(pair[1])}}


def test_the_responders_word_is_shown_as_long_as_it_holds_and_had_again(home: Home) -> None:
    router = home.router
    leaf = home.internet.leaf(ADN, file="stapled", responder=RESPONDER, must_staple=True)
    responder = home.isp.ns.start("ocsp", *home.internet.responder(leaf[0], PORT))
    # Not by connecting: who says nothing keeps it waiting for ever.
    eventually("the responder listens", lambda: f":{PORT} " in home.isp.ns.run("ss", "-ltn").stdout)
    router.configure(certificate=files(leaf))
    router.start_porchlight()
    status = router.until("the responder was heard",
                          lambda status: "until" in status["certificate"]["staple"])
    assert status["certificate"]["staple"]["responder"] == RESPONDER
    assert status["certificate"]["remarks"] == []
    router.until_announced()
    host = home.host()
    host.join()
    eventually("hosts are shown it", lambda: shown(home, host) == GOOD, every_s=1)

    # It holds for a minute, so it is had again after half of one.
    router.until("it is had again",
                 lambda status: status["certificate"]["staple"]["fetches"]["succeeded"] >= 2)
    assert shown(home, host) == GOOD
    responder.stop()
    status = router.until("its silence is told",
                          lambda status: "last_error" in status["certificate"]["staple"])
    assert status["certificate"]["staple"]["fetches"]["failed"] >= 1
    assert "failed last time" in router.command("status").stdout
    eventually("what is over is not shown", lambda: shown(home, host) == NONE, within_s=120,
               every_s=1)  # a host may not shake hands in full much oftener
    status = router.until("that is told", lambda status: status["certificate"]["remarks"] != [])
    assert "demands a staple" in status["certificate"]["remarks"][0], status
    assert host.ask("www.example.org", LAN4, ADN).answer  # nobody goes without answers for that

    # Another certificate has nothing of it.
    plain = home.internet.leaf(ADN, file="plain")
    router.configure(certificate=files(plain))
    router.reload_and_wait()
    status = router.until("the other is served", lambda status: "responder" not in
                          status["certificate"]["staple"])
    assert status["certificate"]["staple"]["required"] is False
    assert shown(home, host) == NONE


def test_check_tells_what_hosts_will_miss(home: Home) -> None:
    router = home.router

    def check(pair: tuple[Path, Path]) -> str:
        router.configure(certificate=files(pair))
        return router.command("check").stdout

    good = check(home.internet.leaf(ADN, file="good", responder=RESPONDER, must_staple=True))
    assert "#/certificate/files" not in good, good
    demanding = check(home.internet.leaf(ADN, file="demanding", must_staple=True))
    assert "#/certificate/files: it demands a staple (RFC 7633) and names no responder" in \
        demanding, demanding
    stranger = Authority(router.folder / "stranger", "A root that nobody knows")
    unknown = check(stranger.leaf(ADN, file="unknown"))
    assert "#/certificate/files: the chain ends with a certificate of CN=A root that nobody knows" \
        in unknown, unknown
    # What does not follow from each other refuses the swap.
    mixed = home.internet.leaf(ADN, file="mixed")
    with mixed[0].open("ab") as chain:
        chain.write(stranger.root.read_bytes())
    text = check(mixed)
    assert "certificate 1 of the chain is not signed by the next; that of its issuer, " \
           "CN=A test internet's root, is not there; a reload would be refused" in text, text
