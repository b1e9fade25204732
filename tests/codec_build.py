"""The codecs and their unit tests, built without CMake and without the rest of the program.

mutants/run, coverage/run and fuzz/planted need them built in ways of their own, often, and fast:
what stands here needs no socket, no coroutine and no library but nlohmann's headers.
"""

from __future__ import annotations

import concurrent.futures
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
JOBS = int(os.environ.get("JOBS", "2"))

# What turns octets or text of strangers into types, and what it is made of.
PARSERS = [
    "dns/answer.cc", "dns/blocked_ports.cc", "dns/designations.cc", "dns/doh_path.cc",
    "dns/draft_resolver.cc", "dns/encrypted_resolver.cc", "dns/name.cc", "dns/query.cc",
    "dns/records.cc", "dns/svc_params.cc", "dns/svcb.cc",
    "dhcp/draft_request.cc", "dhcp/draft_v4.cc", "dhcp/draft_v6.cc", "dhcp/encoded.cc",
    "dhcp/long_option.cc", "dhcp/server_reply.cc", "dhcp/v4_dnr.cc", "dhcp/v4_message.cc", "dhcp/v6_dnr.cc",
    "dhcp/v6_message.cc", "dhcp/vendor_opts.cc", "dhcp/wan_options.cc", "net/frame.cc",
    "net/nat64_prefix.cc", "net/udp_packet.cc",
    "ra/advertisement.cc", "ra/dnr_option.cc", "ra/draft_options.cc", "ra/ends.cc",
    "ra/heard_offers.cc", "ra/options.cc", "ra/pvd_option.cc", "ra/rdnss_option.cc",
    "ra/told_resolvers.cc", "agent/server_message.cc", "agent/rogues.cc", "agent/leases.cc",
    "agent/draft_codecs.cc", "agent/option_codecs.cc", "agent/option_refusals.cc",
    "agent/resolver_json.cc", "agent/metrics_request.cc", "forwarder/device_id.cc",
    "forwarder/doh_answer.cc", "forwarder/doh_request.cc", "forwarder/http2_budget.cc", "forwarder/rebinding.cc",
]
# What bounds who sends them, and what is kept of it.
BOUNDS = ["core/random.cc", "forwarder/admission.cc", "forwarder/keyed_hash.cc",
          "forwarder/memory.cc", "forwarder/neighbours.cc", "forwarder/nxdomain_cut.cc",
          "forwarder/query_log.cc", "forwarder/refusals.cc", "forwarder/serving.cc",
          "forwarder/tallies.cc", "forwarder/views.cc"]
BASE = ["core/address.cc", "core/base64url.cc", "core/bytes.cc", "core/escape.cc",
        "core/reader.cc", "core/writer.cc"]


def test_of(source: str) -> str:
    return f"tests/unit/{source.removesuffix('.cc')}_test.cc"


TESTS = ["tests/unit/main.cc",
         *(test_of(one) for one in [*BASE, *PARSERS] if (ROOT / test_of(one)).exists()),
         *(f"tests/unit/forwarder/{one}_test.cc"
           for one in ("admission", "admission_limits", "nxdomain_cut", "query_log", "shares", "views"))]


CCACHE = shutil.which("ccache") is not None


def compiler() -> list[str]:
    found = [os.environ.get("CXX", "g++")]
    return ["ccache", *found] if CCACHE else found


def compile_one(source: Path, into: Path, *flags: str) -> str:
    """Nothing, or what the compiler said."""
    into.parent.mkdir(parents=True, exist_ok=True)
    said = subprocess.run(
        [*compiler(), "-std=c++20", "-w", *flags, f"-I{ROOT}", f"-I{ROOT}/tests/unit",
         "-c", source, "-o", into], cwd=ROOT, capture_output=True, text=True)
    if said.returncode == 0:
        return ""
    reasons = [line for line in said.stderr.splitlines() if "error:" in line]
    return "\n".join(reasons[:5]) or said.stderr


def link(objects: list[Path], program: Path, *flags: str) -> str:
    said = subprocess.run([compiler()[-1], *flags, "-o", program, *objects], capture_output=True,
                          text=True)
    return said.stderr if said.returncode else ""


def object_of(folder: Path, source: str) -> Path:
    return folder / (source.replace("/", "-").removesuffix(".cc") + ".o")


def compile_all(sources: list[str], folder: Path, *flags: str) -> dict[str, Path]:
    """Each source's object. Ends the program where one does not compile."""
    objects = {source: object_of(folder, source) for source in sources}
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for said in pool.map(lambda one: compile_one(ROOT / one[0], one[1], *flags),
                             objects.items()):
            if said:
                raise SystemExit(said)
    return objects
