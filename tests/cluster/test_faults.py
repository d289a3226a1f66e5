"""PostgreSQL, a Ray cluster and two dispatchers, all real: whatever is killed, stopped or restarted while jobs run, all jobs succeed, once.

The figures are those of one lease: what a dispatcher had that is gone is run again within it and two seconds.
"""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asking import TASK, ask
from audit import Audit, Step
from clusters import Cluster, session
from dispatchers import ME, alive, wait_for
from postgres import Postgres, temporary
from process_trees import children, command, family, gone, kill
from qumulus.core.jobs import Job, JobState
from qumulus.core.programs import Program
from qumulus.core.results import Outcome
from qumulus.dispatching.leases import HEARTBEAT_SECONDS, LEASE
from qumulus.storage import Storage, open_storage
from servers import Server

LONG = os.environ.get("QUMULUS_FAULTS") == "long"
JOBS, BETWEEN = (2_000, 25) if LONG else (80, 3)  # jobs, and how many of them end at least between two strikes
CLIENTS = 4
WAITING = 40  # jobs that are to wait at least: no place is ever idle
READY_SECONDS = 120
SLACK_SECONDS = 0.5  # that a pulse itself takes on a busy machine
# Until what a dispatcher had that is gone is queued again:
AGAIN_SECONDS = LEASE.total_seconds() + HEARTBEAT_SECONDS + SLACK_SECONDS
ORPHAN_SECONDS = 5
REFUSED_SECONDS = 5
STOPPED_SECONDS = AGAIN_SECONDS + 1  # longer than a lease
BUSY_TICKS = 5  # hundredths of a second of computing in a third of one
MARK = "FAULTS_RUN"  # in the environment of every process that is started here


def circuit(qubits: int, layers: int, seed: int) -> dict[str, object]:
    """A task on an ideal device: gates drawn at random, so that all qubits are entangled."""
    draw, code = random.Random(seed), f'OPENQASM 3; include "stdgates.inc"; qubit[{qubits}] q; bit[{qubits}] c;'
    for _ in range(layers):
        code += "".join(f"rx({draw.random():.3f}) q[{n}];" for n in range(qubits))
        order = draw.sample(range(qubits), qubits)
        code += "".join(f"cx q[{a}], q[{b}];" for a, b in zip(order[::2], order[1::2], strict=True))
    return TASK | {"code": f"{code} c = measure q;", "n_shots": 100}


SECONDS = circuit(20, 40, seed=1)  # of simulation, about four
MOMENT = circuit(16, 10, seed=2)  # about a tenth of one


class Dispatcher:
    """A `qumulus worker` whose jobs run on the cluster, with a folder of its own."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.log = home.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "qumulus", "worker"],
                env=os.environ | environment | {"QUMULUS_HOME": str(home)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def driver(self) -> int | None:
        """Its process that knows Ray."""
        return next((pid for pid in children(self.pid) if "cluster.driver" in command(pid)), None)

    def kill(self) -> None:
        """`kill -9`, after which nothing of it is left."""
        left = family(self.pid)
        kill(self.pid)
        self.process.wait()
        gone(left, ORPHAN_SECONDS)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


class Machines:
    """All processes, and what is done to them."""

    def __init__(self, folder: Path, postgres: Postgres, cluster: Cluster) -> None:
        self.postgres = postgres
        self.cluster = cluster
        url = postgres.database("qumulus")
        self.storage: Storage = open_storage(folder / "mine", url=url)
        self.audit = Audit(url)
        self._folder = folder
        self._homes = itertools.count(1)
        self._environment = cluster.environment | {
            "QUMULUS_DATABASE": url,
            "QUMULUS_RUNNER": cluster.address,
            "QUMULUS_LOG_LEVEL": "warning",
        }
        answering = {"QUMULUS_API_ONLY": "true", "QUMULUS_STATUS_HOLD": "0", "QUMULUS_RUNNER": "here"}
        self.server = Server(folder / "api", environment=self._environment | answering).start(ready=False)
        self.dispatchers: list[Dispatcher] = []
        self._begun: list[Dispatcher] = []
        for _ in range(2):
            self.begin()

    def begin(self) -> Dispatcher:
        """One dispatcher more."""
        home = self._folder / f"dispatcher-{next(self._homes)}"
        self._begun.append(Dispatcher(home, self._environment))
        self.dispatchers.append(self._begun[-1])
        return self._begun[-1]

    def places(self) -> list[int]:
        """The actors on the nodes that live."""
        nodes = [node.process.pid for node in self.cluster.nodes]
        return [pid for node in nodes for pid in session(node) if command(pid).startswith("ray::Place")]

    def parents(self) -> list[int]:
        """Their fork servers."""
        return [pid for place in self.places() for pid in children(place)]

    def workers(self) -> list[int]:
        """And the workers of these."""
        return [pid for parent in self.parents() for pid in children(parent)]

    def ready(self) -> bool:
        """Whether each dispatcher has a place, with a worker."""
        return len(self.workers()) >= len(self.dispatchers)

    def submit(self, task: object) -> str:
        status, answer = ask(self.server, "POST", "/task", task)
        assert status == 200, answer
        return answer["task_id"]

    def running(self, job: str) -> bool:
        return self.storage.jobs.get(job, ME).state is JobState.RUNNING

    def holder(self, job: str) -> Dispatcher:
        """The dispatcher that has a job."""
        return next(one for one in self.dispatchers if any(held == job for held, _ in self.audit.held(one.pid)))

    def again(self, job: str, attempt: int, seconds: float) -> Step:
        """How a job was queued again by whom its attempt was handed back."""

        def handed_back() -> list[Step]:
            return [one for one in self.audit.steps(job) if (one.after, one.attempt) == ("queued", attempt)]

        wait_for(handed_back, seconds + 5, lambda: str(self.audit.steps(job)))
        return handed_back()[0]

    def told(self) -> str:
        """Who has what, where a test waits in vain."""
        held = {one.log.name: (one.pid, one.driver, self.audit.held(one.pid)) for one in self.dispatchers}
        return f"dispatchers, their drivers and jobs: {held}; places: {self.places()}; workers: {self.workers()}"

    def left(self) -> list[int]:
        """What lives of all that was started here and is no part of Ray."""
        mark = f"{MARK}={self.cluster.environment[MARK]}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                marked = mark in path.read_bytes()
            except OSError:
                continue
            pid = int(path.parent.name)
            if marked and "qumulus" in command(pid) and alive(pid):
                found.append(pid)
        return found

    def stop(self) -> None:
        """As people do it; nothing is left of the dispatchers, their drivers, places and workers."""
        for one in self.dispatchers:
            assert one.stop() == 0
        assert self.server.stop() == 0
        self.storage.close()
        wait_for(lambda: not self.left() and not self.places(), ORPHAN_SECONDS, lambda: str(self.left()))

    def close(self) -> None:
        """End what is left where a test has failed: what stands still would stay for ever."""
        for one in self._begun:
            if one.process.poll() is None:
                one.kill()
        if self.server.process is not None and self.server.process.poll() is None:
            self.server.kill()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    mark = secrets.token_hex(8)
    with temporary() as postgres, Cluster(nodes=2, cpus=1, **{MARK: mark}) as cluster:
        made = Machines(tmp_path_factory.mktemp("machines"), postgres, cluster)
        try:
            wait_for(made.ready, READY_SECONDS)
            yield made
            made.stop()
        finally:
            made.close()


def busy(machines: Machines) -> int:
    """A worker that computes just now."""
    found: list[int] = []

    def looked() -> list[int]:
        found[:] = computing(machines.workers())
        return found

    wait_for(looked, READY_SECONDS)
    return found[0]


def computing(pids: list[int]) -> list[int]:
    """Those of some processes that compute just now."""
    before = {pid: ticks(pid) for pid in pids}
    time.sleep(0.3)
    return [pid for pid, spent in before.items() if ticks(pid) - spent > BUSY_TICKS]


def ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


# -- one fault, and nothing else ---------------------------------------------------------------------------------------


def test_whatever_is_killed_under_a_run_leaves_no_process_and_the_run_is_begun_again_at_once(machines):
    """Only the death of the worker itself counts: it may have been the program that it died of."""
    job = machines.submit(SECONDS)
    for returned, what in enumerate(("worker", "fork server", "place", "driver")):
        wait_for(lambda: machines.running(job), READY_SECONDS, lambda: str(machines.audit.steps(job)))
        worker = busy(machines)
        parent = parent_of(worker)
        place = parent_of(parent)
        driver = machines.holder(job).driver
        assert driver is not None
        victim = {"worker": worker, "fork server": parent, "place": place, "driver": driver}[what]
        left = {"worker": [worker], "fork server": [parent, worker]}.get(what, [victim, place, parent, worker])
        attempt = machines.storage.jobs.get(job, ME).attempt  # one that found no worker yet was put back
        begun = time.time()
        kill(victim)
        gone(left, ORPHAN_SECONDS)
        step = machines.again(job, attempt, HEARTBEAT_SECONDS)
        assert step.at - begun < HEARTBEAT_SECONDS, what
        assert (step.counted, step.returned) == (1, returned), what
    wait_for(lambda: machines.storage.jobs.get(job, ME).final, READY_SECONDS)
    assert same_as_alone(machines.storage, machines.storage.jobs.get(job, ME))
    (end,) = [step for step in machines.audit.steps(job) if step.after == "succeeded"]
    assert (end.counted, end.returned) == (1, 3)
    wait_for(machines.ready, READY_SECONDS)


def test_a_dispatcher_that_stands_still_for_longer_than_its_lease_has_lost_its_job_and_changes_nothing_later(machines):
    job = machines.submit(SECONDS)
    wait_for(lambda: machines.running(job), READY_SECONDS)
    frozen = machines.holder(job)
    worker = busy(machines)
    machines.dispatchers.remove(frozen)
    begun = time.time()
    os.kill(frozen.pid, signal.SIGSTOP)
    assert machines.audit.held(frozen.pid) == [(job, 1)]
    time.sleep(max(0.0, begun + STOPPED_SECONDS - time.time()))
    step = machines.again(job, 1, AGAIN_SECONDS)
    assert step.at - begun <= AGAIN_SECONDS
    assert (step.counted, step.returned) == (0, 1)
    assert machines.audit.late(begun) == 0
    wait_for(lambda: not computing([worker]), READY_SECONDS)  # on a busy machine it may take longer than a lease
    os.kill(frozen.pid, signal.SIGCONT)
    wait_for(lambda: machines.audit.late(begun), AGAIN_SECONDS)  # it tells how its run ended
    wait_for(lambda: machines.storage.jobs.get(job, ME).final, READY_SECONDS)
    (end,) = [step for step in machines.audit.steps(job) if step.after == "succeeded"]
    assert end.attempt == 2
    assert f":{frozen.pid}:" not in (end.owner or "")
    machines.dispatchers.append(frozen)


@pytest.mark.skipif(not LONG, reason="a worker may stand still for as long as a lease: `make test-faults` waits for it")
def test_a_worker_that_stands_still_is_ended_after_a_lease_and_that_counts(machines):
    job = machines.submit(SECONDS)
    wait_for(lambda: machines.running(job), READY_SECONDS)
    worker = busy(machines)
    begun = time.time()
    os.kill(worker, signal.SIGSTOP)
    step = machines.again(job, 1, AGAIN_SECONDS)
    assert LEASE.total_seconds() - 1 < step.at - begun <= AGAIN_SECONDS
    assert (step.counted, step.returned) == (1, 0)
    assert not alive(worker)
    wait_for(lambda: machines.storage.jobs.get(job, ME).final, READY_SECONDS)
    assert machines.storage.jobs.get(job, ME).attempt == 2


# -- all of them, under load -------------------------------------------------------------------------------------------


class Clients:
    """Clients that submit task after task, so that some wait at any time, and note each answer."""

    def __init__(self, machines: Machines) -> None:
        self.accepted: list[str] = []
        self.accepted_at = 0.0  # the last one, on a clock that never leaps
        self.refused: list[float] = []
        self.unanswered: list[Exception] = []
        self._left = threading.Semaphore(JOBS)  # to be sent
        self.hurry = False  # whether to submit although enough wait
        self._machines = machines
        self._before = machines.audit.ended()
        self._ended = 0
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._submit, daemon=True) for _ in range(CLIENTS)]
        self._threads.append(threading.Thread(target=self._count, daemon=True))
        for thread in self._threads:
            thread.start()

    def _count(self) -> None:
        while not self._done.wait(0.2):
            self._ended = self._machines.audit.ended() - self._before

    def _submit(self) -> None:
        while not self._done.wait(0.02):
            if len(self.accepted) - self._ended > WAITING and not self.hurry:
                continue
            if not self._left.acquire(blocking=False):
                continue  # of what is on its way, some may be refused
            try:
                status, answer = ask(self._machines.server, "POST", "/task", MOMENT, timeout=60)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.unanswered.append(error)
                continue
            if status == 200:
                self.accepted.append(answer["task_id"])
                self.accepted_at = time.monotonic()
            else:
                assert status == 503, answer
                self.refused.append(time.monotonic())
                self._left.release()

    @property
    def ended(self) -> int:
        """How many of the tasks have ended."""
        return self._ended

    @property
    def sent(self) -> bool:
        """Whether all that are to be sent were accepted."""
        return len(self.accepted) >= JOBS

    @property
    def done(self) -> bool:
        """Whether all that are to be sent have ended."""
        return self.sent and self._ended >= len(self.accepted)

    def stop(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(90)


class Striker:
    """Hurts one thing after the other, and looks at what follows."""

    def __init__(self, machines: Machines, clients: Clients, seed: int) -> None:
        self.machines = machines
        self.clients = clients
        self.draw = random.Random(seed)
        self.struck: Counter[str] = Counter()
        self.slowest: dict[str, float] = defaultdict(float)  # seconds until a job was queued again, or accepted again
        self.taken_from_gone: list[tuple[str, int]] = []  # jobs with the attempts that somebody had who was gone
        self.strikes: dict[str, Callable[[], None]] = {
            "worker": lambda: self._one_of(machines.workers),
            "fork server": lambda: self._one_of(machines.parents),
            "place": lambda: self._one_of(machines.places),
            "driver": self._driver,
            "dispatcher": self._dispatcher,
            "node": self._node,
            "database": self._database,
            "stopped worker": self._stopped_worker,
            "stopped dispatcher": self._stopped_dispatcher,
        }

    def strike(self, what: str) -> None:
        """Hurt it, see to it that the figures hold, and that jobs go on."""
        self.strikes[what]()
        self.struck[what] += 1
        before = self.clients.ended
        wait_for(
            lambda: self.clients.done or self.clients.ended >= before + BETWEEN,
            READY_SECONDS,
            lambda: f"{what}: {self.machines.told()}",
        )

    def _one_of(self, those: Callable[[], list[int]]) -> None:
        wait_for(those, READY_SECONDS)
        victim = self.draw.choice(those())
        left = [victim, *family(victim)]
        kill(victim)
        gone(left, ORPHAN_SECONDS)

    def _driver(self) -> None:
        driver = self.draw.choice(self.machines.dispatchers).driver
        if driver is not None:
            kill(driver)
            gone([driver], ORPHAN_SECONDS)

    def _dispatcher(self) -> None:
        victim = self.draw.choice(self.machines.dispatchers)
        self._busy(victim)
        self.machines.dispatchers.remove(victim)
        begun = time.time()
        victim.kill()
        held = self.machines.audit.held(victim.pid)
        self.machines.begin()
        self._taken_over("dispatcher", held, begun)

    def _busy(self, dispatcher: Dispatcher) -> None:
        """Wait until it has a job."""
        wait_for(
            lambda: self.clients.done or self.machines.audit.held(dispatcher.pid), READY_SECONDS, self.machines.told
        )

    def _taken_over(self, what: str, held: list[tuple[str, int]], begun: float) -> None:
        for job, attempt in held:
            seconds = self.machines.again(job, attempt, AGAIN_SECONDS).at - begun
            assert seconds <= AGAIN_SECONDS, (what, job)
            self.slowest[what] = max(self.slowest[what], seconds)
        self.taken_from_gone += held

    def _node(self) -> None:
        node = self.machines.cluster.nodes[-1]  # not the head
        left = [pid for pid in session(node.process.pid) for pid in (pid, *family(pid))]
        node.kill()
        gone(left, ORPHAN_SECONDS)
        self.machines.cluster.add()

    def _database(self) -> None:
        refused = len(self.clients.refused)
        self.clients.hurry = True
        begun = time.monotonic()
        self.machines.postgres.control("restart", "-m", "immediate")
        restarted = time.monotonic()
        wait_for(lambda: self.clients.sent or self.clients.accepted_at > restarted, READY_SECONDS)
        self.clients.hurry = False
        times = self.clients.refused[refused:]
        seconds = max(times, default=begun) - begun
        assert seconds <= REFUSED_SECONDS
        self.slowest["refusals"] = max(self.slowest["refusals"], seconds)

    def _stopped_worker(self) -> None:
        victim = busy(self.machines)
        begun = time.monotonic()
        os.kill(victim, signal.SIGSTOP)
        gone([victim], AGAIN_SECONDS)
        seconds = time.monotonic() - begun
        self.slowest["stopped worker"] = max(self.slowest["stopped worker"], seconds)

    def _stopped_dispatcher(self) -> None:
        victim = self.draw.choice(self.machines.dispatchers)
        self._busy(victim)
        begun = time.time()
        os.kill(victim.pid, signal.SIGSTOP)
        held = self.machines.audit.held(victim.pid)
        time.sleep(STOPPED_SECONDS)
        self._taken_over("stopped dispatcher", held, begun)
        os.kill(victim.pid, signal.SIGCONT)


def test_jobs_all_succeed_once_while_everything_is_killed_stopped_and_restarted(machines, record_property):
    before = [step.job for step in machines.audit.steps() if step.before is None]
    clients = Clients(machines)
    striker = Striker(machines, clients, seed=20261126)
    begun = time.monotonic()
    kinds = list(striker.strikes) if LONG else ["worker", "dispatcher", "node", "database"]  # the others are hit above
    wait_for(lambda: clients.ended >= 3, READY_SECONDS)
    while not clients.done and (LONG or not striker.struck):
        for what in striker.draw.sample(kinds, len(kinds)):
            if LONG and clients.done:
                break
            striker.strike(what)
    wait_for(lambda: clients.done, READY_SECONDS + JOBS / 4, lambda: f"{clients.ended} of {len(clients.accepted)}")
    seconds = time.monotonic() - begun
    clients.stop()
    assert clients.unanswered == []
    ends = machines.audit.check([*before, *clients.accepted])
    attempts = {end.job: end.attempt for end in ends}
    assert all(attempts[job] > attempt for job, attempt in striker.taken_from_gone)
    again = [job for job in clients.accepted if attempts[job] > 1]
    print(
        f"{len(clients.accepted)} jobs in {seconds:.0f} s; struck: {dict(striker.struck)}; "
        f"refused: {len(clients.refused)}; begun again: {len(again)}, attempts {dict(Counter(attempts.values()))}; "
        f"died by themselves: {sum(end.counted for end in ends)}; slowest: { {what: round(most, 2) for what, most in striker.slowest.items()} }; "
        f"ends told that changed nothing: {machines.audit.late(0)}"
    )
    record_property("measured", f"0 of {JOBS:,} lost, 0 twice; struck {sum(striker.struck.values())} times")
    assert len(clients.accepted) == JOBS
    assert again
    owners = {step.owner for step in machines.audit.steps() if step.after == "claimed"}
    assert len(owners) >= 2
    for job in [*again, *clients.accepted[:: max(8, JOBS // 40)]]:
        assert same_as_alone(machines.storage, machines.storage.jobs.get(job, ME)), job


def same_as_alone(storage: Storage, job: Job) -> bool:
    """Whether a job has the counts that its seed gives, run once more in this process."""
    seed = int.from_bytes(hashlib.sha256(job.id.encode()).digest()[:4])
    result, _ = storage.jobs.result(job.id)
    return json.loads(result)["counts"] == counts(storage.jobs.payload(job.id), seed)


def counts(payload: bytes, seed: int) -> dict[str, int]:
    from qumulus.simulation.worker import run

    program = Program(job_id="alone", kind="openqasm", payload=payload, device="qulacs", shots=100, seed=seed)
    outcome: Outcome = run(program, lambda *_: None)
    return json.loads(outcome.result)["counts"]
