"""Ten thousand clients that stay and say nothing: what each costs, and that all are there. Loopback
only, no privilege but as many open files."""

from __future__ import annotations

import resource
import ssl
from pathlib import Path

import pytest

from forwarders import Client, Forwarder, limit, query

CLIENTS = 10_000
SPARE_FILES = 200
# Of a TLS 1.3 connection that idles; the kernel's part of the socket is not in it.
KIB_MAX = 16


@pytest.fixture
def many_files():
    """As many as the clients need here, and the forwarder, which inherits it, for its side."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENTS + SPARE_FILES
    if before[1] < wanted:
        pytest.skip(f"no more than {before[1]} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], wanted), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def forwarder(many_files, forwarder):
    return forwarder


class Idlers:
    """Each asks once, then says nothing."""

    def __init__(self, forwarder: Forwarder, roots: Path) -> None:
        self._port, self._roots = forwarder.dot, roots
        self._context = ssl.create_default_context(cafile=str(roots))
        self.open: list[Client] = []

    def grow_to(self, count: int) -> None:
        while len(self.open) < count:
            # An address has ports for 28,000; none has to have them free.
            source = f"127.0.1.{1 + len(self.open) % 200}"
            self.open.append(Client(self._port, self._roots, source, context=self._context))
            self.open[-1].ask(query("idle.example."))

    def close(self) -> None:
        for one in self.open:
            one.tls.close()


@pytest.mark.memory
def test_ten_thousand_idle_clients_cost_what_a_few_cost_each(forwarder, ca):
    limit(forwarder, memory_mib=1024, connections_max=2 * CLIENTS, connections_per_client_max=2 * CLIENTS,
          full_handshakes_per_client_second=10**6, full_handshakes_per_client_burst=10**6,
          idle_max=3600 * 1000)
    idlers = Idlers(forwarder, ca.roots)
    try:
        idlers.grow_to(500)  # what is made once is made
        before = forwarder.resident_kib()
        idlers.grow_to(2500)
        some = forwarder.resident_kib()
        idlers.grow_to(CLIENTS)
        all_of_them = forwarder.resident_kib()
        assert forwarder.status()["connections"] == CLIENTS
        # Each is still served, the first as well as the last.
        for one in (idlers.open[0], idlers.open[CLIENTS // 2], idlers.open[-1]):
            one.ask(query("idle.example."))
        if not forwarder.is_sanitized():
            each_of_some = (some - before) / 2000
            each = (all_of_them - before) / (CLIENTS - 500)
            assert each <= KIB_MAX, f"{each:.1f} KiB each"
            assert each <= 1.1 * each_of_some, f"{each:.1f} KiB of many, {each_of_some:.1f} of few"
    finally:
        idlers.close()
