"""Noisy jobs of few qubits: beside the client package's local mode and beside bare Aer, in turn, in one run."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import SamplerV2, fake_provider
from qiskit_ibm_runtime.json import RuntimeEncoder
from tests.servers import Server
from tests.simulation.circuits import bell, su2, teleportation

import qumulus.simulation  # noqa: F401 - before numpy: one thread
from qumulus.core.programs import Program
from qumulus.simulation import worker
from qumulus.simulation.devices import device_model
from qumulus.simulation.sampling import sample

from .tables import Row, Table, ratio, seconds

SHOTS = 4096
OURS, THEIRS = 25, 3  # runs of each in turn; local mode takes seconds
MiB = 1 << 20
WARM = ["brisbane", "fez", "torino"]
BACKENDS = {"brisbane": fake_provider.FakeBrisbane, "fez": fake_provider.FakeFez}


def isa(circuit: QuantumCircuit, device: str) -> QuantumCircuit:
    """In the gates of the device, on qubits of its choice."""
    target = device_model(device).target
    return generate_preset_pass_manager(optimization_level=1, target=target, seed_transpiler=7).run(circuit)


def program(circuit: QuantumCircuit, device: str) -> Program:
    """A sampler job as the client posts it."""
    params = {"pubs": [SamplerPub.coerce((circuit, None, SHOTS))], "options": {}, "version": 2, "support_qiskit": True}
    body = {"program_id": "sampler", "backend": f"ibm_{device}", "params": params}
    return Program(
        job_id="bench",
        kind="runtime.sampler",
        payload=json.dumps(body, cls=RuntimeEncoder).encode(),
        device=device,
        seed=1,
    )


def timed(action: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(ours: Callable[[], object], theirs: Callable[[], object], runs: int = THEIRS) -> tuple[float, float]:
    """Medians of both, after one of ours to warm up; between any two of theirs some of ours."""
    ours()
    slow, fast = [], []
    for _ in range(runs):
        slow.append(timed(theirs))
        fast += [timed(ours) for _ in range(OURS // runs)]
    return statistics.median(fast), statistics.median(slow)


def local_mode(circuit: QuantumCircuit, device: str) -> Callable[[], object]:
    """The same job in the client package's local mode, warm."""
    sampler = SamplerV2(BACKENDS[device]())
    return lambda: sampler.run([circuit], shots=SHOTS).result()


def compared(what: str, ours: float, theirs: float, least: float, aim: float) -> Row:
    """A row whose targets are ratios."""
    return Row(
        what=what,
        ours=seconds(ours),
        other=seconds(theirs),
        ratio=ratio(theirs, ours),
        least=f"{least:,.0f}×",
        aim=f"{aim:,.0f}×",
        met=theirs / ours >= least,
    )


def bounded(what: str, ours: float, least: float, aim: float, beside: str = "") -> Row:
    """A row whose targets are seconds."""
    return Row(what=what, ours=seconds(ours), other=beside, least=seconds(least), aim=seconds(aim), met=ours <= least)


def job(circuit: QuantumCircuit, device: str) -> Callable[[], None]:
    """The whole job in this process: payload in, result out."""
    accepted = program(circuit, device)

    def run() -> None:
        outcome = worker.run(accepted, lambda *_: None)
        assert outcome.succeeded, outcome.reason

    return run


def in_a_worker() -> Table:
    """Jobs in a warm worker."""
    rows, local = [], {}
    for device, least, aim in (("brisbane", 1000, 2500), ("fez", 5000, 13000)):
        circuit = isa(bell(), device)
        ours, local[device] = in_turn(job(circuit, device), local_mode(circuit, device))
        width = device_model(device).n_qubits
        rows.append(compared(f"noisy Bell, {device} ({width} qubits)", ours, local[device], least, aim))
    circuit = isa(teleportation(), "brisbane")
    rows.append(
        compared(
            "noisy teleportation with feed-forward, brisbane",
            *in_turn(job(circuit, "brisbane"), local_mode(circuit, "brisbane")),
            500,
            2000,
        )
    )
    model, circuit = device_model("brisbane"), isa(su2(10), "brisbane")
    ours, bare = in_turn(
        lambda: sample(circuit, model, shots=SHOTS, seed=1),
        lambda: sample(circuit, model, shots=SHOTS, seed=1, method="aer"),
    )
    rows.append(bounded("10-qubit efficient SU(2), two layers, brisbane", ours, 0.025, 0.009, f"{seconds(bare)} (Aer)"))
    note = f"Whole job of {SHOTS} shots in a warm worker: payload in, result out. Beside: the client's local mode, warm, in turn."
    return Table(title="Noisy jobs in a worker", rows=rows, note=note)


_FIRST = """
import time; start = time.time()
from qumulus.simulation import worker
worker.warm([{device!r}])
import sys, pathlib, base64
from qumulus.core.programs import Program
payload = base64.b64decode(sys.argv[1])
outcome = worker.run(Program(job_id="first", kind="runtime.sampler", payload=payload, device={device!r}, seed=1), lambda *a: None)
assert outcome.succeeded, outcome.reason
"""

_MEMORY = """
import os, time
from qumulus.simulation import worker
worker.warm({devices!r})
import sys, base64, gc
from qumulus.core.programs import Program
gc.collect(); gc.freeze()
def proportional(pid):
    with open(f"/proc/{{pid}}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
read, write = os.pipe()
child = os.fork()
if child == 0:
    for device, payload in zip({devices!r}, sys.argv[1:], strict=True):
        program = Program(job_id="first", kind="runtime.sampler", payload=base64.b64decode(payload), device=device, seed=1)
        assert worker.run(program, lambda *a: None).succeeded
    os.write(write, b"x")
    time.sleep(60)
os.read(read, 1)
print(proportional(os.getpid()) + proportional(child))
os.kill(child, 9)
"""


def process(script: str, *payloads: bytes) -> str:
    """What a fresh process prints."""
    import base64

    arguments = [base64.b64encode(payload).decode() for payload in payloads]
    found = subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True)
    return found.stdout


def start_and_memory() -> Table:
    """The first job of a fresh process, and what a parent and a worker hold."""
    payloads = {device: program(isa(bell(), device), device).payload for device in WARM}
    first = statistics.median(
        timed(lambda: process(_FIRST.format(device="brisbane"), payloads["brisbane"])) for _ in range(3)
    )
    held = int(process(_MEMORY.format(devices=WARM), *payloads.values())) / 1024
    return Table(
        title="Start and memory of workers",
        rows=[
            bounded("first noisy job, from the start of a fresh process", first, 2.0, 1.0),
            Row(
                what="memory of parent and one worker, three devices used",
                ours=f"{held:.0f} MiB",
                least="250 MiB",
                aim="150 MiB",
                met=held <= 250,
            ),
        ],
        note="Memory is proportional: what parent and worker share counts once.",
    )


QASM = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
RUNTIME = {
    "Authorization": "Bearer qumulus-local",
    "Service-CRN": "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::",
    "IBM-API-Version": "2025-05-01",
}
ENDED = {"COMPLETED", "FAILED", "CANCELLED"}
JOBS, CLIENTS = 400, 8


def asked(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a server answers, as JSON."""
    request = urllib.request.Request(url, body, {"content-type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def finished(url: str, of: Callable[[dict[str, Any]], str], headers: Mapping[str, str] | None = None) -> None:
    """Ask for a job until it has completed."""
    while (state := of(asked(url, headers=headers)).upper()) not in ENDED:
        pass
    assert state == "COMPLETED", state


def runtime_job(server: Server, body: bytes) -> None:
    """A sampler job of Qiskit Runtime, from the request to the stored result."""
    job = asked(f"{server.url}/v1/jobs", body, RUNTIME)["id"]
    finished(f"{server.url}/v1/jobs/{job}", lambda found: found["state"]["status"], RUNTIME)


def task(server: Server, device: str) -> None:
    """The same Bell pair as OpenQASM, which the worker has to transpile."""
    body = {"code": QASM, "name": "bench", "device": device.capitalize(), "n_shots": SHOTS}
    task_id = asked(f"{server.url}/task", json.dumps(body).encode())["task_id"]
    finished(f"{server.url}/task/{task_id}/status", lambda found: found["status"])


def over_http() -> Table:
    """Durable jobs over HTTP: from the request to the stored result."""
    rows = []
    bodies = {device: program(isa(bell(), device), device).payload for device in BACKENDS}
    quiet = {"QUMULUS_LOG": "off"}
    with tempfile.TemporaryDirectory() as home, Server(Path(home) / "state", environment=quiet) as server:
        for device, least, aim in (("brisbane", 150, 300), ("fez", 750, 1500)):
            ours, theirs = in_turn(
                partial(runtime_job, server, bodies[device]), local_mode(isa(bell(), device), device)
            )
            rows.append(compared(f"noisy Bell over HTTP, {device}", ours, theirs, least, aim))
        text = statistics.median(timed(partial(task, server, "brisbane")) for _ in range(OURS))
        rows.append(Row(what="the same as OpenQASM 3, transpiled by the worker, brisbane", ours=seconds(text)))
        start = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(partial(runtime_job, server), [bodies["brisbane"]] * JOBS))
        rate = JOBS / (time.perf_counter() - start)
        rows.append(
            Row(
                what="throughput of noisy Bell jobs over HTTP, both cores",
                ours=f"{rate:.0f} jobs/s",
                least="100 jobs/s",
                aim="400 jobs/s",
                met=rate >= 100,
            )
        )
    note = f"From the request to the stored result, durably; throughput: {JOBS} jobs by {CLIENTS} clients on the same cores."
    return Table(title="Noisy jobs over HTTP", rows=rows, note=note)


def tables() -> list[Table]:
    """All of them."""
    worker.warm(WARM)
    return [in_a_worker(), start_and_memory(), over_http()]
