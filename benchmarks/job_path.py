"""The way around the simulation: what the server adds to a short job, from its acceptance to its result, over HTTP."""

from __future__ import annotations

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Mapping
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit_ibm_runtime import RuntimeEncoder
from tests.simulation.circuits import isa

from qumulus.apis.ibm.instances import LOCAL_CRN
from qumulus.core.ports import JobQuery
from qumulus.core.programs import Program
from qumulus.execution import ENTRY
from qumulus.execution.messages import program_members, program_parts
from qumulus.execution.worker_pool import WorkerPool
from qumulus.simulation.devices import device_model
from qumulus.simulation.machine import slowness
from qumulus.storage import Storage

from .dispatcher import served
from .load import Connection, request
from .tables import Row, Table, seconds

DEVICE = "brisbane"
SHOTS = 4096
JOBS = 150
CLIENTS = 8
WORKERS = 2
SECONDS = 5.0
HEADERS = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN, "IBM-API-Version": "2025-05-01"}


def bell() -> bytes:
    """The request for a noisy Bell pair, as IBM's client sends it."""
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    pubs = [(isa(circuit, device_model(DEVICE)), None, SHOTS)]
    params = {"version": 2, "pubs": pubs, "options": {}}
    body = {"program_id": "sampler", "backend": f"ibm_{DEVICE}", "params": params}
    return request("POST", "/api/v1/jobs", json.dumps(body, cls=RuntimeEncoder).encode(), HEADERS)


async def one(connection: Connection, post: bytes) -> float:
    """Seconds of one job: sent, waited for, its result read.

    Raises:
        RuntimeError: it failed.
    """
    begun = time.perf_counter()
    job = f"/api/v1/jobs/{(await asked(connection, post))['id']}"
    status = "Queued"
    while status not in ("Completed", "Failed"):
        look = request("GET", f"{job}?exclude_params=true", headers=HEADERS)
        status = (await asked(connection, look))["state"]["status"]
    await asked(connection, request("GET", f"{job}/results", headers=HEADERS))
    return time.perf_counter() - begun


async def asked(connection: Connection, data: bytes) -> Mapping[str, Any]:
    """The answer to a request.

    Raises:
        RuntimeError: it was none of success.
    """
    status, body = await connection.ask(data)
    if status >= 300:
        raise RuntimeError(f"the server answered {status}: {body[:200]!r}")
    return json.loads(body)


async def in_turn(url: str, post: bytes, count: int) -> list[float]:
    """Seconds of so many jobs, one after the other."""
    connection = await Connection.to(url)
    spent = [await one(connection, post) for _ in range(count)]
    connection.close()
    return spent


async def at_once(url: str, post: bytes) -> float:
    """Jobs a second of several clients."""
    begun = time.perf_counter()

    async def client() -> int:
        connection, count = await Connection.to(url), 0
        while time.perf_counter() - begun < SECONDS:
            await one(connection, post)
            count += 1
        connection.close()
        return count

    done = await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return sum(done) / (time.perf_counter() - begun)


def alone(program: Program) -> float:
    """Jobs a second that the workers end where nothing is around them."""
    ready = threading.Event()
    pool = WorkerPool(ENTRY, devices=(DEVICE,), on_ready=ready.set)
    pool.start()
    ready.wait()
    ended = [0] * WORKERS
    workers = [pool.start_worker() for _ in range(WORKERS)]
    begun = time.perf_counter()

    def work(number: int) -> None:
        wire = workers[number].wire
        while time.perf_counter() - begun < SECONDS:
            wire.send("run", program_parts(program), **program_members(program))
            while (message := wire.receive()) is not None and message.say != "outcome":
                if message.say == "need":
                    wire.send("go")
            ended[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - begun
    pool.stop()
    return sum(ended) / spent


def last_program(storage: Storage) -> tuple[Program, float]:
    """What a worker was sent of the last job, and the median of the seconds that such jobs took it."""
    ran = storage.jobs.find(JobQuery(limit=JOBS)).jobs
    last = ran[0]
    program = Program(
        job_id=last.id,
        kind=last.kind,
        payload=storage.jobs.payload(last.id),
        device=last.device,
        calibration=last.calibration,
        shots=last.shots,
        seed=1,
        options=last.request,
    )
    return program, statistics.median(sum(job.metadata["timings"].values()) for job in ran)


def tables() -> list[Table]:
    """The table of the way around the simulation."""
    post, slow = bell(), max(1.0, slowness())
    with served(simulations=str(WORKERS)) as (url, storage):
        asyncio.run(in_turn(url, post, 20))
        whole = statistics.median(asyncio.run(in_turn(url, post, JOBS)))
        program, run = last_program(storage)
        together = asyncio.run(at_once(url, post))
    workers = alone(program)
    added = whole - run
    rows = [
        Row(
            what="added to a noisy Bell job, accept to result over HTTP",
            ours=seconds(added),
            other=f"its run: {seconds(run)}",
            ratio=f"{added / run:.1f}",
            least=seconds(0.008 * slow),
            aim=seconds(0.003 * slow),
            met=added <= 0.008 * slow,
        ),
        Row(
            what=f"noisy Bell jobs over HTTP, {CLIENTS} clients",
            ours=f"{together:,.0f}/s",
            other=f"workers alone: {workers:,.0f}/s",
            ratio=f"{together / workers:.2f}",
            least="0.5",
            aim="0.8",
            met=together >= 0.5 * workers,
        ),
    ]
    note = (
        f"{SHOTS} shots on {DEVICE}; {WORKERS} workers on the cores that server and clients use too. Targets in seconds are those of "
        f"the reference machine, times {slow:.2f}, which is how much slower one core of this one is."
    )
    return [Table(title="The way around the simulation", rows=rows, note=note)]
