"""Jobs that a fault is for: found when they are claimed, and kept, where they are to be kept, until the fault is over.

A job that stays queued waits in a lane of its own, which names the fault. One whose provider is silent is held in the name of the
fault, without a lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select, update

from qumulus.core.faults import KEEPING, Fault, FaultKind, line
from qumulus.core.jobs import JobEvent, JobState, after
from qumulus.core.ports import Claim, Clock
from qumulus.storage.database.database import Database
from qumulus.storage.database.tables import IS_HELD, IS_QUEUED, jobs
from qumulus.storage.faults import SqlFaults, take_off

from . import rows
from .changes import AGAIN, changed, let_go, put_back, write_log
from .statements import JOB


class Injected:
    """What faults do to the jobs of a queue."""

    def __init__(
        self,
        database: Database,
        faults: SqlFaults,
        clock: Clock,
        tell: Callable[[str, Mapping[str, Any]], object],
    ) -> None:
        """``tell`` tells everybody what a job has become."""
        self._database = database
        self._faults = faults
        self._clock = clock
        self._tell = tell
        self._keeping: frozenset[str] | None = None  # the faults that kept jobs when we looked last
        self._told: frozenset[str] | None = None  # those that had taken devices off by then

    def sorted_out(self, claims: list[Claim]) -> list[Claim]:
        """Return the claims that go on, each with the fault that is for it; jobs that are to be kept are kept."""
        if not self._faults.of_jobs():
            return claims
        left = []
        for claim in claims:
            with self._database.read() as connection:
                job = rows.to_job(connection.execute(JOB, {"its_id": claim.job_id}).one())
            fault = self._faults.hit(job)
            if fault is not None and fault.rule.kind in KEEPING:
                self._keep(claim, fault)
            else:
                left.append(claim if fault is None else replace(claim, fault=fault))
        return left

    def _keep(self, claim: Claim, fault: Fault) -> None:
        now = self._clock.now()
        silent = fault.rule.kind is FaultKind.PROVIDER_SILENT
        if silent:
            event = JobEvent.START
            values: dict[str, Any] = {"state": after(JobState.CLAIMED, event).value, "running_at": now}
            values |= {"owner": rows.IN_NAME_OF + fault.id, "lease_until": None}
        else:
            event = JobEvent.RELEASE
            values = AGAIN | put_back(claim) | {"lane": rows.aside(rows.lane(claim.device, claim.account), fault.id)}

        def work(connection: Connection) -> None:
            if changed(connection, claim, event, {**values, "metadata": {"injected": fault.record}}):
                write_log(connection, claim, [line(fault, now)])

        self._database.writer.run(work)

    def tell_those_that_wait(self) -> None:
        """Tell jobs that wait for a device by what it was taken off since we looked last: a fault may begin later than it is made."""
        taking_off = self._faults.taking_off()
        before = self._told
        begun = [fault for fault in taking_off if before is not None and fault.id not in before]
        if begun:
            now = self._clock.now()
            self._database.writer.run(lambda connection: [take_off(connection, fault, now) for fault in begun])
        self._told = frozenset(fault.id for fault in taking_off)

    def let_go(self, *, from_before: bool = False) -> None:
        """Let the jobs go on whose fault is over; with ``from_before`` also those that were kept before this process began."""
        keeping = frozenset(
            fault.id for fault in self._faults.of_jobs() if fault.rule.kind in KEEPING and not fault.rule.dry_run
        )
        if keeping == self._keeping or (self._keeping is None and not keeping and not from_before):
            return
        now = self._clock.now()

        def work(connection: Connection) -> list[tuple[str, Mapping[str, Any]]]:
            moved: list[tuple[str, Mapping[str, Any]]] = []
            for row in _over(connection.execute(WAITING), keeping, lambda row: rows.fault_of(row.lane)):
                values: Mapping[str, Any] = {"lane": rows.lane(row.device, row.account), "metadata": {}}
                moved.append((row.id, values | {"state": JobState.QUEUED.value}))
                connection.execute(update(jobs).where(jobs.c.number == row.number).values(values))
            for row in _over(connection.execute(SILENT), keeping, lambda row: row.owner[len(rows.IN_NAME_OF) :]):
                values = let_go(row, now=now)
                moved.append((row.id, values))
                connection.execute(update(jobs).where(jobs.c.number == row.number).values(values))
            return moved

        for job_id, values in self._database.writer.run(work):
            self._tell(job_id, values)
        self._keeping = keeping


COLUMNS = tuple(jobs.c[name] for name in ("number", "id", "lane", "device", "account", "state", "owner"))
WAITING = select(*COLUMNS).where(IS_QUEUED, rows.IS_ASIDE)
SILENT = select(*COLUMNS).where(IS_HELD, jobs.c.owner.startswith(rows.IN_NAME_OF))


def _over(found: Iterable[Any], keeping: frozenset[str], fault: Callable[[Any], str]) -> list[Any]:
    """Return the rows whose fault keeps nothing any more."""
    return [row for row in found if fault(row) not in keeping]
