"""Load: bench_load for DoT and UDP, h2load for DoH."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path

from processes import LOAD, Failed, spawn

BUILD = Path(__file__).resolve().parents[2] / "build/release"
ANSWER = "192.0.2.1"
# A for doh.bench.net, with EDNS.
_QUESTION = bytes.fromhex("00000100000100000000000103646f680562656e6368036e65740000010001"
                          "00002904d0000000000000")
BAD_MAX = 0.01  # of the answers, or of the connections


class Load:
    """A run of bench_load: made, it stands ready; `go` lets it work."""

    def __init__(self, port: int, seconds: float = 60, **options: object) -> None:
        words = {**options, "port": port, "seconds": seconds}
        self._within_s = seconds + 150
        self._process = spawn(
            [str(BUILD / "bench_load"), *(word for name, value in words.items()
                                          for word in (f"--{name}", str(value)))],
            LOAD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if options.get("mode") != "first" and self._process.stdout.readline() != "ready\n":
            raise Failed("the load generator did not get ready")

    def go(self) -> dict:
        try:
            said, _ = self._process.communicate("go\n", timeout=self._within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise Failed("the load generator hangs") from None
        return json.loads(said)


def checked(result: dict) -> dict:
    bad = result["wrong"] + result["lost"]
    if not result["answers"] or bad > BAD_MAX * result["answers"]:
        raise Failed(f"{result['answers']} answers, {result['wrong']} wrong, {result['lost']} lost")
    return result


def h2load(port: int, get: bool, count: int, connections: int = 10, streams: int = 10,
           scratch: Path = Path()) -> float:
    """Questions of DoH, all the same; how long they took, in seconds."""
    url = f"https://127.0.0.1:{port}/dns-query"
    if get:
        url += "?dns=" + base64.urlsafe_b64encode(_QUESTION).decode().rstrip("=")
        how = []
    else:
        (scratch / "question").write_bytes(_QUESTION)
        how = ["-d", str(scratch / "question"), "-H", "content-type: application/dns-message"]
    process = spawn(["h2load", "-n", str(count), "-c", str(connections), "-m", str(streams), "-t",
                     "1", *how, url], LOAD, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    text=True)
    try:
        said, _ = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Failed("h2load hangs") from None
    good = re.search(r"status codes: (\d+) 2xx", said)
    took = re.search(r"finished in ([\d.]+)(us|ms|s)", said)
    if not good or not took or int(good[1]) != count:
        raise Failed(f"DoH: {good[1] if good else 0} of {count} were answered")
    return float(took[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[took[2]]


def asks(how: str, port: int) -> bool:
    """Whether kdig, a program that nobody here wrote, gets the right answer."""
    flags = {"dot": "+tls", "doh": "+https=/dns-query", "udp": "+notcp"}[how]
    done = subprocess.run(["kdig", "@127.0.0.1", "-p", str(port), flags, "+short", "+timeout=2",
                           "+retry=0", f"check-{how}.bench.net", "A"],
                          capture_output=True, text=True)
    return done.stdout.strip() == ANSWER
