"""Metrics: what `porchlight metrics` prints is what Prometheus reads, and what `status` says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from typing import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lab import Home, rogue
from lab.host import Host
from lab.isp import ADN, RESOLVER_ADN
from lab.namespace import Namespace
from lab.program import eventually
from lab.router import LAN4, LAN6, ROOT, WAN4, Router

Samples = dict[str, float]


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with Home() as home:
        home.router.start_porchlight()
        home.router.until_announced()
        home.host("host").join()
        home.host("stranger")
        yield home


@pytest.fixture
def host(home: Home) -> Host:
    return home.hosts[0]


@pytest.fixture
def stranger(home: Home) -> Host:
    return home.hosts[1]


def samples(text: str) -> Samples:
    """By name with labels, as somebody writes them in a rule."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type in ("counter", "gauge"), family
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sample.labels.items())
            name = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert name not in found, "each series stands there once"
            found[name] = sample.value
    return found


def metrics(router: Router) -> Samples:
    """Whole: a forwarder that takes a second to answer is left out of them."""
    def whole() -> Samples | None:
        found = samples(router.command("metrics").stdout)
        return found if found["porchlight_forwarder_up"] else None

    return eventually("the forwarder answers in time", whole, within_s=30)


def counters(found: Samples) -> Samples:
    return {name: value for name, value in found.items() if "_total" in name}


def test_what_it_prints_is_what_status_says(home: Home, host: Host) -> None:
    router = home.router
    for _ in range(3):
        assert host.ask("www.example.org", LAN4, ADN).answer
    before = router.status()
    found = metrics(router)
    after = router.status()
    # The router's probes go on all the while.
    for name, counter in (('porchlight_queries_total{transport="dot",proto="tcp"}', "dot_queries"),
                          ("porchlight_cache_hits_total", "cache_hits"),
                          ("porchlight_cache_misses_total", "cache_misses"),
                          ("porchlight_own_answers_total", "own_answers"),
                          ("porchlight_upstream_questions_total", "upstream_questions")):
        assert before["counters"][counter] <= found[name] <= after["counters"][counter], name
    assert found['porchlight_queries_total{transport="dot",proto="tcp"}'] >= 3
    assert found[f'porchlight_upstream_up{{upstream="{RESOLVER_ADN}"}}'] == 1
    handshakes = [found[f'porchlight_tls_handshakes_total{{result="{result}"}}']
                  for result in ("full", "resumed")]
    assert sum(handshakes) >= before["counters"]["dot_handshakes"]
    for channel in ("dhcpv4", "dhcpv6", "ra", "ddr"):
        assert found[f'porchlight_dnr_announced{{channel="{channel}"}}'] == 1
    assert found['porchlight_gate_open{interface="br-lan",port="853"}'] == 1
    assert found["porchlight_certificate_fit"] == found["porchlight_clock_trusted"] == 1
    left_s = (found["porchlight_certificate_not_after_timestamp_seconds"]
              - found["porchlight_acme_next_attempt_timestamp_seconds"])
    assert left_s > 0
    assert found['porchlight_acme_attempts_total{result="success"}'] == 1
    assert found[f'porchlight_build_info{{version="{before["version"]}"}}'] == 1
    assert found["porchlight_config_last_reload_successful"] == 1
    assert not any("porchlight_forwarder_events_total" in name for name in found), (
        "each counter has a name of its own")


def test_no_host_is_in_it(home: Home, host: Host, stranger: Host) -> None:
    text = home.router.command("metrics").stdout
    assert "br-lan" in text, "the control: this is how a name is seen"
    for of in (host, stranger):
        assert of.mac() not in text
    assert "192.168.77." not in text and "fd77:" not in text


def test_each_name_is_described(home: Home) -> None:
    described = set(re.findall(r"`(porchlight_[a-z0-9_]+)`",
                               (ROOT / "docs/metrics.md").read_text()))
    printed = {re.split("[{]", name)[0] for name in metrics(home.router)}
    assert printed <= described
    # Which stands there where there is something to tell of.
    assert described - printed <= {"porchlight_forwarder_events_total",
                                   "porchlight_staple_until_timestamp_seconds"}


def test_a_rogue_raises_its_counter(home: Home, stranger: Host) -> None:
    router = home.router
    name = ('porchlight_guard_rogue_messages_total'
            '{kind="router_advertisement",names_a_resolver="true"}')
    before = metrics(router)
    assert before[name] == 0 and before['porchlight_guard_rogues{threat="resolver"}'] == 0
    radvd = rogue.radvd(stranger)
    eventually("it is counted", lambda: metrics(router)[name] > 0, within_s=20)
    radvd.stop()
    found = metrics(router)
    assert found['porchlight_guard_rogues{threat="resolver"}'] == 1
    said = router.status()["guard"]["counters"]["by_kind"]["router_advertisement"]
    assert said["naming_a_resolver"] >= found[name]
    text = router.command("metrics").stdout
    assert stranger.mac() not in text and rogue.RESOLVER6 not in text


def test_a_refused_reload_is_seen_and_the_next_good_one(home: Home) -> None:
    router = home.router
    name = "porchlight_config_last_reload_successful"
    router.configure(workers=2)  # which changes by a restart alone
    router.reload_porchlight()
    eventually("it is refused", lambda: metrics(router)[name] == 0)
    router.configure()
    router.reload_porchlight()
    eventually("it is taken", lambda: metrics(router)[name] == 1)


def test_counters_go_on_when_the_forwarder_is_started_again(home: Home, host: Host) -> None:
    router = home.router
    name = 'porchlight_queries_total{transport="dot",proto="tcp"}'
    starts = 'porchlight_process_starts_total{process="forwarder"}'
    assert host.ask("www.example.org", LAN4, ADN).answer
    before = metrics(router)
    os.kill(router.status()["processes"]["forwarder"], signal.SIGKILL)
    eventually("another one serves",
               lambda: metrics(router)[starts] == before[starts] + 1, within_s=30)
    eventually("and is asked", lambda: host.kdig("www.example.org", LAN4, ADN).status == "NOERROR")
    eventually("which is counted", lambda: metrics(router)[name] > before[name])
    after = metrics(router)
    fallen = {one: (value, after.get(one)) for one, value in counters(before).items()
              if after.get(one, -1) < value}
    assert not fallen
    assert after[name] <= router.status()["counters"]["dot_queries"]


# By HTTP.


def serve(router: Router, *listen: str) -> None:
    router.configure(metrics={"listen": list(listen)})
    router.reload_porchlight()


def curl(from_: Namespace, *arguments: str) -> subprocess.CompletedProcess[str]:
    return from_.run("curl", "-sS", "--max-time", "8", *arguments, check=False)


def scraped(from_: Namespace, url: str) -> str:
    """Once there is an answer."""
    return eventually("it is served", lambda: curl(from_, "-f", url).stdout)


def status_of(from_: Namespace, url: str, *arguments: str) -> int:
    return int(curl(from_, "-o", "/dev/null", "-w", "%{http_code}", *arguments, url).stdout)


def test_what_is_served_is_what_the_command_prints(home: Home) -> None:
    router = home.router
    url = "http://127.0.0.1:9853/metrics"
    assert curl(router.ns, url).returncode == 7, "nothing listens unless it shall"
    serve(router, "127.0.0.1", "[::1]:9900")
    for at in (url, "http://[::1]:9900/metrics"):
        eventually("the same is told", lambda at=at: (
            samples(scraped(router.ns, at)).keys() == metrics(router).keys()))
    head = curl(router.ns, "-I", url).stdout
    assert "text/plain; version=0.0.4" in head and "Content-Length: " in head
    assert "porchlight_" not in head
    assert "porchlight_" in scraped(router.ns, "http://localhost:9853/metrics")


def test_it_says_no_to_everything_else(home: Home) -> None:
    router = home.router
    serve(router, "127.0.0.1")
    scraped(router.ns, url := "http://127.0.0.1:9853/metrics")
    assert status_of(router.ns, url) == 200, "the control"
    assert status_of(router.ns, "http://127.0.0.1:9853/") == 404
    assert status_of(router.ns, url, "-d", "x" * 5000) == 405
    assert status_of(router.ns, url, "-H", "Host: rebound.example:9853") == 421
    assert status_of(router.ns, url, "-H", "X: " + "x" * 9000) == 431


def test_few_connections_at_once_and_none_for_long(home: Home) -> None:
    router = home.router
    serve(router, "127.0.0.1")
    scraped(router.ns, url := "http://127.0.0.1:9853/metrics")
    begun = time.monotonic()
    with router.ns.entered():
        idle = [socket.create_connection(("127.0.0.1", 9853), timeout=20) for _ in range(8)]
    waited = curl(router.ns, "--max-time", "20", url)
    assert "porchlight_" in waited.stdout
    assert time.monotonic() - begun >= 4.9, "the first of them had to go before"
    for each in idle:
        assert each.recv(1) == b"", "closed without an answer"
        each.close()


def test_the_home_may_ask_where_it_shall_and_the_wan_may_not(home: Home, host: Host) -> None:
    router = home.router
    checked = router.command("check", check=False)
    assert "/metrics" not in checked.stdout + checked.stderr
    serve(router, f"{LAN4}:9853", f"[{LAN6}]:9853", f"{WAN4}:9853")
    assert "porchlight_" in scraped(host.ns, f"http://{LAN4}:9853/metrics")
    assert "porchlight_" in scraped(host.ns, f"http://[{LAN6}]:9853/metrics")
    for address in (LAN4, WAN4):
        asked = curl(home.isp.ns, "--connect-timeout", "2", f"http://{address}:9853/metrics")
        assert asked.returncode in (7, 28) and not asked.stdout, "refused, or silence"
    assert status_of(host.ns, f"http://{WAN4}:9853/metrics", "--connect-timeout", "2") == 0
    said = f"{WAN4} is no address of this router on an interface of lan"
    checked = router.command("check", check=False)
    assert said in checked.stdout + checked.stderr
    assert any(said in line for line in router.status()["cannot"])
    # The control: the ISP can reach both addresses, where something else listens at them.
    for address, port in ((WAN4, 9853), (LAN4, 9854)):
        with router.ns.entered(), socket.create_server((address, port)):
            assert home.isp.ns.accepts(address, port)
