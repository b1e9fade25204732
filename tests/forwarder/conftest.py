"""A forwarder between an upstream that behaves as told and clients of every kind."""

from __future__ import annotations

import contextlib
import subprocess

import pytest

from forwarders import NAME, Client, Forwarder, Resolver
from upstreams import ADN, Authority, DotServer


@pytest.fixture(scope="module")
def ca(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def identity(ca):
    return ca.issue(NAME)


@pytest.fixture(autouse=True)
def no_sanitizer_speaks():
    """Whoever made the forwarder, and wherever his test ended."""
    Forwarder.begun.clear()
    yield
    for forwarder in Forwarder.begun:
        with contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired):
            forwarder.end()
        said = forwarder.log.read_text(errors="replace")
        assert "Sanitizer" not in said and "runtime error:" not in said, said


@pytest.fixture
def resolver() -> Resolver:
    return Resolver()


@pytest.fixture
def upstream(ca, resolver):
    server = DotServer(ca.issue(ADN), resolver)
    yield server
    resolver.go.set()
    server.stop()


@pytest.fixture
def forwarder(tmp_path, ca, identity, upstream):
    forwarder = Forwarder(tmp_path / "forwarder.log")
    assert forwarder.tell(f"identity {identity[0]} {identity[1]}",
                          f"upstream {ADN} {upstream.endpoint}", f"roots {ca.roots}",
                          "path /dns-query", "path /tv", "apply") == "ok"
    yield forwarder
    assert forwarder.end() == 0, (tmp_path / "forwarder.log").read_text()


@pytest.fixture
def connect(forwarder, ca):
    clients = []

    def connection(**options) -> Client:
        clients.append(Client(forwarder.dot, ca.roots, **options))
        return clients[-1]

    yield connection
    for client in clients:
        client.tls.close()
