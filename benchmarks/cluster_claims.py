"""Claims from a long queue in PostgreSQL: four dispatchers at once beside one, and whether any job is claimed twice.

Each dispatcher is a process. It claims as many jobs as it has workers and ends them at once, each in the thread of its worker, so that
only the queue is measured. A commit takes as long as the disk needs to sync: here that is next to nothing where the disk is a
virtual one, and milliseconds elsewhere, so the same is measured with commits that wait, too (`commit_delay`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from sqlalchemy import insert, text

from postgres import temporary
from qumulus.core.jobs import NewJob
from qumulus.storage import Storage, open_storage
from qumulus.storage.database.tables import jobs
from qumulus.storage.jobs import rows

from .tables import Row, Table

QUEUED = 100_000
DISPATCHERS = 4
SECONDS = 6.0
WORKERS = 4  # of each dispatcher
ACCOUNTS = 10
DEVICES = 4
DISKS = {
    "this disk": (),
    "a disk that syncs in 2 ms": ("commit_delay=2000", "commit_siblings=0"),
}

DISPATCHER = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from qumulus.core.results import Failure, Outcome
from qumulus.storage import open_storage
storage = open_storage(Path(sys.argv[1]), url=sys.argv[2])
ended = Outcome(failure=Failure.PROGRAM, reason="measured")
workers = ThreadPoolExecutor(int(sys.argv[5]))
print("up", flush=True)
sys.stdin.readline()
begun, taken = time.monotonic(), []
while time.monotonic() - begun < float(sys.argv[4]):
    claims = storage.queue.claim(sys.argv[3], int(sys.argv[5]), timedelta(seconds=60))
    taken += [claim.job_id for claim in claims]
    if not all(workers.map(lambda claim: storage.queue.finish(claim, ended), claims)):
        sys.exit("a claim was not kept")
spent = time.monotonic() - begun
storage.close()
print(spent, *taken)
"""


def fill(storage: Storage, count: int) -> None:
    """Queue jobs, as quickly as can be."""
    now = storage.clock.now()

    def values(number: int) -> dict[str, object]:
        new = NewJob(
            account=f"account {number % ACCOUNTS}", device=f"device {number % DEVICES}", kind="x", api="benchmark"
        )
        return rows.job_values(new, rows.new_id(now), now) | {"ticket": number + 1, "payload": b"x" * 1500}

    for start in range(0, count, 5000):
        some = [values(number) for number in range(start, min(start + 5000, count))]
        storage._database.writer.run(lambda connection, some=some: connection.execute(insert(jobs), some))
    storage._database.writer.run(lambda connection: connection.execute(text("ANALYZE jobs")))


def race(home: Path, url: str, count: int, seconds: float = SECONDS) -> tuple[float, list[str]]:
    """Claims a second of some dispatchers together, and the jobs that they claimed."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", DISPATCHER, str(home), url, f"dispatcher-{number}", str(seconds), str(WORKERS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    for racer in racers:
        if racer.stdout is None or racer.stdout.readline() != "up\n":
            raise RuntimeError("a dispatcher did not start")
    for racer in racers:
        if racer.stdin is not None:
            racer.stdin.write("go\n")
            racer.stdin.flush()
    rate, taken = 0.0, []
    for racer in racers:
        spent, *ids = racer.communicate(timeout=120)[0].split()
        rate += len(ids) / float(spent)
        taken += ids
    return rate, taken


def claims(queued: int = QUEUED, seconds: float = SECONDS, *settings: str) -> tuple[float, float, int]:
    """Claims a second of one dispatcher and of `DISPATCHERS`, and how many jobs were claimed more than once.

    ``settings`` are PostgreSQL's.
    """
    with tempfile.TemporaryDirectory() as folder, temporary(*settings) as server:
        home, url = Path(folder), server.url
        storage = open_storage(home, url=url)
        fill(storage, queued)
        taken: list[str] = []
        rates: dict[int, list[float]] = {1: [], DISPATCHERS: []}
        for count in (1, DISPATCHERS, 1, DISPATCHERS):  # in turn: neighbours come and go
            rate, ids = race(home, url, count, seconds / 2)
            rates[count].append(rate)
            taken += ids
        storage.close()
    twice = sum(times - 1 for times in Counter(taken).values())
    return max(rates[1]), max(rates[DISPATCHERS]), twice


def tables() -> Sequence[Table]:
    """The table of the claims."""
    rows = []
    for disk, settings in DISKS.items():
        one, many, twice = claims(QUEUED, SECONDS, *settings)
        row = Row(
            what=f"jobs claimed and ended by {DISPATCHERS} dispatchers, {QUEUED:,} queued, {disk}",
            ours=f"{many:,.0f}/s, {twice} twice",
            other=f"one: {one:,.0f}/s",
            ratio=f"{many / one:.1f}",
            least="2, none twice",
            aim="3",
            met=many >= 2 * one and not twice,
        )
        rows.append(row)
    note = (
        f"PostgreSQL with synchronous commits; a process a dispatcher, {WORKERS} jobs a claim, {ACCOUNTS} accounts, {DEVICES} devices; "
        f"{os.cpu_count()} cores for the dispatchers and the database together."
    )
    return [Table(title="The queue of several dispatchers", rows=rows, note=note)]
