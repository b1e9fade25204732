"""Answers that one device hears and others don't never cross over, however they are come by. Loopback
only, no privilege."""

from __future__ import annotations

import ssl
import subprocess

import dns.message
import dns.query
import dns.rcode
import pytest

from doh_clients import MESSAGE, H2Client, get
from forwarders import NAME, STRANGER, query, session_of
from upstreams import answer_to, eventually, framed

OTHER, THIRD, UNKNOWN = "127.0.0.3", "127.0.0.4", "127.0.0.5"
EXCEPTED, TWIN, PLAIN = "02:00:5e:10:00:01", "02:00:5e:10:00:02", "02:00:5e:10:00:03"
INWARD = "192.168.7.7"
TABLET = "tablet"  # a device that says so itself


@pytest.fixture
def resolver(resolver):
    """Leads into the home below inward.example, and there alone."""
    send = resolver._send

    def lies(connection, asked):
        if not asked.question[0].name.to_text().endswith("inward.example."):
            return send(connection, asked)
        with resolver._writing:
            connection.sendall(framed(answer_to(asked, INWARD).to_wire()))

    resolver._send = lies
    return resolver


@pytest.fixture(scope="module")
def identity(ca):
    return ca.issue(NAME, others=(f"*.{NAME}",))


@pytest.fixture
def told(forwarder):
    assert forwarder.tell(f"allow-device {EXCEPTED} inward.example",
                          f"allow-device {TWIN} inward.example", "apply",
                          f"neighbour {STRANGER} {EXCEPTED}", f"neighbour {OTHER} {TWIN}",
                          f"neighbour {THIRD} {PLAIN}", "neighbours") == "ok"
    forwarder.status()  # the channel keeps its order: they are known then
    return forwarder


def led_to(answer: dns.message.Message) -> list[str]:
    assert answer.rcode() == dns.rcode.NOERROR
    return [record.to_text() for rrset in answer.answer for record in rrset]


def leads(client, name: str) -> list[str]:
    return led_to(client.ask(query(name)))


def test_an_exception_is_its_devices_alone_whoever_asks_first(told, connect):
    excepted, twin = connect(source=STRANGER), connect(source=OTHER)
    plain, unknown = connect(source=THIRD), connect(source=UNKNOWN)
    for name, first, second in (("a.inward.example.", excepted, plain),
                                ("b.inward.example.", plain, excepted)):
        before = told.status()["upstream_questions"]
        for client in (first, second, first, second):
            assert leads(client, name) == ([INWARD] if client is excepted else [])
        assert leads(twin, name) == [INWARD] and leads(unknown, name) == []
        # Kept for each view, and shared within it: the control of what stays apart.
        assert told.status()["upstream_questions"] == before + 2
    assert leads(excepted, "outside.example.") == leads(plain, "outside.example.") != []


def test_questions_in_flight_are_merged_within_a_view_alone(told, connect, resolver):
    clients = [connect(source=source) for source in (THIRD, STRANGER, OTHER, UNKNOWN)]
    for client in clients:
        client.send(query("slow.inward.example."), query("slow.inward.example."))

    def waiting() -> tuple[int, int]:
        status = told.status()
        return status["upstream_questions"], status["merged"]

    eventually("all wait", lambda: sum(waiting()) == 8)
    # The second question of each joined the first, whichever worker it came to.
    assert 2 <= waiting()[0] <= 4 <= waiting()[1]
    resolver.go.set()
    for client, wanted in zip(clients, ([], [INWARD], [INWARD], [])):
        assert led_to(client.answer()) == led_to(client.answer()) == wanted


def test_a_device_is_excepted_as_soon_as_it_is_known(told, connect):
    early = connect(source=UNKNOWN)
    assert leads(early, "early.inward.example.") == []
    told.tell(f"neighbour {UNKNOWN} {EXCEPTED}", "neighbours")
    told.status()
    assert leads(early, "early.inward.example.") == [INWARD]


def test_other_settings_take_an_exception_back_on_a_connection_that_stays(told, connect):
    client = connect(source=STRANGER)
    assert leads(client, "a.inward.example.") == [INWARD]
    assert told.tell("no-devices", "apply") == "ok"
    assert leads(client, "a.inward.example.") == []


def test_an_exception_counts_over_https_and_never_for_who_asks_dnsmasq(told, ca):
    for source, wanted in ((STRANGER, [INWARD]), (THIRD, [])):
        client = H2Client(told.doh, ca.roots, source=source)
        assert led_to(client.ask(query("a.inward.example."))) == wanted
        client.close()
    plain = dns.query.udp(query("a.inward.example."), "127.0.0.1", port=told.do53, timeout=10)
    assert led_to(plain) == []


@pytest.fixture
def named(told):
    """Knows one device by its id, too."""
    assert told.tell(f"adn {NAME} 127.0.0.1", f"allow-device {TABLET} inward.example",
                     "apply") == "ok"
    return told


def curl(port: int, roots, url: str, *options: str) -> tuple[int, dns.message.Message | None]:
    """The status, and the answer where there is one. `url` is of the resolver's name or of one below."""
    host = url.split("/")[0]
    done = subprocess.run(
        ["curl", "--silent", "--cacert", str(roots), "--resolve", f"{host}:{port}:127.0.0.1",
         "--write-out", "%{stderr}%{http_code}", *options,
         f"https://{host}:{port}{url.removeprefix(host)}"], capture_output=True, timeout=60)
    status = int(done.stderr)
    return status, dns.message.from_wire(done.stdout) if status == 200 else None


def test_a_device_is_known_by_the_name_that_it_asks_tls_for(named, connect):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        tablet = connect(source=UNKNOWN, name=f"Tablet.{NAME}", version=version)
        assert leads(tablet, "a.inward.example.") == [INWARD]
        session = session_of(tablet)
        again = connect(source=UNKNOWN, name=f"Tablet.{NAME}", version=version, session=session,
                        context=tablet.context)
        assert again.tls.session_reused
        assert leads(again, "a.inward.example.") == [INWARD]
        # A session is no proof of an id that this handshake does not say (RFC 6066 section 3).
        moved = connect(source=UNKNOWN, name=NAME, version=version, session=session_of(again),
                        context=tablet.context)
        assert version != ssl.TLSVersion.TLSv1_2 or not moved.tls.session_reused
        assert leads(moved, "a.inward.example.") == []
        for other in (NAME, f"radio.{NAME}"):
            plain = connect(source=UNKNOWN, name=other, version=version)
            assert leads(plain, "a.inward.example.") == []


def test_kdig_and_curl_can_say_which_device_they_are(named, ca, identity):
    def kdig(name: str) -> list[str]:
        said = subprocess.run(
            ["kdig", "@127.0.0.1", "-p", str(named.dot), f"+tls-ca={ca.roots}",
             f"+tls-sni={name}", f"+tls-hostname={name}", "+tls", "+short", "a.inward.example"],
            capture_output=True, text=True, timeout=60)
        return said.stdout.split()

    assert kdig(f"{TABLET}.{NAME}") == [INWARD]
    assert kdig(NAME) == kdig(f"radio.{NAME}") == []
    asked = query("a.inward.example.")
    for version in ("--http2", "--http1.1"):
        assert named.tell("http1", "apply") == "ok"
        for url, wanted in ((f"{NAME}{get(asked, f'/dns-query/{TABLET}')}", [INWARD]),
                            (f"{NAME}{get(asked, '/tv/TABLET')}", [INWARD]),
                            (f"{TABLET}.{NAME}{get(asked)}", [INWARD]),
                            (f"{NAME}{get(asked)}", []),
                            (f"radio.{NAME}{get(asked)}", [])):
            status, answer = curl(named.doh, ca.roots, url, version)
            assert status == 200 and led_to(answer) == wanted, url
        assert curl(named.doh, ca.roots, f"{NAME}{get(asked, '/dns-query/radio')}",
                    version)[0] == 404


def test_a_name_that_is_no_devices_changes_neither_the_certificate_nor_an_answer(
        named, connect, identity):
    asked = [query(name) for name in ("outside.example.", "a.inward.example.")]
    seen = []
    for name in (NAME, f"radio.{NAME}", "elsewhere.example", f"{TABLET}.elsewhere.example", None):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = connect(source=UNKNOWN, name=name, context=context)
        seen.append((client.tls.getpeercert(binary_form=True),
                     [led_to(client.ask(one)) for one in asked]))
    assert seen[0][0] == ssl.PEM_cert_to_DER_cert(identity[0].read_text())
    assert all(one == seen[0] for one in seen)


def test_what_a_device_says_comes_before_its_address_and_a_path_before_a_name(named, ca):
    # The excepted device, by its address, says that it is one without exceptions.
    assert named.tell("allow-device kiosk other.example", "apply") == "ok"
    asked = query("a.inward.example.")
    for source, name, path, wanted in (
            (STRANGER, NAME, "/dns-query", [INWARD]),
            (STRANGER, f"kiosk.{NAME}", "/dns-query", []),
            (STRANGER, NAME, "/dns-query/kiosk", []),
            (STRANGER, f"radio.{NAME}", "/dns-query", [INWARD]),
            (THIRD, f"kiosk.{NAME}", f"/dns-query/{TABLET}", [INWARD]),
            (THIRD, f"{TABLET}.{NAME}", "/dns-query/kiosk", [])):
        client = H2Client(named.doh, ca.roots, source=source, name=name)
        response = client.fetch(get(asked, path))
        assert led_to(response.message) == wanted, (source, name, path)
        posted = client.fetch(path, "POST", asked.to_wire(), content_type=MESSAGE)
        assert led_to(posted.message) == wanted, (source, name, path)
        client.close()


def test_an_id_follows_other_settings_on_a_connection_that_stays(named, ca, connect):
    client = connect(source=THIRD, name=f"{TABLET}.{NAME}")
    early = connect(source=THIRD, name=f"late.{NAME}")
    browser = H2Client(named.doh, ca.roots, source=THIRD)
    path = get(query("a.inward.example."), f"/dns-query/{TABLET}")
    assert leads(client, "a.inward.example.") == led_to(browser.fetch(path).message) == [INWARD]
    assert leads(early, "a.inward.example.") == []
    # Views get other numbers, and the one that was the tablet's is another's.
    assert named.tell("no-devices", "allow-device late inward.example",
                      f"allow-device {TABLET} other.example", "apply") == "ok"
    assert leads(client, "a.inward.example.") == led_to(browser.fetch(path).message) == []
    assert leads(early, "a.inward.example.") == [INWARD]
    assert named.tell("no-devices", "apply") == "ok"
    assert leads(client, "a.inward.example.") == leads(early, "a.inward.example.") == []
    assert browser.fetch(path).status == 404
    browser.close()
