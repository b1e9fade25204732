"""How much may be asked in plain DNS, where dnsmasq asks for all. Loopback only, no privilege."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import subprocess
import time

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.update
import pytest

from forwarders import Forwarder, free_ports, limit, query
from upstreams import eventually, framed, read_frame

BURST, FLOOD = 20, 200
LITTLE = {"do53_queries_per_second": 1, "do53_queries_burst": BURST}
PROHIBITED = 18


def known(forwarder: Forwarder) -> dns.message.Message:
    """A question to which the cache has the answer."""
    asked = query("www.example.")
    assert dns.query.udp(asked, "127.0.0.1", port=forwarder.do53, timeout=10).answer
    return asked


def flood(forwarder: Forwarder, asked: dns.message.Message,
          count: int = FLOOD) -> list[dns.message.Message]:
    """What comes back of many datagrams at once, once all were looked at."""
    before = forwarder.status()["do53_queries"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", forwarder.do53))
        for id_ in range(count):
            client.send(id_.to_bytes(2, "big") + asked.to_wire()[2:])
        eventually("all are looked at",
                   lambda: forwarder.status()["do53_queries"] == before + count)
        answers = []
        client.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                answers.append(dns.message.from_wire(client.recv(4096)))
    return answers


def test_a_flood_of_datagrams_is_answered_then_sent_to_tcp_then_dropped(forwarder):
    asked = known(forwarder)
    limit(forwarder, **LITTLE)
    began = time.monotonic()
    answers = flood(forwarder, asked)
    more = time.monotonic() - began + 1  # one a second comes back
    whole = [one for one in answers if one.answer]
    cut = [one for one in answers if one.flags & dns.flags.TC]
    assert BURST - 1 <= len(whole) <= BURST + more  # one was asked before
    assert BURST <= len(cut) <= BURST + more
    assert len(whole) + len(cut) == len(answers) < FLOOD
    assert all(not one.answer and one.rcode() == dns.rcode.NOERROR and one.question == asked.question
               for one in cut)
    counted = forwarder.status()
    assert counted["do53_truncated"] == len(cut)
    assert counted["do53_dropped"] == FLOOD - len(answers)
    assert counted["limit_queries_do53"] == FLOOD - len(whole)


def test_beneath_the_rate_all_of_them_are_answered(forwarder):
    """The control: the same flood, by the limits as they are."""
    answers = flood(forwarder, known(forwarder))
    assert len(answers) == FLOOD and all(one.answer for one in answers)
    counted = forwarder.status()
    assert counted["limit_queries_do53"] == counted["do53_truncated"] == counted["do53_dropped"] == 0


def test_beyond_the_rate_what_is_no_question_is_told_so_and_not_sent_to_tcp(forwarder):
    """TC would tell who sends an update that it was done."""
    limit(forwarder, **LITTLE)
    flood(forwarder, known(forwarder), BURST)
    update = dns.update.UpdateMessage("example.")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(update.to_wire(), ("127.0.0.1", forwarder.do53))
        wire = client.recv(4096)
    assert wire[3] & 15 == dns.rcode.NOTIMP and wire[2] & 2 == 0
    assert forwarder.status()["do53_truncated"] > 0, "the control: it was over the rate"


def test_over_tcp_there_is_a_rate_of_its_own_and_an_end(forwarder):
    asked = known(forwarder)
    limit(forwarder, **LITTLE)
    flood(forwarder, asked)
    # Of one who was told to come by TCP.
    assert dns.query.tcp(asked, "127.0.0.1", port=forwarder.do53, timeout=10).answer
    asked = query("www.example.", use_edns=0)
    with socket.create_connection(("127.0.0.1", forwarder.do53), timeout=10) as client:
        client.sendall(framed(asked.to_wire()) * FLOOD)
        answers = []
        with contextlib.suppress(ConnectionResetError):  # what it sent more is not read
            while (wire := read_frame(client)) is not None:
                answers.append(dns.message.from_wire(wire))
    *served, last = answers
    assert BURST - 2 <= len(served) < FLOOD and all(one.answer for one in served)
    assert last.rcode() == dns.rcode.REFUSED
    assert [int(one.code) for one in last.options if isinstance(one, dns.edns.EDEOption)] == \
        [PROHIBITED]
    assert forwarder.status()["queries_refused"] == 1


@pytest.fixture
def dnsmasq(forwarder, tmp_path):
    """Asks the forwarder, and keeps nothing."""
    [port] = free_ports(1)
    process = subprocess.Popen(
        ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", f"--port={port}",
         "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts",
         "--cache-size=0", f"--server=127.0.0.1#{forwarder.do53}", f"--user={pwd.getpwuid(os.getuid()).pw_name}",
         f"--pid-file={tmp_path}/pid"])
    yield port
    process.terminate()
    process.wait(10)


def test_whoever_asks_dnsmasq_goes_on_by_tcp_while_somebody_floods(forwarder, dnsmasq):
    def ask() -> str:
        said = subprocess.run(["kdig", "@127.0.0.1", "-p", str(dnsmasq), "www.example", "A"],
                              capture_output=True, text=True, timeout=60).stdout
        return "".join(way for way in ("(UDP)", "(TCP)") if way in said and "192.0.2.7" in said)

    eventually("dnsmasq answers", lambda: ask() == "(UDP)")  # the control
    limit(forwarder, **LITTLE)
    flood(forwarder, query("www.example."), BURST)

    def goes_on() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            for _ in range(2):  # they take what came back meanwhile
                other.sendto(query("www.example.").to_wire(), ("127.0.0.1", forwarder.do53))
        return ask() == "(TCP)"

    eventually("he is sent to TCP, and answered", goes_on)
