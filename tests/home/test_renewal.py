"""Certificates come and go under connections that stay."""

from __future__ import annotations

import time
from typing import Iterator

import dns.message
import dns.query
import pytest

from lab import Home
from lab.host import addresses
from lab.isp import ADN
from lab.router import LAN4, announces

LIFE_S = 60


@pytest.fixture
def home() -> Iterator[Home]:
    with Home(certificate_life_s=LIFE_S) as home:
        home.router.start_porchlight()
        home.router.until_announced()
        yield home


@pytest.mark.slow
def test_a_renewed_certificate_is_taken_and_no_connection_is_dropped(home: Home) -> None:
    host = home.host()
    host.join()
    first = home.router.status()["certificate"]
    with host.dot_connection(LAN4, ADN) as connection:
        serial = connection.getpeercert()["serialNumber"]
        renewed = None
        end = time.monotonic() + 1.5 * LIFE_S
        while time.monotonic() < end and not renewed:
            dns.query.send_tcp(connection, dns.message.make_query("www.example.org", "A"))
            answer, _ = dns.query.receive_tcp(connection)
            assert addresses(answer) == ["198.51.100.81"]
            status = home.router.status()
            assert announces(status), status
            if status["certificate"]["not_after"] != first["not_after"]:
                renewed = status["certificate"]
            time.sleep(0.5)
        assert renewed, "the certificate was not renewed in its lifetime"
        with host.dot_connection(LAN4, ADN) as another:
            assert another.getpeercert()["serialNumber"] != serial
        dns.query.send_tcp(connection, dns.message.make_query("diary.example.org", "A"))
        answer, _ = dns.query.receive_tcp(connection)
        assert addresses(answer) == ["198.51.100.82"]
