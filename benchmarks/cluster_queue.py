"""What limits a deployment first: the cost of a job at each station, measured here, and a simulation of the queue with it.

A job passes an API process (accepted) and waits for a worker, which it has until its end is stored: meanwhile it passes a dispatcher
and the one database (claimed, its end stored) and is simulated. Each station is measured at its limit; then jobs that arrive at
random (Poisson) are sent through as many of each as a plan has. Of the database there is one: what all dispatchers together reach is
its cost, their own work on the same cores included. A real system is driven with such jobs, too, to see how near that is.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from tests.simulation.circuits import bell

from asking import TASK, ask
from postgres import temporary
from qumulus.core.jobs import JobState, NewJob
from qumulus.core.ports import JobQuery
from qumulus.execution import Dispatcher
from qumulus.storage import open_storage
from servers import Server

from .cluster_claims import claims
from .driven import arrivals, driven
from .load import p99
from .noise import isa, program
from .tables import Row, Table, seconds

DEVICE = "brisbane"
JOBS, WARM = 200, 20
REQUESTS = 400
SIMULATED = 30_000  # jobs of each simulation
RATES = (10, 100, 1000)  # jobs a second
FULL = 0.7  # how busy a station may be before another one is added
DRIVEN = ((10, 200), (30, 600))  # jobs a second, and how many: what one of each station does for real
NEAR = (2, 3)  # how many times as long the median and the 99 % of that may take: it has two cores for everything

API, DISPATCHER, DATABASE, WORKER = "API processes", "dispatchers", "databases", "workers"


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of one job at each station."""

    api: float
    dispatcher: float
    database: float
    worker: Sequence[float]  # as they were measured, one a job, from the claim until the next one

    @property
    def means(self) -> dict[str, float]:
        """By station."""
        return {
            API: self.api,
            DISPATCHER: self.dispatcher,
            DATABASE: self.database,
            WORKER: statistics.mean(self.worker),
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What a simulation says of one plan."""

    busy: dict[str, float]  # by station, of 1
    median: float  # seconds from sending a job to its result
    p99: float


def measure() -> Costs:
    """All three, on a PostgreSQL of our own."""
    with tempfile.TemporaryDirectory() as folder, temporary() as server:
        worker = simulated(Path(folder) / "engine", server.database("engine"))
        api = accepted(Path(folder) / "api", server.database("api"))
    one, four, _ = claims(queued=20_000, seconds=4)
    return Costs(api, 1 / one, 1 / four, worker)


def simulated(home: Path, url: str) -> list[float]:
    """How long noisy Bell jobs keep a worker that always has another one."""
    payload = program(isa(bell(), DEVICE), DEVICE).payload
    new = NewJob(account="local", device=DEVICE, kind="runtime.sampler", api="benchmark", payload=payload)
    storage = open_storage(home, url=url)
    dispatcher = Dispatcher(storage, workers=1, devices=[DEVICE])
    dispatcher.start()
    while not dispatcher.ready:
        time.sleep(0.05)
    for _ in range(WARM + JOBS):
        storage.jobs.submit(new)
    while sum(storage.jobs.pending().values()):
        time.sleep(0.02)
    done = storage.jobs.find(JobQuery(limit=JOBS, states=frozenset({JobState.SUCCEEDED}))).jobs  # the newest
    dispatcher.stop()
    storage.close()
    ends = sorted(job.ended_at.timestamp() for job in done if job.ended_at)
    return [after - before for before, after in itertools.pairwise(ends)]


def accepted(home: Path, url: str) -> float:
    """What one job costs a process that accepts it over HTTP, at its limit."""
    with Server(
        home, environment={"QUMULUS_DATABASE": url, "QUMULUS_API_ONLY": "true", "QUMULUS_LOG": "off"}
    ) as server:

        def send(_number: int) -> int:
            return ask(server, "POST", "/task", TASK)[0]

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(send, range(50)))
            begun = time.perf_counter()
            answers = list(pool.map(send, range(REQUESTS)))
            spent = time.perf_counter() - begun
    if set(answers) != {200}:
        raise RuntimeError(f"requests were refused: {set(answers)}")
    return spent / REQUESTS


def plan(costs: Costs, rate: float) -> dict[str, int]:
    """How many of each station keep every one below `FULL`; of databases there is one."""
    needed = {name: max(1, math.ceil(rate * cost / FULL)) for name, cost in costs.means.items()}
    return needed | {DATABASE: 1}


def simulate(costs: Costs, times: Iterable[float], places: dict[str, int]) -> Result:
    """Send jobs through that arrive at some times: the first place that is free takes the one that waits longest."""
    draw = random.Random(1)
    free = {name: [0.0] * count for name, count in places.items()}
    worked = dict.fromkeys(places, 0.0)
    spent, sent = [], 0.0

    def served(name: str, now: float, cost: float) -> float:
        begun = max(now, heapq.heappop(free[name]))
        heapq.heappush(free[name], begun + cost)
        worked[name] += cost
        return begun + cost

    for sent in times:
        begun = max(served(API, sent, costs.api), heapq.heappop(free[WORKER]))
        claimed = served(DATABASE, served(DISPATCHER, begun, costs.dispatcher), costs.database)
        ended = max(claimed, begun + draw.choice(costs.worker))
        heapq.heappush(free[WORKER], ended)
        worked[WORKER] += ended - begun
        spent.append(ended - sent)
    busy = {name: worked[name] / (sent * places[name]) for name in places}
    return Result(busy, statistics.median(spent), p99(spent))


def tables() -> Sequence[Table]:
    """What a job costs, and what each load needs."""
    costs = measure()
    cost_rows = [
        Row(what=f"one of the {name}", ours=seconds(cost), other=f"{1 / cost:,.0f} jobs/s")
        for name, cost in costs.means.items()
    ]
    return [
        Table(
            title="What a job costs", rows=cost_rows, note="At the limit of each, all on this machine, noisy Bell jobs."
        ),
        Table(
            title="What a load needs, simulated",
            rows=[_needed(costs, rate) for rate in RATES],
            note=f"{SIMULATED:,} jobs each, arriving at random; no station but the database more than {FULL:.0%} busy.",
        ),
        Table(
            title="The simulation beside a real system",
            rows=_compared(costs),
            note="One of each station, the same arrivals; from sending a job until its result is stored: median, 99 %.",
        ),
    ]


def _compared(costs: Costs) -> list[Row]:
    """How long jobs take in a real system, beside the simulation of just that system."""
    body = program(isa(bell(), DEVICE), DEVICE).payload
    rows = []
    for (rate, count), real in zip(DRIVEN, driven(body, DRIVEN), strict=True):
        said = simulate(costs, arrivals(rate, count), dict.fromkeys(costs.means, 1))
        shares = (statistics.median(real) / said.median, p99(real) / said.p99)
        row = Row(
            what=f"{rate} jobs/s, {count:,} of them",
            ours=f"{seconds(statistics.median(real))}, {seconds(p99(real))}",
            other=f"simulated: {seconds(said.median)}, {seconds(said.p99)}",
            ratio=", ".join(f"{share:.2f}" for share in shares),
            least=" and ".join(f"1/{times} to {times}" for times in NEAR),
            met=all(1 / times <= share <= times for share, times in zip(shares, NEAR, strict=True)),
        )
        rows.append(row)
    return rows


def _needed(costs: Costs, rate: float) -> Row:
    """The plan for a load, and what the simulation says of it."""
    places = plan(costs, rate)
    alone = {name: rate * cost for name, cost in costs.means.items()}
    first = max(alone, key=lambda name: alone[name])
    waits = "grows without end"
    if alone[DATABASE] < 1:
        result = simulate(costs, arrivals(rate, SIMULATED), places)
        waits = f"median {seconds(result.median)}, p99 {seconds(result.p99)}"
    return Row(
        what=f"{rate:,} jobs/s",
        ours=", ".join(f"{count} {name}" for name, count in places.items() if name != DATABASE),
        other=f"one of the {first} would be {alone[first]:,.0%} busy",
        ratio=f"database {alone[DATABASE]:.0%} busy",
        aim=waits,
    )
