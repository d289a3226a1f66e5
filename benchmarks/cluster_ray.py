"""Noisy Bell jobs through PostgreSQL and a Ray cluster of two nodes beside the same jobs through SQLite and the embedded workers,
in turn; and how soon a node that is added takes work."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from tests.simulation.circuits import bell

from clusters import Cluster
from postgres import temporary
from qumulus import cluster
from qumulus.core.jobs import JobState, NewJob
from qumulus.core.ports import JobQuery
from qumulus.execution import Dispatcher
from qumulus.execution.worker_pool import HERE
from qumulus.storage import open_storage

from .dispatcher import fill
from .noise import isa, program
from .tables import Row, Table, seconds

JOBS = 300
WARM_JOBS = 100
ROUNDS = 5
JOINS = 3
BUSY_SECONDS = 2  # until the runs are known to be short
READY_SECONDS = 60
END_SECONDS = 120
DEVICE = "brisbane"


class Side:
    """A state and a dispatcher on it that runs jobs on two cores."""

    def __init__(self, home: Path, command: tuple[str, ...] = HERE, url: str | None = None) -> None:
        self.storage = open_storage(home, url=url)
        self.dispatcher = Dispatcher(self.storage, workers=2, devices=[DEVICE], command=command)
        self.dispatcher.start()

    def wait(self) -> None:
        """Until both workers are there."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.dispatcher.ready or self.dispatcher.workers < 2:
            if time.monotonic() > deadline:
                raise RuntimeError("the workers are not ready")
            time.sleep(0.05)

    def rate(self, new: NewJob, count: int) -> float:
        """Jobs that end in a second."""
        settled = threading.Semaphore(0)

        def count_it(_job_id: str) -> None:
            settled.release()

        self.storage.events.settled.subscribe(count_it)
        begun = time.perf_counter()
        fill(self.storage, count, lambda _number: new)
        self.storage.events.queued.emit(None)
        for _ in range(count):
            if not settled.acquire(timeout=END_SECONDS):
                raise RuntimeError("the jobs do not end")
        spent = time.perf_counter() - begun
        self.storage.events.settled.unsubscribe(count_it)
        bad = self.storage.jobs.find(JobQuery(states=frozenset({JobState.FAILED}), limit=1))
        if bad.total:
            raise RuntimeError(f"jobs failed: {bad.jobs[0].reason}")
        return count / spent

    def stop(self) -> None:
        """End it."""
        self.dispatcher.stop()
        self.storage.close()


def throughput() -> Row:
    """Jobs a second, both ways."""
    payload = program(isa(bell(), DEVICE), DEVICE).payload
    new = NewJob(account="local", device=DEVICE, kind="runtime.sampler", api="benchmark", payload=payload)
    with tempfile.TemporaryDirectory() as folder, temporary() as postgres, Cluster(nodes=2, cpus=1) as machines:
        os.environ.update(machines.environment)
        sides = [
            Side(Path(folder) / "embedded"),
            Side(Path(folder) / "cluster", cluster.command(machines.address), postgres.url),
        ]
        for side in sides:
            side.wait()
            side.rate(new, WARM_JOBS)
        pairs = [[side.rate(new, JOBS) for side in sides] for _ in range(ROUNDS)]
        for side in sides:
            side.stop()
    here, there = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    share = statistics.median(there / here for here, there in pairs)
    return Row(
        what="noisy Bell jobs through PostgreSQL and two nodes of a Ray cluster",
        ours=f"{there:,.0f}/s",
        other=f"embedded workers, SQLite: {here:,.0f}/s",
        ratio=f"{share:.2f}",
        least="0.7",
        aim="0.9",
        met=share >= 0.7,
    )


def joining(new: NewJob) -> float:
    """Seconds until a node takes work that joins two busy ones."""
    with tempfile.TemporaryDirectory() as folder, temporary() as postgres, Cluster(nodes=2, cpus=1) as machines:
        os.environ.update(machines.environment)
        side = Side(Path(folder) / "cluster", cluster.command(machines.address), postgres.url)
        side.wait()
        fill(side.storage, 10_000, lambda _number: new)
        side.storage.events.queued.emit(None)
        time.sleep(BUSY_SECONDS)
        before = side.dispatcher.workers
        machines.add()
        begun = time.perf_counter()
        while side.dispatcher.workers <= before:  # told when it is given what waits there: some always do
            if time.perf_counter() - begun > READY_SECONDS:
                raise RuntimeError("the node takes no work")
            time.sleep(0.005)
        spent = time.perf_counter() - begun
        side.stop()
    return spent


def joined() -> Row:
    """From the moment at which a node has joined a busy cluster until a job runs on it; with PostgreSQL.

    Each time in a new cluster: one that has just lost a node sends to it for some seconds what is to begin.
    """
    payload = program(isa(bell(), DEVICE), DEVICE).payload
    new = NewJob(account="local", device=DEVICE, kind="runtime.sampler", api="benchmark", payload=payload)
    spent = [joining(new) for _ in range(JOINS)]
    return Row(
        what="a node that has joined a busy cluster takes work",
        ours=seconds(statistics.median(spent)),
        least="5 s",
        aim="2 s",
        met=statistics.median(spent) <= 5,
    )


def tables() -> list[Table]:
    """The table of the cluster."""
    note = f"{JOBS} jobs a round, {ROUNDS} rounds of both in turn; one CPU a node, everything on the same machine; both databases sync each commit."
    return [Table(title="Ray", rows=[throughput(), joined()], note=note)]
