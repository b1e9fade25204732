"""A host is one client, whatever it does to be many, and harms itself alone."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import statistics
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import dns.message
import dns.query

from lab import Home
from lab.host import Host
from lab.isp import ADN
from lab.program import eventually
from lab.router import LAN4, LAN6

CONNECTIONS = 32  # /limits/connections_per_client_max
TRIES = 3  # a busy machine may stall in one of them; what is not there does not show in the next
ADDRESSES = [f"fd77:77:77::bad:{number:x}" for number in range(1, 201)]


class Greedy:
    """A host that takes as many addresses of the home's /64 as it likes, opens a connection from
    each in turn, again and again, and keeps them busy."""

    def __init__(self, host: Host) -> None:
        self.host = host
        host.ns.ip(*(f"addr add {address}/64 dev eth0 nodad" for address in ADDRESSES))
        self.held: list[ssl.SSLSocket] = []
        self.opened = 0
        self._context = host.tls_context()

    @contextlib.contextmanager
    def at_it(self) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._run, args=[over], daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            for connection in self.held:
                connection.close()
            self.held = []

    def _run(self, over: threading.Event) -> None:
        while not over.is_set():
            for address in ADDRESSES:
                if over.is_set():
                    return
                with contextlib.suppress(OSError):
                    self.held.append(self._open(address))
                    self.opened += 1
                    if self.opened % 8 == 0:  # within its rate, or it would lose what it has
                        self.held = [one for one in self.held if _is_answered(one)]

    def _open(self, address: str) -> ssl.SSLSocket:
        with self.host.ns.entered():
            plain = socket.create_connection((LAN6, 853), timeout=2, source_address=(address, 0))
        return self._context.wrap_socket(plain, server_hostname=ADN)


def _is_answered(connection: ssl.SSLSocket) -> bool:
    query = dns.message.make_query("www.example.org", "A", use_edns=0)
    try:
        dns.query.send_tcp(connection, query)
        dns.query.receive_tcp(connection)
    except (OSError, EOFError):
        connection.close()
        return False
    return True


class Neighbour:
    """A host that asks now and then what is known, and looks how long it takes."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.asks: dict[bool, list[float]] = {False: [], True: []}  # on one connection, by flood
        self.opens: dict[bool, list[float]] = {False: [], True: []}  # from connecting to the answer

    def ask(self, flooded: bool, for_s: float) -> None:
        end = time.monotonic() + for_s
        with self.host.dot_connection(LAN6, ADN) as kept:
            assert _is_answered(kept)
            while time.monotonic() < end:
                begin = time.monotonic()
                with self.host.dot_connection(LAN6, ADN) as connection:
                    assert _is_answered(connection)
                self.opens[flooded].append(time.monotonic() - begin)
                for _ in range(25):
                    begin = time.monotonic()
                    assert _is_answered(kept)
                    self.asks[flooded].append(time.monotonic() - begin)
                    time.sleep(0.007)  # within its rate

    def is_harmed(self) -> bool:
        """Twice as slow, and more than a handshake and slices of time of those who flood explain,
        which have no processor of their own here."""
        handshake = statistics.median(self.opens[False])
        return any(_p99(times[True]) > 2 * _p99(times[False]) + 0.020 + 2 * handshake
                   for times in (self.asks, self.opens))


def _p99(times: list[float]) -> float:
    """Of less than 300 all but two count: this machine may stall."""
    return sorted(times)[min(int(len(times) * 0.99), len(times) - 3)]


def _resident_kib(home: Home) -> int:
    """Of all processes of the program."""
    return sum(int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0])
               for pid in home.router.programs())


def counted(status: dict[str, Any], limit: str) -> int:
    return status["counters"]["limit_" + limit]


def test_a_host_of_two_hundred_addresses_takes_no_more_than_one() -> None:
    with Home() as home:
        home.router.configure(limits={})  # as they are by themselves
        home.router.start_porchlight()
        home.router.until_announced()
        other, greedy = home.host(), Greedy(home.host("greedy"))
        other.join()

        def is_other_served() -> bool:
            return other.kdig("www.example.org", LAN6, ADN).status == "NOERROR"

        with greedy.at_it():
            until = time.monotonic() + 8
            while time.monotonic() < until:
                assert is_other_served()
                time.sleep(0.25)  # kdig shakes hands each time
            # Those of which the router did not know yet whose they are go as soon as it knows.
            status = home.router.until("it has its share", lambda status: CONNECTIONS / 2 < status[
                "forwarder"]["dot_connections"] <= CONNECTIONS)
        # How often depends on which of its limits it meets first.
        assert counted(status, "connections_client") + counted(status, "addresses_client") > 0
        assert status["forwarder"]["clients_today"] == 2
        # Whose addresses these are stands nowhere.
        said = home.router.command("status", "--json").stdout + home.router.porchlight.said()
        assert greedy.host.mac() not in said and "bad:" not in said

        # The same host where one may have more: it was not for want of trying.
        home.router.configure(limits={
            "connections_per_client_max": 600, "full_handshakes_per_client_burst": 10000,
            "full_handshakes_per_client_second": 1000})
        home.router.reload_and_wait()
        with greedy.at_it():
            home.router.until("it has more", lambda status: status["forwarder"][
                "dot_connections"] > CONNECTIONS + 8)
            assert is_other_served()


def test_a_host_of_two_hundred_addresses_harms_nobody_else() -> None:
    with Home() as home:
        home.router.configure(limits={})
        home.router.start_porchlight()
        home.router.until_announced()
        other, greedy = home.host(), Greedy(home.host("greedy"))
        other.join()
        before = 0
        for _ in range(TRIES):
            neighbour = Neighbour(other)
            for _ in range(4):
                neighbour.ask(flooded=False, for_s=1.5)
                with greedy.at_it():
                    neighbour.ask(flooded=True, for_s=1.5)
                before = before or _resident_kib(home)  # with what is kept to be used again
            if not neighbour.is_harmed():
                break
        else:
            raise AssertionError([(_p99(times[False]), _p99(times[True]))
                                  for times in (neighbour.asks, neighbour.opens)])
        status = home.router.status()
        assert counted(status, "connections_client") + counted(status, "addresses_client") > 20
        if "asan" not in os.environ.get("PORCHLIGHT", ""):  # which keeps what was freed
            assert _resident_kib(home) - before < 1024


def test_who_is_kept_out_is_named_by_nothing_and_let_in_again(home: Home) -> None:
    host = home.host()
    host.join()
    with contextlib.suppress(OSError), host.dot_connection(LAN4, ADN) as connection:
        query = dns.message.make_query("x" * 60 + ".example.org", "A").to_wire()
        for octet in len(query).to_bytes(2, "big") + query:
            connection.sendall(bytes([octet]))
            time.sleep(0.002)
    status = home.router.until("it is kept out", lambda status: status["forwarder"]["blocked"])
    [blocked] = status["forwarder"]["blocked"]
    assert 45 < blocked["seconds_left"] <= 60  # of a minute, on a machine that may stall
    assert blocked["client"] in home.router.command("status").stdout
    assert host.kdig("www.example.org", LAN4, ADN).status == ""
    assert counted(home.router.status(), "blocked") > 0

    home.router.command("unblock")
    eventually("it is let in", lambda: host.kdig("www.example.org", LAN4, ADN).status == "NOERROR")
    assert home.router.status()["forwarder"]["blocked"] == []
