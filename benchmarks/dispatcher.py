"""The dispatcher: what it adds to a job, what it accepts, claims and answers, beside the bare database in the same run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from qumulus.core.devices import DeviceSettings
from qumulus.core.jobs import NewJob
from qumulus.core.ports import JobQuery
from qumulus.core.results import Failure, Outcome
from qumulus.execution import Dispatcher
from qumulus.storage import Storage, open_storage
from qumulus.storage.database.tables import jobs
from qumulus.storage.jobs import rows

from .load import Connection, p99, rate, request, times
from .tables import Row, Table, ratio, seconds

TASK = {"code": "OPENQASM 3; qubit[1] q; bit[1] c; x q[0]; c = measure q;", "device": "qulacs", "n_shots": 10}
POST = request("POST", "/task", json.dumps(TASK).encode())
HELLO = request("GET", "/hello")
PAYLOAD = b"x" * 1500
LEASE = timedelta(seconds=60)
NEVER = DeviceSettings(least_queue_seconds=86_400)  # what is submitted stays queued: only accepting is measured
HOLDERS = 2000
RUNS = 200


def new(device: str = "d", account: str = "local") -> NewJob:
    """A job with a payload of 1.5 kB, as a Bell pair has."""
    return NewJob(account=account, device=device, kind="any", api="benchmark", payload=PAYLOAD)


@contextlib.contextmanager
def state() -> Iterator[Storage]:
    """A fresh storage."""
    with tempfile.TemporaryDirectory() as home:
        storage = open_storage(Path(home))
        try:
            yield storage
        finally:
            storage.close()


@contextlib.contextmanager
def served(**settings: str) -> Iterator[tuple[str, Storage]]:
    """A real server on a fresh folder, and its storage as another process sees it."""
    with tempfile.TemporaryDirectory() as home:
        named = {f"QUMULUS_{name.upper()}": value for name, value in settings.items()}
        environment = os.environ | {"QUMULUS_HOME": home, "QUMULUS_PORT": "0", "QUMULUS_LOG": "off"} | named
        process = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "serve"], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().rsplit(" ", 1)[-1].strip()
            storage = open_storage(Path(home))
            storage.device_settings.set("qulacs", NEVER)
            while not ready(url):
                time.sleep(0.1)
            try:
                yield url, storage
            finally:
                storage.close()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def ready(url: str) -> bool:
    """Whether the server has everything warm."""

    async def ask() -> int:
        connection = await Connection.to(url)
        status, _ = await connection.ask(request("GET", "/health"))
        connection.close()
        return status

    return asyncio.run(ask()) == 200


def bare(statements: int, count: int = RUNS) -> float:
    """Seconds of so many synced commits of one small row each, without anything around them."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "bare.sqlite3", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, value BLOB)")
        begun = time.perf_counter()
        for _ in range(count * statements):
            connection.execute("INSERT INTO bare (value) VALUES (?)", (PAYLOAD,))
        spent = (time.perf_counter() - begun) / count
        connection.close()
    return spent


def added() -> Row:
    """From submitting a job that does nothing to its stored result."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    commits = bare(4)
    with state() as storage:
        dispatcher = Dispatcher(storage, "benchmarks.programs:run", workers=2)
        dispatcher.start()
        while not dispatcher.ready:
            time.sleep(0.05)
        ended = threading.Event()
        storage.events.settled.subscribe(lambda _job_id: ended.set())
        spent = []
        for _ in range(RUNS):
            ended.clear()
            begun = time.perf_counter()
            storage.jobs.submit(new())
            ended.wait()
            spent.append(time.perf_counter() - begun)
        dispatcher.stop()
    ours = statistics.median(spent)
    return Row(
        what="what the dispatcher adds to a job",
        ours=seconds(ours),
        other=f"4 bare commits: {seconds(commits)}",
        ratio=f"{ours / commits:.1f}",
        least="20 ms",
        aim="5 ms",
        met=ours < 0.020,
    )


def accepted() -> Row:
    """Tasks that are acknowledged over HTTP in a second, each on disk."""
    commit = 1 / bare(1, 500)
    with served() as (url, _):
        asyncio.run(rate(url, POST, connections=8, seconds=1))
        ours = asyncio.run(rate(url, POST, connections=64, seconds=5))
    return Row(
        what="jobs accepted over HTTP, durably",
        ours=f"{ours:,.0f}/s",
        other=f"bare commits: {commit:,.0f}/s",
        ratio=f"{ours / commit:.2f}",
        least="400/s",
        aim="1,500/s",
        met=ours > 400,
    )


def cycled() -> Row:
    """Jobs that are inserted, claimed, started and finished in a second, by eight threads as slots do."""
    count, threads = 2000, 8
    raw = 1 / bare(3)
    with state() as storage:

        def submit() -> None:
            for _ in range(count // threads):
                storage.jobs.submit(new())

        claims = []
        lock = threading.Lock()

        def run() -> None:
            while True:
                with lock:
                    if not claims:
                        claims.extend(storage.queue.claim("benchmark", threads, LEASE))
                    if not claims:
                        return
                    claim = claims.pop()
                storage.queue.start(claim)
                storage.queue.finish(claim, Outcome(result=PAYLOAD))

        begun = time.perf_counter()
        together(submit, threads)
        together(run, threads)
        ours = count / (time.perf_counter() - begun)
    return Row(
        what="insert, claim, start and finish",
        ours=f"{ours:,.0f}/s",
        other=f"3 bare commits a job: {raw:,.0f}/s",
        ratio=f"{ours / raw:.2f}",
        least="1,000/s",
        aim="2,000/s",
        met=ours > 1000,
    )


def together(work: Callable[[], None], count: int) -> None:
    """Do the same in several threads."""
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fill(storage: Storage, count: int, new: Callable[[int], NewJob]) -> list[str]:
    """Queue many jobs in one transaction; their ids."""
    now = storage.clock.now()
    values = []
    for number in range(count):
        job = new(number)
        place = {"ticket": number + 1, "payload": job.payload}
        values.append(rows.job_values(job, rows.new_id(now), now) | place)
    storage._database.writer.run(lambda connection: connection.execute(insert(jobs), values))
    return [value["id"] for value in values]


def claimed() -> Row:
    """A claim when many wait against a claim when few do, in turn."""

    def cost(storage: Storage) -> float:
        begun = time.perf_counter()
        (claim,) = storage.queue.claim("benchmark", 1, LEASE)
        spent = time.perf_counter() - begun
        storage.queue.finish(claim, Outcome(failure=Failure.PROGRAM, reason="Measured."))
        return spent

    def job(number: int) -> NewJob:
        return new(f"d{number % 5}", f"account {number % 7}")

    with state() as short, state() as long:
        fill(short, 100 + RUNS, job)
        fill(long, 100_000 + RUNS, job)
        pairs = [(cost(short), cost(long)) for _ in range(RUNS)]
    few, many = (statistics.median(times) for times in zip(*pairs, strict=True))
    return Row(
        what="claim from 100,000 queued jobs",
        ours=seconds(many),
        other=f"from 100: {seconds(few)}",
        ratio=f"{many / few:.2f}",
        least="2 times",
        aim="the same",
        met=many < 2 * few,
    )


def asked() -> Row:
    """The status of a job when ten thousand are in the store."""
    with served(status_hold="0") as (url, storage):
        asyncio.run(times(url, [POST]))
        (first,) = storage.jobs.find(JobQuery()).jobs
        payload = storage.jobs.payload(first.id)

        def job(_number: int) -> NewJob:
            return NewJob(account="local", device=first.device, kind=first.kind, api=first.api, payload=payload)

        ids = fill(storage, 10_000, job)
        paths = [request("GET", f"/task/{job_id}/status") for job_id in ids[::10]]
        hello, status = asyncio.run(in_turn(url, paths))
    ours, other = p99(status), p99(hello)
    return Row(
        what="status with 10,000 jobs in the store, p99",
        ours=seconds(ours),
        other=f"/hello: {seconds(other)}",
        ratio=f"{ours / other:.1f}",
        least="20 ms",
        aim="5 ms",
        met=ours < 0.020,
    )


async def in_turn(url: str, paths: list[bytes]) -> tuple[list[float], list[float]]:
    """Seconds of an unrelated request and of each of these, in turn."""
    connection = await Connection.to(url)
    plain, spent = [], []
    for data in paths:
        for wanted, kept in ((HELLO, plain), (data, spent)):
            begun = time.perf_counter()
            status, body = await connection.ask(wanted)
            kept.append(time.perf_counter() - begun)
            if status != 200:
                raise RuntimeError(f"the server answered {status}: {body[:200]!r}")
    connection.close()
    return plain, spent


def held() -> Row:
    """An unrelated request while two thousand clients hold a status request, against none."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with served(status_hold="20") as (url, _):
        alone, crowded = asyncio.run(crowd(url))
    return Row(
        what=f"unrelated request while {HOLDERS:,} are held, p99",
        ours=seconds(crowded),
        other=f"while none is: {seconds(alone)}",
        ratio=ratio(crowded, alone),
        least="3 times",
        aim="1.5 times",
        met=crowded < 3 * alone,
    )


async def crowd(url: str) -> tuple[float, float]:
    """p99 of an unrelated request without and with the crowd."""
    connection = await Connection.to(url)
    _, body = await connection.ask(POST)
    status = request("GET", f"/task/{json.loads(body)['task_id']}/status")
    alone = p99(await times(url, [HELLO] * 1000))
    waiting = []
    for _ in range(HOLDERS):
        holder = await Connection.to(url)
        waiting.append((holder, asyncio.create_task(holder.ask(status))))
        await asyncio.sleep(0)
    await asyncio.sleep(1)
    crowded = p99(await times(url, [HELLO] * 1000))
    if any(task.done() for _, task in waiting):
        raise RuntimeError("some of the crowd were not held")
    for holder, task in waiting:
        task.cancel()
        holder.close()
    await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
    return alone, crowded


def tables() -> list[Table]:
    """The table of the dispatcher."""
    rows_ = [added(), accepted(), cycled(), claimed(), asked(), held()]
    note = "SQLite, synchronous=FULL; bare commits are single rows of 1.5 kB on the same disk in the same run."
    return [Table(title="Dispatcher", rows=rows_, note=note)]
