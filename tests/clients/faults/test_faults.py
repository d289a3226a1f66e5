"""What the users of the real clients get where something goes wrong: each kind of fault, met by the client of each cloud.

The table of docs/emulation.md is what these tests have seen. With `QUMULUS_FAULTS_TABLE=write` a run writes it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from clients.environments import CLIENTS, environment
from qumulus.control.administration import Administration
from qumulus.control.ephemeral import EphemeralCloud
from qumulus.core.faults import OF_DEVICES, FaultKind

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "emulation.md"
MARKS = "<!-- met:begin -->\n", "<!-- met:end -->\n"
HEAD = "| fault | the user of | does | and gets |\n| --- | --- | --- | --- |\n"


def case(action: str, kind: str, **rule: object) -> dict[str, Any]:
    return {"action": action, "rule": {"kind": kind, **rule}}


def runtime(kind: str, **rule: object) -> dict[str, Any]:
    return case("list jobs", kind, api="ibm/runtime", **rule)


IBM = [
    runtime("error", status=503, retry_after=1, times=1),
    runtime("error", status=403),
    runtime("slow", seconds=0.5),
    runtime("cut"),
    runtime("garbled"),
    runtime("reset", times=1),
    case("list jobs", "refused", for_seconds=1),
    runtime("page"),
    runtime("not-authenticated"),
    case("log in", "error", purpose="token", status=500),
    case("submit a job", "limit-reached"),
    case("run a job", "no-result"),
    case("run a job", "job-fails", code=1517),
    case("run a job", "job-fails-at-end"),
    case("run a job", "job-runs-too-long"),
    case("wait 2 s for a job", "job-stays-queued"),
    case("wait 2 s for a job", "provider-silent"),
    case("run a job", "worker-lost", times=1),
    case("run a job", "worker-lost"),
    case("look at a device", "device-paused", device="brisbane"),
    case("look at a device", "device-in-maintenance", device="brisbane"),
    case("find a device", "device-retired", device="brisbane"),
    case("transpile for a device", "device-broken", device="fez", qubits=[0]),
    case("submit a circuit that uses it", "device-broken", device="fez", qubits=[0]),
    case("run what was submitted before it was known", "device-broken", device="fez", qubits=[0]),
]
EARLIER_IBM = [
    runtime("error", status=503, times=1),
    runtime("not-authenticated"),
    case("submit a job", "limit-reached"),
    case("run a job", "job-fails", code=1517),
    case("run a job", "job-runs-too-long"),
    case("submit a circuit that uses it", "device-broken", device="fez", qubits=[0]),
]
OQTOPUS = [
    case("list devices", "error", status=503, times=1),
    case("list devices", "error", status=429),
    case("list devices", "slow", seconds=0.3, times=1),
    case("list devices", "cut"),
    case("list devices", "garbled"),
    case("list devices", "reset"),
    case("list devices", "refused"),
    case("list devices", "page"),
    case("list devices", "not-authenticated"),
    case("run a job", "limit-reached"),
    case("run a job", "no-result"),
    case("run a job", "job-fails"),
    case("run a job", "job-fails-at-end"),
    case("run a job", "job-runs-too-long"),
    case("run a job", "worker-lost", times=1),
    case("run a job", "worker-lost"),
    case("run a job", "device-paused", device="qulacs"),
    case("wait 1 s for a job", "job-stays-queued"),
    case("wait 1 s for a job", "provider-silent"),
    case("run a job", "device-in-maintenance", device="qulacs"),
    case("run a job", "device-retired", device="qulacs"),
    case("run an untranspiled job", "device-broken", device="kawasaki", qubits=[0]),
]
QURI_PARTS = [
    case("run a job", "error", status=503),
    case("run a job", "refused"),
    case("run a job", "page"),
    case("run a job", "not-authenticated"),
    case("run a job", "job-fails"),
    case("run a job", "device-paused", device="qulacs"),
]
PLANQK = [
    case("run an execution", "error", purpose="token", status=503),
    case("run an execution", "error", purpose="submit", status=503),
    case("run an execution", "slow", seconds=0.3, times=1),
    case("run an execution", "cut", purpose="submit"),
    case("run an execution", "garbled", purpose="submit"),
    case("run an execution", "reset", purpose="submit"),
    case("run an execution", "refused"),
    case("run an execution", "page", purpose="submit"),
    case("run an execution", "not-authenticated", purpose="submit"),
    case("run an execution", "limit-reached"),
    case("run an execution", "no-result"),
    case("run an execution", "job-fails"),
    case("run an execution", "job-fails-at-end"),
    case("run an execution", "job-runs-too-long"),
    case("run an execution", "worker-lost"),
    case("wait 1 s for an execution", "job-stays-queued"),
    case("wait 1 s for an execution", "provider-silent"),
]
EARLIER_PLANQK = [
    case("run an execution", "error", purpose="token", status=503),
    case("run an execution", "error", purpose="submit", status=503),
    case("run an execution", "no-result"),
    case("run an execution", "job-fails"),
]
QUANTUM = [
    case("list backends", "not-authenticated"),
    case("run a job", "job-fails"),
    case("look at a device", "device-paused", device="fez"),
    case("run a job on a device", "device-broken", device="fez", qubits=[0]),
]
MEETINGS = {  # client -> script, cases
    "ibm": ("ibm", IBM),
    "ibm-0.40.1": ("ibm", EARLIER_IBM),
    "oqtopus-client-1.3.0": ("oqtopus", OQTOPUS),
    "quri-parts-oqtopus-1.1.5": ("quri", QURI_PARTS),
    "qhub-service-2.0.0": ("services", PLANQK),
    "planqk-service-2.12.1": ("services", EARLIER_PLANQK),
    "qhub-quantum-1.18.1": ("quantum", QUANTUM),
    "planqk-quantum-3.1.2": ("quantum", QUANTUM),
}


def named(client: str) -> str:
    """The package with its version; "ibm" is the one beside the tests."""
    if client == "ibm":
        return f"qiskit-ibm-runtime {version('qiskit-ibm-runtime')}"
    return CLIENTS[client]["requires"][0].replace("==", " ")


NAMES = [named(client) for client in MEETINGS]


@pytest.fixture(scope="module")
def cloud() -> Iterator[EphemeralCloud]:
    with EphemeralCloud() as running:
        source = running.folder / "sum" / "src"
        source.mkdir(parents=True)
        (source / "program.py").write_text("def run(data):\n    return {'sum': sum(data['values'])}\n")
        Administration(running.url).deploy("sum", source.parent)
        yield running


def met(cloud: EphemeralCloud, client: str) -> list[dict[str, Any]]:
    """What a client has met in a cloud that has no jobs yet."""
    Administration(cloud.url)("POST", "/reset")
    script, cases = MEETINGS[client]
    python = Path(sys.executable) if client == "ibm" else environment(client)
    done = subprocess.run(
        [python, "-W", "ignore", HERE / f"{script}.py", json.dumps(cases)],
        env=cloud.environment(os.environ) | {"URL": cloud.url},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def row(client: str, outcome: dict[str, Any]) -> str:
    rule = dict(outcome["rule"])
    kind = rule.pop("kind")
    members = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in rule.items() if name != "api")
    fault = f"`{kind}`" + (f" ({members})" if members else "")
    return f"| {fault} | {client} | {outcome['action']} | {outcome['outcome']} |\n"


def shown() -> str:
    """The table of the documentation."""
    return PAGE.read_text().partition(MARKS[0])[2].partition(MARKS[1])[0]


@pytest.mark.parametrize("client", MEETINGS)
def test_the_table_says_what_the_user_of_a_client_gets(cloud, client):
    cases, name = MEETINGS[client][1], named(client)
    outcomes = met(cloud, client)
    assert len(outcomes) == len(cases)
    missed = [each for each in outcomes if not each["hits"] and each["rule"]["kind"] not in OF_DEVICES]
    assert missed == []
    rows = [row(name, each) for each in outcomes]
    if os.environ.get("QUMULUS_FAULTS_TABLE") == "write":
        kept = {each: [line for line in shown().splitlines(True)[2:] if f"| {each} |" in line] for each in NAMES}
        before, _, rest = PAGE.read_text().partition(MARKS[0])
        table = "".join(chain.from_iterable((kept | {name: rows}).values()))
        PAGE.write_text(before + MARKS[0] + HEAD + table + MARKS[1] + rest.partition(MARKS[1])[2])
    listed = [line for line in shown().splitlines(keepends=True) if f"| {name} |" in line]
    assert rows == listed


def test_every_kind_is_met_by_a_client():
    met_kinds = {each["rule"]["kind"] for _, cases in MEETINGS.values() for each in cases}
    assert met_kinds == {kind.value for kind in FaultKind}
    assert set(re.findall(r"^\| `([a-z-]+)`", shown(), re.MULTILINE)) == met_kinds
