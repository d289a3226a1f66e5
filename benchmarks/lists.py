"""Lists and filters where 100,000 jobs have ended and 10,000 wait, beside the same requests to a server that has none, in turn."""

from __future__ import annotations

import http.client
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from sqlalchemy import insert, text

sys.path.append(str(Path(__file__).parent.parent / "tests"))  # the PostgreSQL and the servers of the tests

import os

from postgres import Postgres
from qumulus.apis.ibm.instances import LOCAL_CRN
from qumulus.core.devices import DeviceSettings
from qumulus.core.jobs import NewJob
from qumulus.storage import Storage, open_storage
from qumulus.storage.database.counting import tidy
from qumulus.storage.database.tables import jobs
from qumulus.storage.jobs import rows
from servers import Server

from .tables import Row, Table, seconds

JOBS, ROUNDS, AT_ONCE = int(os.environ.get("N", "100000")), int(os.environ.get("R", "15")), 5_000
MOST = 3.0  # times as long as without jobs
QUICK = 0.010  # seconds, in which any list is quick: an empty store, which looks for nothing, answers in one thousandth
QUEUED = JOBS // 10  # jobs that wait besides, the newest
DAYS = 30  # over which the jobs were made
OLD = 8_000  # of the oldest jobs have a text that no other has

TOKEN = "qumulus-local"
IBM = {"Authorization": f"Bearer {TOKEN}", "Service-CRN": "local", "IBM-API-Version": "2026-04-15"}
ADMIN = {"Authorization": "Bearer qumulus-admin"}
OQTOPUS = {"q-api-token": f"local.{TOKEN}"}
PLANQK = {"X-Auth-Token": TOKEN}
FUNCTIONS = {"Authorization": f"Bearer {TOKEN}", "Service-CRN": LOCAL_CRN}

KINDS = (  # api, kind, devices, instance: in turn
    ("ibm/runtime", "runtime.sampler", ("fez", "marrakesh", "torino"), LOCAL_CRN),
    ("ibm/runtime", "runtime.estimator", ("fez", "brisbane"), LOCAL_CRN),
    ("oqtopus/user", "openqasm.job", ("kawasaki", "qulacs"), None),
    ("oqtopus/task", "openqasm.task", ("kawasaki", "qulacs"), None),
    ("planqk/quantum", "planqk.qiskit", ("azure.ionq.simulator",), None),
)
NEVER = DeviceSettings(least_queue_seconds=86_400)  # jobs that wait shall wait as long as is measured

NOW = datetime.now(UTC)
LONG_SINCE, SINCE, UNTIL = (quote((NOW - timedelta(days=days)).isoformat()) for days in (10, 2, 1))
LISTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "User API: jobs": ("/jobs?fields=job_id,status", OQTOPUS),
    "User API: of a state that many have": ("/jobs?status=succeeded&fields=job_id", OQTOPUS),
    "User API: of a state that few have": ("/jobs?status=failed&fields=job_id", OQTOPUS),
    "User API: of a state that none has": ("/jobs?status=running&fields=job_id", OQTOPUS),
    "User API: that were never queued": ("/jobs?status=registered&fields=job_id", OQTOPUS),
    "User API: by a text in few": ("/jobs?q=rare&fields=job_id", OQTOPUS),
    "User API: by a text in none": ("/jobs?q=nothing&fields=job_id", OQTOPUS),
    "User API: by a text in most": ("/jobs?q=run&fields=job_id", OQTOPUS),
    "User API: by a text in the oldest 8,000": ("/jobs?q=ancient&fields=job_id", OQTOPUS),
    "User API: by two letters in none": ("/jobs?q=zz&fields=job_id", OQTOPUS),
    "User API: by a part of no identifier": ("/jobs?q=fedcba98&fields=job_id", OQTOPUS),
    "User API: of a day": (f"/jobs?start_time={SINCE}&end_time={UNTIL}&fields=job_id", OQTOPUS),
    "User API: of ten days": (f"/jobs?start_time={LONG_SINCE}&end_time={UNTIL}&fields=job_id", OQTOPUS),
    "User API: tasks": ("/task", OQTOPUS),
    "User API: tasks of a device": ("/task?device=Kawasaki", OQTOPUS),
    "User API: tasks of a state that few have": ("/task?status=FAILED", OQTOPUS),
    "User API: tasks by a text in few": ("/task?q=rare", OQTOPUS),
    "User API: tasks by a text in none": ("/task?q=nothing", OQTOPUS),
    "Runtime: jobs": ("/v1/jobs?limit=10", IBM),
    "Runtime: the last page": ("/v1/jobs?limit=10&offset=43990", IBM),
    "Runtime: of a backend": ("/v1/jobs?limit=10&backend=ibm_brisbane", IBM),
    "Runtime: pending": ("/v1/jobs?limit=10&pending=true", IBM),
    "Runtime: ended": ("/v1/jobs?limit=10&pending=false", IBM),
    "Runtime: of a program": ("/v1/jobs?limit=10&program=estimator", IBM),
    "Runtime: with a tag that few have": ("/v1/jobs?limit=10&tags=rare", IBM),
    "Runtime: with a tag that none has": ("/v1/jobs?limit=10&tags=nothing", IBM),
    "Runtime: since a day": (f"/v1/jobs?limit=10&created_after={SINCE}", IBM),
    "Runtime: since ten days": (f"/v1/jobs?limit=10&created_after={LONG_SINCE}", IBM),
    "Runtime: of a day and a backend": (
        f"/v1/jobs?limit=10&created_after={SINCE}&created_before={UNTIL}&backend=ibm_fez",
        IBM,
    ),
    "Runtime: of a session": ("/v1/jobs?limit=10&session_id=0190a6f0-0000-7000-8000-000000000000", IBM),
    "Runtime: tags": ("/v1/tags?type=job&search=ra", IBM),
    "Runtime: workloads": ("/v1/workloads?limit=10", IBM),
    "Runtime: workloads that failed": ("/v1/workloads?limit=10&status=failed", IBM),
    "Runtime: workloads by a text in few": ("/v1/workloads?limit=10&search=rare", IBM),
    "Runtime: workloads by a text in many": ("/v1/workloads?limit=10&search=often", IBM),
    "Runtime: workloads by a part of no identifier": ("/v1/workloads?limit=10&search=fedcba98", IBM),
    "PLANQK: quantum jobs": ("/quantum/jobs?size=10", PLANQK),
    "PLANQK: executions": ("/platform/jobs", PLANQK),
    "Emulator: jobs": ("/emulator/jobs?limit=10", ADMIN),
    "Emulator: of a state that many have": ("/emulator/jobs?limit=10&state=succeeded", ADMIN),
    "Emulator: of a state that few have": ("/emulator/jobs?limit=10&state=cancelled", ADMIN),
    "Emulator: of a state that none has": ("/emulator/jobs?limit=10&state=running", ADMIN),
    "Emulator: that wait": ("/emulator/jobs?limit=10&state=queued", ADMIN),
    "Emulator: of a device": ("/emulator/jobs?limit=10&device=kawasaki", ADMIN),
    "Emulator: of a device that none is for": ("/emulator/jobs?limit=10&device=lima", ADMIN),
    "Emulator: of an API": ("/emulator/jobs?limit=10&api=planqk/quantum", ADMIN),
    "Emulator: of an API and a state": ("/emulator/jobs?limit=10&api=oqtopus/user&state=failed", ADMIN),
    "Emulator: by a text in few": ("/emulator/jobs?limit=10&q=rare", ADMIN),
    "Emulator: by a text in none": ("/emulator/jobs?limit=10&q=nothing", ADMIN),
    "Emulator: by a text in most": ("/emulator/jobs?limit=10&q=run", ADMIN),
    "Emulator: by a text in one of a hundred": ("/emulator/jobs?limit=10&q=run+12", ADMIN),
    "Emulator: by a text in the oldest 8,000": ("/emulator/jobs?limit=10&q=ancient", ADMIN),
    "Emulator: by a text in the oldest 8,000 of a state": ("/emulator/jobs?limit=10&q=ancient&state=failed", ADMIN),
    "Emulator: by two letters in none": ("/emulator/jobs?limit=10&q=zz", ADMIN),
    "Emulator: sessions": ("/emulator/sessions?limit=10", ADMIN),
}


def fill(storage: Storage, count: int) -> None:
    """Store jobs that have ended, as the queue would have left them, and a tenth as many that wait.

    One of 50 has failed, one of 200 was cancelled.
    """
    draw, now = random.Random(17), storage.clock.now()
    write = storage._database.writer.run
    for device in sorted({device for _, _, devices, _ in KINDS for device in devices}):
        storage.device_settings.set(device, NEVER)
    waiting = QUEUED if count else 0
    for begin in range(0, count + waiting, AT_ONCE):
        values = [_row(number, count, draw, now) for number in range(begin, min(count + waiting, begin + AT_ONCE))]
        write(lambda connection, values=values: connection.execute(insert(jobs), values))
    write(tidy)
    if count and storage._database.shared:  # as PostgreSQL does by itself within minutes
        with storage._database.read() as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _row(number: int, count: int, draw: random.Random, now: Any) -> dict[str, Any]:
    api, kind, devices, instance = KINDS[number % len(KINDS)]
    rare, old = number % 9973 == 0, number < OLD
    ago = timedelta(days=DAYS) * (1 - number / count) if number < count else timedelta(hours=-1) * (number / count - 1)
    at = now - ago - timedelta(hours=2)
    new = NewJob(
        account="local",
        device=draw.choice(devices),
        kind=kind,
        api=api,
        name="a rare name" if rare else f"ancient {number}" if old else f"run {number}",
        shots=1000,
        instance=instance,
        tags=("rare",) if rare else ("often",) if number % 3 == 0 else (),
        payload=b"",
        request={"backend": "azure.ionq.simulator", "parameters": {"note": "x" * 200}},
    )
    row = rows.job_values(new, rows.new_id(at), at)
    row |= {"ticket": number + 1, "payload": b"x" * 600, "payload_size": 600, "trace": None, "session": None}
    # All rows name the same columns: they are stored by one statement.
    ended = number < count
    state = "cancelled" if number % 200 == 3 else "failed" if number % 50 == 1 else "succeeded"
    row |= dict.fromkeys(("claimed_at", "running_at", "ended_at"), at if ended else None)
    row |= {"failure": "program" if ended and state == "failed" else None, "reason": None}
    return row | {"state": state if ended else "queued", "attempt": int(ended), "run_seconds": 0.5 if ended else None}


class Client:
    """One connection that stays."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)

    def seconds(self, path: str, headers: Mapping[str, str]) -> float:
        """How long a request takes."""
        begun = time.perf_counter()
        self._connection.request("GET", path, headers=dict(headers))
        answer = self._connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - begun
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered {answer.status}: {body[:300]!r}")
        return took


@contextmanager
def databases(kind: str) -> Iterator[tuple[str | None, str | None]]:
    """The addresses of two empty databases; None each for SQLite."""
    if kind == "SQLite":
        yield None, None
        return
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "data", "fsync=off").start()
        try:
            yield server.database("filled"), server.database("empty")
        finally:
            server.stop()


def measured(kind: str) -> list[Row]:
    """A row a list."""
    with ExitStack() as stack:
        clients, home = [], Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name, url, count in zip(("filled", "empty"), stack.enter_context(databases(kind)), (JOBS, 0), strict=True):
            storage = open_storage(home / name, url=url)
            fill(storage, count)
            storage.close()
            settings = {"QUMULUS_LOG": "off", "QUMULUS_SIMULATIONS": "1", "QUMULUS_STATUS_HOLD": "0"}
            settings |= {"QUMULUS_DATABASE": url} if url else {}
            server = stack.enter_context(Server(home / name, environment=settings))
            clients.append(Client(server.url))
        return [_compared(what, *clients, *LISTS[what]) for what in LISTS]


def _compared(what: str, filled: Client, empty: Client, path: str, headers: Mapping[str, str]) -> Row:
    slow, fast = [], []
    for _ in range(ROUNDS):
        slow.append(filled.seconds(path, headers))
        fast.append(empty.seconds(path, headers))
    ours, other = statistics.median(slow), statistics.median(fast)
    times = ours / other
    return Row(
        what=what,
        ours=seconds(ours),
        other=seconds(other),
        ratio=f"{times:.1f}",
        least=f"{MOST:g}, or {QUICK * 1000:g} ms",
        aim=f"{MOST:g}",
        met=times <= MOST or ours <= QUICK,
    )


def tables() -> list[Table]:
    """The tables of lists."""
    note = (
        f"Medians of {ROUNDS} requests each, in turn; `beside` is a server without jobs. A list shall take at most {MOST:g} times as "
        f"long as there. One that takes less than {QUICK * 1000:g} ms is quick enough too: an empty store answers in about one, as it "
        "looks for nothing."
    )
    return [
        Table(
            title=f"Lists with {JOBS:,} jobs that ended and {QUEUED:,} that wait, {kind}",
            rows=measured(kind),
            note=note,
        )
        for kind in ("SQLite", "PostgreSQL")
    ]
