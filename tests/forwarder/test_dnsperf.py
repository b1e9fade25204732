"""A measuring client of others asks over each transport, many questions in flight. Whether all are
answered is what counts here; how fast is not. Loopback only, no privilege needed."""

from __future__ import annotations

import re
import subprocess

import pytest

from forwarders import STRANGER, Forwarder, limit

QUESTIONS, FEW_QUESTIONS = 1000, 100
MANY = ("-c", "4", "-q", "40")
# Of several DoH answers that come in one record dnsperf takes the last alone; and it waits for the
# acknowledgement of a request's head before it sends the body.
ONE = ("-c", "1", "-q", "1")
TRANSPORTS = {
    "dot": ("-m", "dot", *MANY),
    "doh by GET": ("-m", "doh", "-O", "doh-method=GET", *ONE),
    "doh by POST": ("-m", "doh", "-O", "doh-method=POST", *ONE),
    "tcp": ("-m", "tcp", *MANY),
    "udp": ("-m", "udp", *MANY),
}


def port_of(forwarder: Forwarder, transport: str) -> int:
    return {"dot": forwarder.dot, "doh": forwarder.doh}.get(transport[:3], forwarder.do53)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_dnsperf_has_an_answer_to_each_of_its_questions(forwarder, tmp_path, transport):
    limit(forwarder, queries_per_client_second=10**6, queries_per_client_burst=10**6)
    count = FEW_QUESTIONS if ONE[-1] == TRANSPORTS[transport][-1] else QUESTIONS
    questions = tmp_path / "questions"
    questions.write_text("".join(f"www{number % 50}.example A\n" for number in range(count)))
    port = port_of(forwarder, transport)
    said = subprocess.run(
        ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(questions), "-n", "1", "-e",
         "-O", f"doh-uri=https://127.0.0.1:{port}/dns-query", *TRANSPORTS[transport]],
        capture_output=True, text=True, timeout=60).stdout
    completed = re.search(r"Queries completed: +(\d+)", said)
    assert completed and int(completed[1]) == count, said
    assert re.search(rf"Response codes: +NOERROR {count} \(100\.00%\)", said), said


def test_it_notices_who_is_limited(forwarder, tmp_path):
    limit(forwarder, queries_per_client_second=1, queries_per_client_burst=100)
    questions = tmp_path / "questions"
    questions.write_text("www.example A\n" * 300)
    said = subprocess.run(
        ["dnsperf", "-s", "127.0.0.1", "-p", str(forwarder.dot), "-d", str(questions), "-n", "1",
         "-a", STRANGER, "-q", "40", "-t", "1", "-m", "dot"],
        capture_output=True, text=True, timeout=60).stdout
    answered = re.search(r"NOERROR (\d+)", said)
    assert answered and int(answered[1]) < 300, said
