"""How long failures are remembered (RFC 9520). Loopback only, no privilege needed."""

from __future__ import annotations

import threading

from test_upstream import SERVFAIL, ca, certificate, driver, serve  # noqa: F401 (fixtures)
from upstreams import answer_to, eventually, framed


def test_a_home_that_was_cut_off_is_back_soon_after_its_line(driver, ca, serve):
    """Cut off in silence, which costs each look-up all of its time."""
    cut = threading.Event()
    cut.set()

    def answers_unless_cut(server, connection):
        while query := server.read(connection):
            if not cut.is_set():
                connection.sendall(framed(answer_to(query).to_wire()))

    driver.use(ca.roots, serve(answers_unless_cut), query_max="200")
    for _ in range(40):  # doubled, what is remembered would last for more than a minute by then
        assert driver.one("a.example").rcode == SERVFAIL
        driver.say("advance 2")
    cut.clear()
    driver.say("advance 2")
    eventually("it is back", lambda: driver.one("a.example").rcode == 0, 10)
