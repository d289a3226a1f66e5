"""A real deployment under jobs that arrive at random: what the simulation of the queue is compared with."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from postgres import temporary
from qumulus.core.jobs import JobState
from qumulus.core.ports import JobQuery
from qumulus.storage import Storage, open_storage
from servers import Server

from .load import Connection, request
from .noise import RUNTIME

CONNECTIONS = 32
WARM_RATE, WARM_JOBS = 10.0, 50  # before those that count
END_SECONDS = 60


def arrivals(rate: float, count: int, seed: int = 1) -> Iterator[float]:
    """Seconds from the start at which jobs arrive, as in a Poisson process: nobody waits for anybody."""
    draw, at = random.Random(seed), 0.0
    for _ in range(count):
        at += draw.expovariate(rate)
        yield at


def driven(body: bytes, loads: Sequence[tuple[float, int]]) -> list[list[float]]:
    """Seconds of each job, from the moment at which its request is sent until its result is stored; a list for each load.

    ``loads``: jobs a second, and how many jobs. One process answers, another one dispatches to one worker, on a PostgreSQL.

    Raises:
        RuntimeError: a request was refused, or a job did not succeed.
    """
    with tempfile.TemporaryDirectory() as folder, temporary() as database:
        shared = {"QUMULUS_DATABASE": database.url, "QUMULUS_LOG": "off"}
        api = Server(Path(folder) / "api", environment=shared | {"QUMULUS_API_ONLY": "true"})
        with api as server, _dispatcher(Path(folder) / "dispatcher", shared):
            storage = open_storage(Path(folder) / "watch", url=database.url)
            data = request("POST", "/v1/jobs", body, RUNTIME)
            spent = []
            for rate, count in ((WARM_RATE, WARM_JOBS), *loads):
                sent = asyncio.run(_send(server.url, data, list(arrivals(rate, count))))
                ended = _ended(storage, count)
                spent.append([ended[job_id] - at for job_id, at in sent.items()])
            storage.close()
    return spent[1:]


@contextlib.contextmanager
def _dispatcher(home: Path, environment: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "qumulus", "worker", "--simulations", "1"]
    process = subprocess.Popen(command, env=os.environ | environment | {"QUMULUS_HOME": str(home)})
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


async def _send(url: str, data: bytes, times: Sequence[float]) -> dict[str, float]:
    """Send a request at each of some times, whether those before it are answered or not; when each job was sent, by its id."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Connection.to(url))
    sent: dict[str, float] = {}

    async def one(connection: Connection, at: float) -> None:
        status, answer = await connection.ask(data)
        if status >= 300:
            raise RuntimeError(f"the server answered {status}: {answer[:200]!r}")
        sent[json.loads(answer)["id"]] = at
        free.put_nowait(connection)

    begun = time.time()
    async with asyncio.TaskGroup() as tasks:
        for at in times:
            await asyncio.sleep(begun + at - time.time())
            tasks.create_task(one(await free.get(), begun + at))
    while not free.empty():
        free.get_nowait().close()
    return sent


def _ended(storage: Storage, count: int) -> dict[str, float]:
    """When each of the newest jobs has ended, by its id."""
    until = time.monotonic() + END_SECONDS
    while sum(storage.jobs.pending().values()):
        if time.monotonic() > until:
            raise RuntimeError("the jobs do not end")
        time.sleep(0.05)
    newest = storage.jobs.find(JobQuery(limit=count)).jobs
    if bad := next((job for job in newest if job.state is not JobState.SUCCEEDED), None):
        raise RuntimeError(f"a job has not succeeded: {bad.reason}")
    return {job.id: job.ended_at.timestamp() for job in newest if job.ended_at}
