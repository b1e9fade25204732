"""How a worker's look-up behaves toward its upstreams and its companion: real ones (unbound,
dnsmasq) and ones that misbehave on purpose. Loopback only, no privilege needed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import dns.edns
import dns.message
import dns.rcode
import pytest

from upstreams import (ADN, Authority, DotServer, Driver, answer_to, answers, eventually, framed,
                       is_silent)

SERVFAIL, NXDOMAIN = 2, 3
STALE, NO_REACHABLE_AUTHORITY, NETWORK_ERROR = 3, 22, 23

# What takes less took no time but that of a busy machine: less than a server is waited for before it is
# doubted, before a stale answer is given, before the next server's turn. In milliseconds.
DOUBTED, CLIENT_TIMER, SHARE = 1000, 1800, 3000


@pytest.fixture(scope="module")
def ca(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificate(ca):
    return ca.issue(ADN)


@pytest.fixture
def serve(certificate):
    servers = []

    def start(behave, with_certificate=certificate, port=0, **options) -> DotServer:
        servers.append(DotServer(with_certificate, behave, port, **options))
        return servers[-1]

    yield start
    for server in servers:
        try:
            server.stop()
        except OSError:
            pass  # the test stopped it


@pytest.fixture
def driver(tmp_path):
    driver = Driver(tmp_path / "driver.log")
    yield driver
    assert driver.end() == 0, (tmp_path / "driver.log").read_text()


def free_port(kind=socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nobody listens on {port}")


def run(program: str, folder: Path, *arguments: str) -> subprocess.Popen:
    """A daemon of the distribution, copied so that no profile for its own path confines it."""
    source = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin")
    binary = folder / program
    shutil.copy(source, binary)
    return subprocess.Popen([str(binary), *arguments], cwd=folder,
                            stdout=(folder / f"{program}.log").open("wb"),
                            stderr=subprocess.STDOUT)


@pytest.fixture
def unbound(tmp_path, certificate):
    port = free_port()
    (tmp_path / "unbound.conf").write_text(f"""
server:
    interface: 127.0.0.1@{port}
    tls-port: {port}
    tls-service-pem: "{certificate[0]}"
    tls-service-key: "{certificate[1]}"
    username: ""
    chroot: ""
    directory: "{tmp_path}"
    pidfile: ""
    use-syslog: no
    do-not-query-localhost: yes
    edns-tcp-keepalive: yes
    ede: yes
    pad-responses: yes
    local-zone: "example.org." static
    local-data: "www.example.org. 300 A 192.0.2.80"
    local-data: "example.org. 3600 SOA ns.example.org. root.example.org. 1 2 3 4 60"
    local-zone: "refused.example." always_refuse
""" + "".join(f'    local-data: "n{i}.example.org. 300 A 192.0.2.{i}"\n' for i in range(200)))
    process = run("unbound", tmp_path, "-d", "-c", str(tmp_path / "unbound.conf"))
    wait_for(port)
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


# A real resolver.

def test_unbound_answers_positively_and_negatively(driver, ca, unbound):
    assert driver.use(ca.roots, unbound) == "applied"
    positive = driver.one("www.example.org")
    assert (positive.rcode, positive.address) == (0, "192.0.2.80")
    assert driver.one("nowhere.example.org").rcode == NXDOMAIN
    empty = driver.one("www.example.org AAAA")
    assert (empty.rcode, empty.records) == (0, 1)
    refused = driver.one("refused.example")
    assert refused.rcode == SERVFAIL
    [state] = driver.states()
    assert state["reachable"] == "1"


def test_two_hundred_questions_at_once_share_one_connection(driver, ca, unbound):
    driver.use(ca.roots, unbound)
    found = driver.ask(*(f"n{i}.example.org" for i in range(200)))
    assert {(a.name, a.address) for a in found} == \
        {(f"n{i}.example.org", f"192.0.2.{i}") for i in range(200)}


# What we send.

def test_queries_are_padded_and_say_nothing_of_the_client(driver, ca, serve):
    server = serve(answers)
    driver.use(ca.roots, server)
    driver.one("a.example")
    driver.one("a-much-longer-name-than-the-first.example")
    assert server.raw_sizes == [128, 128]
    first, second = server.queries
    assert [int(option.otype) for option in first.options] == [11, 12]  # keepalive, padding
    assert [int(option.otype) for option in second.options] == [12]
    assert first.payload == 1232
    assert server.connections == 1


def test_equal_questions_in_flight_are_asked_once(driver, ca, serve):
    def slowly(server, connection):
        query = server.read(connection)
        time.sleep(0.3)
        connection.sendall(framed(answer_to(query).to_wire()))
        server.read(connection)

    server = serve(slowly)
    driver.use(ca.roots, server)
    found = driver.ask(*["same.example"] * 50)
    assert len(found) == 50 and {a.rcode for a in found} == {0}
    assert len(server.queries) == 1


def test_questions_of_one_turn_leave_together_and_return_in_any_order(driver, ca, serve):
    def backwards(server, connection):
        queries = [server.read(connection) for _ in range(8)]
        for query in reversed(queries):
            connection.sendall(framed(answer_to(query).to_wire()))
        server.read(connection)

    server = serve(backwards)
    driver.use(ca.roots, server)
    found = driver.ask(*(f"n{i}.example" for i in range(8)))
    assert [a.name for a in found] == [f"n{i}.example" for i in reversed(range(8))]
    assert len({query.id for query in server.queries}) == 8


# What we believe.

def test_a_server_with_another_name_is_not_asked(driver, ca, serve):
    server = serve(answers, ca.issue("other.isp.test"))
    driver.use(ca.roots, server)
    answer = driver.one("secret.example")
    assert (answer.rcode, answer.ede) == (SERVFAIL, NETWORK_ERROR)
    assert server.queries == []
    # Nor dialled again and again: that does not mend itself.
    driver.sleep(1.5)
    driver.one("secret.example")
    assert server.connections == 1
    assert "certificate" in driver.states()[0]["error"]


def test_a_server_of_another_ca_is_not_asked(driver, ca, serve, tmp_path):
    server = serve(answers, Authority(tmp_path).issue(ADN))
    driver.use(ca.roots, server)
    assert driver.one("secret.example").rcode == SERVFAIL
    assert server.queries == []


def test_settings_without_a_trust_anchor_are_refused(driver, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    assert "trust anchor" in driver.use(empty, "127.0.0.1:1")


def test_answers_with_another_id_are_passed_over(driver, ca, serve):
    def twice(server, connection):
        query = server.read(connection)
        wrong = answer_to(query, "192.0.2.66")
        wrong.id ^= 1
        connection.sendall(framed(wrong.to_wire()) + framed(answer_to(query).to_wire()))
        server.read(connection)

    driver.use(ca.roots, serve(twice))
    assert driver.one("a.example").address == "192.0.2.7"


def test_an_answer_to_another_question_is_none(driver, ca, serve):
    def other(server, connection):
        while query := server.read(connection):
            response = answer_to(dns.message.make_query("other.example", "A"), "192.0.2.66")
            response.id = query.id
            connection.sendall(framed(response.to_wire()))

    driver.use(ca.roots, serve(other))
    assert driver.one("a.example").rcode == SERVFAIL


def test_an_answer_in_pieces_is_put_together(driver, ca, serve):
    def drip(server, connection):
        query = server.read(connection)
        for octet in framed(answer_to(query).to_wire()):
            connection.sendall(bytes([octet]))
        server.read(connection)

    driver.use(ca.roots, serve(drip))
    assert driver.one("a.example").address == "192.0.2.7"


# Connections that end, and servers that don't answer.

@pytest.mark.parametrize("goodbye", [True, False])
def test_a_server_that_closes_after_each_answer_serves_on_with_tickets(driver, ca, serve, goodbye):
    def once(server, connection):
        query = server.read(connection)
        connection.sendall(framed(answer_to(query).to_wire()))

    server = serve(once, goodbye=goodbye)
    driver.use(ca.roots, server)
    for i in range(5):
        assert driver.one(f"n{i}.example").rcode == 0
        driver.sleep(0.05)
    assert server.connections == 5
    assert server.resumed == 4


def test_on_another_network_no_session_is_gone_on_with(driver, ca, serve):
    def once_or_long(server, connection):
        while query := server.read(connection):
            connection.sendall(framed(answer_to(query).to_wire()))
            if "once" in query.question[0].name.to_text():
                return

    server = serve(once_or_long)
    driver.use(ca.roots, server, network="one")

    def ask(name: str) -> tuple[int, int]:
        """How many connections and resumptions there were then."""
        assert driver.one(name).rcode == 0
        driver.sleep(0.1)
        return server.connections, server.resumed

    assert ask("once1.example") == (1, 0)
    # The control: other settings on the same network leave tickets and connections alone.
    driver.say("local other", "apply")
    assert driver.line() == "applied"
    assert ask("stays1.example") == (2, 1)
    driver.say("local another", "apply")
    assert driver.line() == "applied"
    assert ask("stays2.example") == (2, 1)
    driver.say("network two", "apply")
    assert driver.line() == "applied"
    assert ask("once2.example") == (3, 1)
    assert ask("once3.example") == (4, 2)


def test_queries_out_when_the_server_closes_are_asked_once_more(driver, ca, serve):
    def first_closes(server, connection):
        if server.connections == 1:
            query = server.read(connection)
            connection.sendall(framed(answer_to(query).to_wire()))
            server.read(connection)
            return  # with that one unanswered
        answers(server, connection)

    server = serve(first_closes)
    driver.use(ca.roots, server)
    assert driver.one("a.example").rcode == 0
    second = driver.one("b.example")
    assert second.rcode == 0 and second.ms < SHARE
    assert server.connections == 2


def test_a_silent_connection_is_doubted_after_a_second(driver, ca, serve):
    def first_goes_silent(server, connection):
        if server.connections == 1:
            query = server.read(connection)
            connection.sendall(framed(answer_to(query).to_wire()))
            return is_silent(server, connection)
        answers(server, connection)

    server = serve(first_goes_silent)
    driver.use(ca.roots, server)
    driver.one("a.example")
    second = driver.one("b.example")
    assert second.rcode == 0 and DOUBTED - 100 < second.ms < SHARE
    third = driver.one("c.example")  # goes straight to the connection that lives
    assert third.rcode == 0 and third.ms < DOUBTED - 100
    assert server.connections == 2


def test_an_idle_connection_is_kept_as_long_as_the_server_grants(driver, ca, serve):
    def grants_two_seconds(server, connection):
        while query := server.read(connection):
            response = answer_to(query)
            response.use_edns(0, options=[dns.edns.GenericOption(11, (20).to_bytes(2, "big"))])
            connection.sendall(framed(response.to_wire()))
        server.closed_by_client = True

    server = serve(grants_two_seconds)
    server.closed_by_client = False
    driver.use(ca.roots, server)
    driver.one("a.example")
    driver.sleep(0.3)
    driver.one("b.example")
    assert server.connections == 1 and not server.closed_by_client
    eventually("it is closed", lambda: driver.sleep(0.1) or server.closed_by_client)
    assert driver.one("c.example").rcode == 0
    assert server.connections == 2


def test_a_server_that_wants_us_to_go_is_left_after_its_answers(driver, ca, serve):
    def sends_away(server, connection):
        first, second = server.read(connection), server.read(connection)
        response = answer_to(first)
        response.use_edns(0, options=[dns.edns.GenericOption(11, bytes(2))])
        connection.sendall(framed(response.to_wire()))
        time.sleep(0.2)
        connection.sendall(framed(answer_to(second).to_wire()))
        server.ends.append(server.read(connection))

    server = serve(sends_away)
    server.ends = []
    driver.use(ca.roots, server)
    assert {a.rcode for a in driver.ask("a.example", "b.example")} == {0}
    eventually("it is left", lambda: driver.sleep(0.1) or server.ends)
    assert server.ends == [None]  # closed by us, cleanly
    assert {a.rcode for a in driver.ask("c.example", "d.example")} == {0}
    assert server.connections == 2


def test_connections_outlive_settings_that_leave_their_server_as_it_is(driver, ca, serve):
    server = serve(answers)
    driver.use(ca.roots, server)
    driver.one("a.example")
    driver.say("local lan", "apply")
    assert driver.line() == "applied"
    driver.one("b.example")
    assert server.connections == 1
    other = serve(answers)
    driver.use(ca.roots, other)  # one more server, behind the first
    driver.one("c.example")
    assert (server.connections, other.connections) == (1, 0)
    assert [state["queries"] for state in driver.states()] == ["3", "0"]


def test_ending_with_questions_out_is_clean(driver, ca, serve):
    server = serve(is_silent)
    driver.use(ca.roots, server)
    driver.say(*(f"ask n{i}.example A" for i in range(10)))
    eventually("all are out", lambda: driver.sleep(0.1) or len(server.queries) == 10)
    # The driver's own end, checked by its fixture, is the rest.


def test_the_next_server_answers_for_one_that_refuses_or_fails(driver, ca, serve):
    def fails(server, connection):
        while query := server.read(connection):
            response = dns.message.make_response(query)
            response.set_rcode(dns.rcode.SERVFAIL)
            connection.sendall(framed(response.to_wire()))

    failing, good = serve(fails), serve(answers)
    driver.use(ca.roots, f"127.0.0.1:{free_port()}", failing, good)
    answer = driver.one("a.example")
    assert answer.rcode == 0 and answer.ms < SHARE
    assert len(good.queries) == 1
    [dead, _, _] = driver.states()
    assert dead["reachable"] == "0"


def test_nxdomain_is_final(driver, ca, serve):
    def denies(server, connection):
        while query := server.read(connection):
            response = dns.message.make_response(query)
            response.set_rcode(dns.rcode.NXDOMAIN)
            connection.sendall(framed(response.to_wire()))

    other = serve(answers)
    driver.use(ca.roots, serve(denies), other)
    assert driver.one("a.example").rcode == NXDOMAIN
    assert other.queries == []


def test_a_silent_server_costs_its_share_then_the_next_answers(driver, ca, serve):
    driver.use(ca.roots, serve(is_silent), serve(answers))
    answer = driver.one("a.example")
    assert answer.rcode == 0 and SHARE - 100 < answer.ms < 2 * SHARE


def test_nobody_reachable_is_said_at_once_and_mended_within_seconds(driver, ca, serve):
    port = free_port()
    driver.use(ca.roots, f"127.0.0.1:{port}")
    for _ in range(20):
        answer = driver.one("a.example")
        assert (answer.rcode, answer.ede) == (SERVFAIL, NETWORK_ERROR)
        assert answer.ms < SHARE
    serve(answers, port=port)
    driver.sleep(1.2)
    eventually("it is found", lambda: driver.one("a.example").rcode == 0)
    assert driver.states()[0]["reachable"] == "1"


def test_a_server_that_drops_every_connection_is_not_stormed(driver, ca, serve):
    server = serve(lambda server, connection: None)
    driver.use(ca.roots, server)
    begin = time.monotonic()
    for i in range(50):
        assert driver.one(f"n{i}.example").rcode == SERVFAIL
    assert server.connections <= 3 + time.monotonic() - begin


def test_silence_to_the_end_is_servfail_with_a_reason(driver, ca, serve):
    driver.use(ca.roots, serve(is_silent), query_max="2500")
    answer = driver.one("a.example")
    assert (answer.rcode, answer.ede) == (SERVFAIL, NO_REACHABLE_AUTHORITY)
    assert 2400 < answer.ms < 6000

    def is_remembered() -> bool:  # for a second, RFC 9520: a busy machine may be late
        again = driver.one("a.example")
        assert (again.rcode, again.ede) == (SERVFAIL, NO_REACHABLE_AUTHORITY)
        return again.ms < CLIENT_TIMER

    eventually("it is remembered", is_remembered)


# Stale answers, RFC 8767.

def test_a_silent_upstream_means_a_stale_answer_after_the_client_timer(driver, ca, serve):
    def answers_first(server, connection):
        if not server.queries:
            query = server.read(connection)
            connection.sendall(framed(answer_to(query).to_wire()))
        is_silent(server, connection)

    server = serve(answers_first)
    driver.use(ca.roots, server, query_max="4000")
    assert driver.one("a.example").ede is None
    driver.say("advance 301")
    stale = driver.one("a.example")
    assert (stale.rcode, stale.ede, stale.address) == (0, STALE, "192.0.2.7")
    assert CLIENT_TIMER - 100 < stale.ms < 3900  # not when the look-up has failed
    # The look-up goes on; whoever asks meanwhile, or soon after it failed, is served at once.
    for pause_s in 0, 3, 6:
        driver.sleep(pause_s)
        again = driver.one("a.example")
        assert again.ede == STALE and again.ms < CLIENT_TIMER - 100


def test_how_long_a_host_waits_for_a_true_answer_is_configured(driver, ca, serve):
    def answers_first(server, connection):
        if not server.queries:
            query = server.read(connection)
            connection.sendall(framed(answer_to(query).to_wire()))
        is_silent(server, connection)

    driver.use(ca.roots, serve(answers_first), stale="5000 30", query_max="30000")
    assert driver.one("a.example").ede is None
    driver.say("advance 301")
    stale = driver.one("a.example")
    assert (stale.rcode, stale.ede) == (0, STALE)
    assert 4900 < stale.ms < 29000


def test_an_upstream_that_is_gone_means_a_stale_answer_at_once(driver, ca, serve):
    server = serve(answers)
    driver.use(ca.roots, server)
    driver.one("a.example")
    server.stop()
    driver.sleep(0.1)
    driver.say("advance 301")
    stale = driver.one("a.example")
    assert (stale.rcode, stale.ede) == (0, STALE) and stale.ms < CLIENT_TIMER - 100
    assert driver.one("never-seen.example").ede == NETWORK_ERROR
    serve(answers, port=server.port)
    driver.sleep(1.2)
    eventually("a fresh answer", lambda: driver.one("a.example").ede is None)
    assert driver.one("a.example").rcode == 0


# The companion, which is dnsmasq.

@pytest.fixture
def dnsmasq(tmp_path):
    port = free_port(socket.SOCK_DGRAM)
    many = [f"--host-record=many.lan,10.0.{i // 250}.{i % 250}" for i in range(300)]
    process = run("dnsmasq", tmp_path, "-k", f"--port={port}", "--listen-address=127.0.0.1",
                  "--bind-interfaces", "--no-resolv", "--no-hosts", "--local=/lan/",
                  "--conf-file=/dev/null", "--user=", "--group=", "--pid-file=",
                  "--host-record=nas.lan,192.168.1.7", *many)
    wait_for(port)
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


def test_the_homes_names_come_from_the_companion_and_never_go_upstream(
        driver, ca, serve, dnsmasq):
    upstream = serve(answers)
    driver.use(ca.roots, upstream, companion=dnsmasq, local="lan")
    assert driver.one("nas.lan").address == "192.168.1.7"
    assert driver.one("nowhere.lan").rcode == NXDOMAIN
    assert driver.one("7.1.168.192.in-addr.arpa PTR").rcode == 0
    assert driver.one("nas").rcode in (0, SERVFAIL, NXDOMAIN)
    assert upstream.queries == []
    assert driver.one("www.example").rcode == 0  # the same driver does reach its upstream


def test_what_the_companion_asks_never_returns_to_it(driver, ca, serve, dnsmasq):
    driver.use(ca.roots, serve(answers), companion=dnsmasq, local="lan")
    looped = driver.one("nas.lan", command="from_companion")
    assert (looped.rcode, looped.ms < DOUBTED) == (NXDOMAIN, True)
    assert driver.one("www.example", command="from_companion").rcode == 0


def test_a_long_answer_of_the_companion_is_fetched_by_tcp(driver, ca, serve, dnsmasq):
    driver.use(ca.roots, serve(answers), companion=dnsmasq, local="lan")
    answer = driver.one("many.lan")
    assert (answer.rcode, answer.records) == (0, 64)  # the table's whole, and more by walking


def test_a_companion_that_is_not_there_fails_at_once(driver, ca, serve):
    driver.use(ca.roots, serve(answers), local="lan",
               companion=f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}")
    answer = driver.one("nas.lan")
    assert (answer.rcode, answer.ede) == (SERVFAIL, NETWORK_ERROR)
    assert answer.ms < 1900  # it is not taken for a silent one


def test_a_companion_that_is_silent_fails_in_two_seconds(driver, ca, serve):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        driver.use(ca.roots, serve(answers), local="lan",
                   companion=f"127.0.0.1:{silent.getsockname()[1]}")
        answer = driver.one("nas.lan")
    assert answer.rcode == SERVFAIL
    assert 1900 < answer.ms < 6000


def test_a_storm_of_the_homes_names_uses_up_no_descriptors(driver, ca, serve):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        driver.use(ca.roots, serve(answers), local="lan",
                   companion=f"127.0.0.1:{silent.getsockname()[1]}")
        found = driver.ask(*(f"n{i}.lan" for i in range(700)))
    at_once = [answer for answer in found if answer.ms < 1900]  # before the silence counts
    assert len(found) == 700 and len(at_once) == 700 - 512
    assert all((answer.rcode, answer.ede) == (SERVFAIL, NETWORK_ERROR) for answer in at_once)
