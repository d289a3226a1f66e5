"""Jobs as a dispatcher takes them: `core.ports.JobQueue` on the database.

**Fairness.** Each account has a lane at each device. The account that holds the fewest jobs is served next, among equals the
one that waited longest for its turn; within an account the oldest job that may run. A claim reads the lanes by skipping
through an index, so it costs the same however many jobs wait in them.

**Syncs.** Claims and starts end with the power, as the runs do: only what a client is told is synced (`Writer.run`).

**Fencing.** Each claim counts the job's attempt up, and every later statement names that attempt in its condition: once a job
was handed back, nothing that an older attempt says changes a row. Result and final state are one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count as counter
from typing import Any

from sqlalchemy import Connection, and_, case, or_, select, tuple_, update

from qumulus.core.errors import StorageFull, Unavailable, UnknownJob
from qumulus.core.events import End, Events
from qumulus.core.faults import instead, line, marked
from qumulus.core.jobs import FINAL, JobEvent, JobState, after
from qumulus.core.ports import BlobStore, Claim, Clock
from qumulus.core.ports.devices import AddedDevices
from qumulus.core.results import Failure, LogLine, Outcome
from qumulus.core.sent_devices import sent
from qumulus.storage.database.clock_jump import ClockJump
from qumulus.storage.database.database import Database
from qumulus.storage.database.tables import IS_HELD, IS_QUEUED, AnyRow, jobs
from qumulus.storage.device_settings import SqlDeviceSettings
from qumulus.storage.faults import SqlFaults

from . import rows
from .at_once import AtOnce, seed_of
from .changes import (
    AGAIN,
    CANCELLED,
    LOST,
    MOST_RETURNS,
    cause,
    changed,
    failed,
    handed_back,
    let_go,
    put_back,
    ran_on,
    write_log,
    write_progress,
)
from .fairness import FairQueue
from .injected import Injected
from .statements import CLAIM_COLUMNS, FORGET_RESULT, KEEP_RESULT, MINE, NOBODY, TAKE, of
from .values import RESULT_IN_ROW_BYTES, Values
from .waiting import Waiting

log = logging.getLogger("qumulus.storage")

RENEW = 0.85  # a lease with less than this of its time left is renewed


class SqlQueue:
    """The queue of one process. Which account had its turn last is remembered here; the rest is in the database."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        device_settings: SqlDeviceSettings,
        added_devices: AddedDevices,
        faults: SqlFaults,
        clock: Clock,
        events: Events,
    ) -> None:
        self._database = database
        self._values = Values(blobs)
        self._device_settings = device_settings
        self.sent_devices = added_devices  # what workers get of a device; who knows more of devices sets it
        self._clock = clock
        self._machine = database.clock  # by which leases go
        self._events = events
        self._leap = ClockJump(database.clock)
        self._injected = Injected(database, faults, clock, self._tell)
        self._waiting = Waiting(database, device_settings, events)
        self._turns: dict[str, int] = {}
        self._turn = counter(1)
        rest = (faults, database.clock, self._turns, self._turn)
        self.at_once = AtOnce(self._waiting, device_settings, added_devices, *rest)

    def claim(
        self,
        owner: str,
        count: int,
        lease: timedelta,
        *,
        devices: Callable[[str], bool] | None = None,
        besides: frozenset[str] = frozenset(),
    ) -> list[Claim]:
        """Take up to ``count`` jobs that may run now, fairly. See `JobQueue.claim`."""
        self._injected.let_go()
        self._injected.tell_those_that_wait()
        found = self._waiting.look(devices)
        here = [lane for lane in found.here if rows.device_and_account(lane)[1] not in besides]
        if not here:
            return []

        def work(connection: Connection) -> tuple[list[AnyRow], list[str]]:
            now = self._clock.now()
            candidates = FairQueue(connection, self._device_settings, now, self._turns, devices, here, besides)
            taken = []
            while len(taken) < count and (row := candidates.take(owner, self._machine.wall() + lease)) is not None:
                self._turns[row.account] = next(self._turn)
                taken.append(row)
            return taken, candidates.expired

        taken, expired = self._database.writer.run(work, synced=False)
        if len(taken) < count and not besides:
            self._waiting.served(found)
        for job_id in expired:
            self._tell(job_id, {"state": JobState.FAILED, "failure": Failure.TIME})
        return self._injected.sorted_out(self._claims(taken))

    def fetch(self, device: str, limit: int, lease: timedelta | None = None) -> list[Claim]:
        """Claim the oldest jobs of a device whose own engine fetches them. See `FetchedQueue.fetch`."""
        self._injected.let_go()

        def work(connection: Connection) -> list[AnyRow]:
            now = self._clock.now()
            oldest = (
                select(jobs.c.number)
                .where(IS_QUEUED, rows.lanes_of(device), ~rows.IS_ASIDE)
                .order_by(jobs.c.ticket, jobs.c.number)
                .limit(limit)
            )
            oldest = oldest.with_for_update(skip_locked=True)
            numbers = connection.execute(oldest).scalars().all()
            until = None if lease is None else self._machine.wall() + lease
            return [_take(connection, number, f"{rows.PROVIDER}{device}", now, until) for number in numbers]

        left = []
        for claim in self._injected.sorted_out(self._claims(self._database.writer.run(work))):
            outcome = instead(claim.fault) if claim.fault else None
            if claim.fault and outcome:  # nobody but us can have it fail
                self.finish(claim, marked(claim.fault, outcome), [line(claim.fault, self._clock.now())])
            else:
                left.append(claim)
        return left

    def renew(self, job_id: str, lease: timedelta) -> None:
        """Renew the lease of a job that was fetched with one. See `FetchedQueue.renew`."""
        fetched = and_(
            jobs.c.id == job_id, IS_HELD, jobs.c.owner.startswith(rows.PROVIDER), jobs.c.lease_until.is_not(None)
        )
        renewed = update(jobs).where(fetched).values(lease_until=self._machine.wall() + lease)
        self._database.writer.run(lambda connection: connection.execute(renewed))

    def held(self, job_id: str) -> Claim:
        """Return the claim of a job that was fetched. See `FetchedQueue.held`."""
        wanted = select(*CLAIM_COLUMNS).where(jobs.c.id == job_id, IS_HELD, jobs.c.owner.startswith(rows.PROVIDER))
        with self._database.read() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            raise UnknownJob(job_id)
        return self._claim(row)

    def _claims(self, taken: Iterable[AnyRow]) -> list[Claim]:
        """Claims with their payloads; a job whose payload is gone fails.

        Raises:
            Unavailable: none of the payloads can be read now; the jobs are queued again.
        """
        claims, unread = [], None
        for row in taken:
            try:
                claims.append(self._claim(row))
            except Unavailable as error:
                unread = error
                self.put_back(rows.to_claim(row, b"", 0))
            except OSError as error:
                log.error("The payload of job %s can't be read: %s", row.id, error)
                self.finish(rows.to_claim(row, b"", 0), Outcome(failure=Failure.INTERNAL, reason=GONE))
        if unread is not None and not claims:
            raise unread
        return claims

    def _claim(self, row: AnyRow) -> Claim:
        claim = rows.to_claim(row, self._values.load(row.payload, row.payload_blob), seed_of(row.id))
        documents, calibration = sent(self.sent_devices, claim.program.device, row.calibration, self._clock.now())
        return replace(claim, program=replace(claim.program, documents=documents, calibration=calibration))

    def start(self, claim: Claim) -> bool:
        """Mark as running; False when the claim is no longer ours."""
        values = {"state": after(JobState.CLAIMED, JobEvent.START).value, "running_at": self._clock.now()}
        values |= ran_on(claim)
        work = partial(changed, claim=claim, event=JobEvent.START, values=values)
        started = self._database.writer.run(work, synced=claim.fetched)
        if started:
            self._events.progressed.emit(claim.job_id)
        return started

    def expect_end(self, claim: Claim, at: datetime) -> None:
        """Keep until when the job goes on. See `JobQueue.expect_end`."""
        work = partial(changed, claim=claim, event=JobEvent.SUCCEED, values={"due_at": at})
        self._database.writer.run(work, synced=False)

    def heartbeat(self, owner: str, claims: Iterable[Claim], lease: timedelta) -> list[Claim]:
        """Renew the leases, and say which runs must stop. See `JobQueue.heartbeat`."""
        current = list(claims)
        now = self._machine.wall()
        going = tuple_(jobs.c.id, jobs.c.attempt).in_([(claim.job_id, claim.attempt) for claim in current])
        ours = and_(going, jobs.c.owner == owner, IS_HELD, jobs.c.state != JobState.CANCELLING.value)
        with self._database.read() as connection:
            kept = {
                row.id: row.lease_until for row in connection.execute(select(jobs.c.id, jobs.c.lease_until).where(ours))
            }
        left = [until - now for until in kept.values() if until is not None]
        if any(not lease * RENEW <= each <= lease for each in left):  # more than a lease: the clock was set back
            renewed = update(jobs).where(ours).values(lease_until=now + lease)
            try:
                self._database.writer.run(lambda connection: connection.execute(renewed), synced=False)
            except Unavailable:  # a full disk, say: they must not be over when there is room again
                self._leap.distrust()
                raise
        return [claim for claim in current if claim.job_id not in kept]

    def finish(
        self, claim: Claim, outcome: Outcome, log: Sequence[LogLine] = (), *, began_at: datetime | None = None
    ) -> bool:
        """Store result and final state in one transaction. See `JobQueue.finish`."""
        event = JobEvent.SUCCEED if outcome.succeeded else JobEvent.FAIL
        values: dict[str, Any] = {
            "state": (JobState.SUCCEEDED if outcome.succeeded else JobState.FAILED).value,
            "ended_at": self._clock.now(),
            "reason": outcome.reason,
            "reason_code": outcome.reason_code,
            "failure": outcome.failure.value if outcome.failure else None,
            "run_seconds": outcome.run_seconds,
            "metadata": dict(outcome.metadata),
            **ran_on(claim),
            **NOBODY,
        }
        if began_at is not None:  # what may begin may end in the same step
            event, values = JobEvent.START, values | {"running_at": began_at}
        kept: list[dict[str, Any]] = []

        def work(connection: Connection) -> list[str | None] | None:
            if not changed(connection, claim, event, values):
                return None
            replaced: list[str | None] = []
            for value in kept:
                if value["name"]:  # a file of that name may have been attached before; a result comes once
                    same = {"its_job": claim.job_id, "its_name": value["name"]}
                    replaced += connection.execute(FORGET_RESULT, same).scalars()
            if kept:
                connection.execute(KEEP_RESULT, kept)
            write_log(connection, claim, log)
            return replaced

        try:
            kept += self._kept(claim.job_id, outcome)
            replaced = self._database.writer.run(work)
        except StorageFull:  # it will be tried again, and no room is there for what nobody names
            self._values.drop(value["blob"] for value in kept)
            raise
        if replaced is None:
            self._values.drop(value["blob"] for value in kept)
            return False
        self._values.drop(replaced)
        self._tell(claim.job_id, values)
        return True

    def _kept(self, job_id: str, outcome: Outcome) -> Iterator[dict[str, Any]]:
        """Yield the rows of a result and its files, each when its blob is on disk."""
        parts = {name: (value, "application/octet-stream") for name, value in outcome.files.items()}
        if outcome.succeeded or outcome.result:
            parts[""] = (outcome.result, outcome.media_type)
        for name, (value, media_type) in parts.items():
            in_row, blob = self._values.put(value, RESULT_IN_ROW_BYTES)
            row = {"job": job_id, "name": name, "media_type": media_type, "size": len(value)}
            yield row | {"value": in_row, "blob": blob}

    def log(self, claim: Claim, lines: Sequence[LogLine]) -> None:
        """Keep what a run has written until now."""

        def work(connection: Connection) -> None:
            if connection.execute(MINE, of(claim)).first():
                write_log(connection, claim, lines)
                write_progress(connection, claim, lines)

        self._database.writer.run(work, synced=False)
        self._events.progressed.emit(claim.job_id)

    def explain(self, queues: str, text: str | None) -> None:
        """Say why jobs wait. See `JobQueue.explain`."""
        waiting = IS_QUEUED & jobs.c.device.startswith(queues, autoescape=True) & jobs.c.reason.is_distinct_from(text)
        with self._database.read() as connection:
            if connection.execute(select(jobs.c.number).where(waiting).limit(1)).first() is None:
                return
        self._database.writer.run(
            lambda connection: connection.execute(update(jobs).where(waiting).values(reason=text))
        )

    def release(self, claim: Claim, *, counted: bool, reason: str) -> JobState | None:
        """Hand a job back, or end the job. See `JobQueue.release`."""
        return self._hand_back(claim, partial(handed_back, counted=counted, reason=reason))

    def put_back(self, claim: Claim) -> JobState | None:
        """Queue again what has not begun. See `JobQueue.put_back`."""
        return self._hand_back(claim, lambda row, now: {**let_go(row, now=now), **put_back(claim)})

    def _hand_back(self, claim: Claim, becomes: Callable[..., Mapping[str, Any]]) -> JobState | None:
        now = self._clock.now()

        def work(connection: Connection) -> Mapping[str, Any] | None:
            row = connection.execute(MINE, of(claim)).first()
            if row is None:
                return None
            values = becomes(row, now=now)
            changed(connection, claim, JobEvent.RELEASE, values)
            return values

        values = self._database.writer.run(work)
        return None if values is None else self._tell(claim.job_id, values)

    def recover(self, *, everything: bool = False) -> int:
        """Hand back the jobs of dispatchers that are gone. See `JobQueue.recover`."""
        self._injected.let_go(from_before=True)
        if not everything and (self._leap.just_now() or not self._database.calm()):
            return 0  # leases seem to be over that are not: first let everybody renew theirs
        now, wall = self._clock.now(), self._machine.wall()
        gone = and_(
            IS_HELD,
            jobs.c.lease_until.is_not(None),
            or_(~jobs.c.owner.startswith(rows.PROVIDER), jobs.c.lease_until < wall)
            if everything
            else jobs.c.lease_until < wall,
        )
        with self._database.read() as connection:
            owners = connection.execute(select(jobs.c.owner).where(gone).distinct()).scalars().all()
        if not owners:
            return 0
        causes = {owner: ENDED if everything else cause(owner) for owner in owners}
        cancelling = jobs.c.state == JobState.CANCELLING.value
        because = case(causes, value=jobs.c.owner, else_=ENDED)
        returned = AGAIN | {"returned": jobs.c.returned + 1, "lost_because": because}
        had_its_only_run = and_(jobs.c.state == JobState.RUNNING.value, jobs.c.attempts == 1)
        steps = (
            (
                cancelling,
                {
                    "state": after(JobState.CANCELLING, JobEvent.RELEASE).value,
                    "ended_at": now,
                    "reason": CANCELLED,
                    **NOBODY,
                },
            ),
            (
                ~cancelling & (jobs.c.returned >= MOST_RETURNS),
                failed(Failure.LOST, LOST, now) | {"reason": LOST + because},
            ),
            (had_its_only_run, returned | {"counted": 1}),  # for whoever takes it to say so
            (~cancelling, returned),
        )

        def work(connection: Connection) -> list[tuple[str, Mapping[str, Any]]]:
            moved: list[tuple[str, Mapping[str, Any]]] = []
            for condition, values in steps:
                step = update(jobs).where(gone, condition).values(values).returning(jobs.c.id)
                moved += [(job_id, values) for job_id in connection.execute(step).scalars()]
            return moved

        moved = self._database.writer.run(work)
        for job_id, values in moved:
            self._tell(job_id, values)
        return len(moved)

    def _tell(self, job_id: str, values: Mapping[str, Any]) -> JobState:
        """Ring the events for what a job has become; the state that it is in now."""
        state, failure = JobState(values["state"]), values.get("failure")
        if state is JobState.QUEUED:
            self._events.queued.emit(None)
        elif state in FINAL:
            self._events.ended.emit(End(state, Failure(failure) if failure else None, values.get("run_seconds")))
            self._events.settled.emit(job_id)
        return state


GONE = "Its program can't be read from the disk any more: submit it again."
ENDED = "The server that ran it ended."


def _take(connection: Connection, number: int, owner: str, now: datetime, lease_until: datetime | None) -> AnyRow:
    values = {"its_number": number, "claimed_at": now, "owner": owner, "lease_until": lease_until}
    return connection.execute(TAKE, values).one()
