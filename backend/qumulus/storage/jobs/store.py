"""Jobs as people ask for them: `core.ports.JobStore` on the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, delete, func, insert, select, update

from qumulus.core.accounts import Caller
from qumulus.core.devices import calibrated_as
from qumulus.core.errors import (
    Draining,
    InvalidRequest,
    SessionClosed,
    UnknownJob,
    UnknownSession,
    WrongState,
)
from qumulus.core.events import End, Events, Queued
from qumulus.core.jobs import FINAL, Job, JobEvent, JobState, NewJob, after, states_before
from qumulus.core.ports import BlobStore, Clock, JobQuery, Page
from qumulus.core.ports.jobs import Movement
from qumulus.core.results import LogLine, Severity
from qumulus.storage.database.database import Database
from qumulus.storage.database.tables import IS_HELD, IS_QUEUED, AnyRow, jobs, log_lines, results
from qumulus.storage.device_settings import SqlDeviceSettings
from qumulus.storage.ids import Ids

from . import lists, positions, rows, sessions, waits
from .at_once import AtOnce
from .movement import movement
from .statements import JOB, LOCKED_JOB, NEXT_TICKET, OWNED_JOB, QUEUE, REGISTER, STATES
from .stored_results import StoredResults
from .values import RESULT_IN_ROW_BYTES, Values

SOME = 500  # ids that one question is about
NOT_WAITED_FOR = FINAL | {JobState.REGISTERED}


class Admit(Protocol):
    """Says whether an account may store so many bytes, have so many more jobs, and use the device."""

    def __call__(self, account: str, size: int, *, jobs: int = 0, device: str | None = None) -> None:
        """Raises QuotaReached or DeviceNotAllowed where it may not."""


def free(account: str, size: int, *, jobs: int = 0, device: str | None = None) -> None:
    """Every account may."""
    del account, size, jobs, device


class SqlJobs(StoredResults):
    """The store of jobs. Every write is one unit of the writer: it returns when it is on disk."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        device_settings: SqlDeviceSettings,
        clock: Clock,
        events: Events,
        at_once: AtOnce,
        *,
        workers: int = 1,
        admit: Admit = free,
        seed: int | None = None,
    ) -> None:
        """``admit`` raises where an account may not store as many bytes, or have another job that waits; ``seed`` is what ids follow from."""
        super().__init__(database, Values(blobs))
        self._device_settings = device_settings
        self._clock = clock
        self._events = events
        self._at_once = at_once
        self._workers = workers
        self._admit = admit
        self._seed = seed
        self.ids = Ids(database, seed)
        self._draining = False

    def new_id(self) -> str:
        """Return an identifier for a job that is to be submitted. See `JobStore.new_id`."""
        return self.ids.new("execution")

    def submit(self, new: NewJob) -> Job:
        """Store a job, with its payload on disk before the row that names it. See `JobStore.submit`."""
        if self._draining:
            raise Draining
        self._admit(new.account, len(new.payload), jobs=1, device=None if new.registered else new.device)
        setting, now = self._clock.setting, self._clock.now()
        settings = self._device_settings.settings(new.device)
        taken_off = None if settings.online else self._device_settings.taken_off(new.device)
        values = rows.job_values(new, new.job_id or rows.new_id(now), now)
        with self._values.stored(new.payload) as (payload, blob), self._at_once.reservation(new, now) as kept:
            values |= {"payload": payload, "payload_blob": blob, "payload_size": len(new.payload)}

            def work(connection: Connection) -> Job:
                if new.idempotency_key is not None and (earlier := _by_key(connection, new)):
                    return earlier
                if new.session is not None:
                    _admit(connection, new, new.session, now)
                if self._seed is not None and new.job_id is None:
                    number = connection.execute(select(func.max(jobs.c.number))).scalar() or 0
                    values["id"] = rows.seeded_id(self._seed, "job", number, now)
                connection.execute(REGISTER if new.registered else QUEUE, {**values, **kept.claimed})
                waits.tell(connection, new.device, settings, now, values["id"], fault=taken_off)
                job = rows.to_job_of(values)
                positions.note(connection, job, self._device_settings, setting.mode, now)
                return job

            job = self._database.writer.run(work)
            if job.id != values["id"]:
                self._values.drop([blob])  # the key was known: the first payload stands
            if job.state is JobState.QUEUED:
                begins = job.id == values["id"] and kept.take(values, new.payload)
                self._events.queued.emit(Queued(job.id, job.device, job.account, begins))
        return job

    def upload(self, job_id: str, new: NewJob) -> Job:
        """Store the program of a registered job. See `JobStore.upload`."""
        if self._draining:
            raise Draining
        self._admit(new.account, len(new.payload), device=new.device)
        now = self._clock.now()
        with self._values.stored(new.payload) as (payload, blob):
            values = {
                name: getattr(new, name) for name in rows.SAME_NAMES if name not in ("account", "idempotency_key")
            }
            values |= {"tags": list(new.tags), "request": dict(new.request), "lane": rows.lane(new.device, new.account)}
            values |= {"payload": payload, "payload_blob": blob, "payload_size": len(new.payload)}
            values |= {"ticket": NEXT_TICKET, "queued_at": now}

            def work(connection: Connection) -> Job:
                job = _locked(connection, job_id, new.account)
                state = after(job.state, JobEvent.SUBMIT, job_id)
                return _changed(connection, job_id, values | {"state": state.value})

            job = self._database.writer.run(work)
        self._events.queued.emit(Queued(job_id, new.device, new.account))
        return job

    def cancel(self, job_id: str, caller: Caller) -> Job:
        """Ask for the end of a job. See `JobStore.cancel`."""
        now = self._clock.now()

        def work(connection: Connection) -> Job:
            return cancelled(connection, _locked(connection, job_id, caller.account), now)

        job = self._database.writer.run(work)
        self.announce(job)
        return job

    def announce(self, job: Job) -> None:
        """Tell who has to know of a job that was to be cancelled."""
        if job.final:
            self._events.ended.emit(End(job.state))
            self._events.settled.emit(job.id)
        else:
            self._events.cancelling.emit(job.id)

    def delete(self, job_id: str, caller: Caller, *, waiting: bool = False) -> None:
        """Forget a final job, or one that waits. See `JobStore.delete`."""

        def work(connection: Connection) -> list[str | None]:
            job = _locked(connection, job_id, caller.account)
            cancellable = job.state in states_before(JobEvent.CANCEL)
            waits = waiting and cancellable and after(job.state, JobEvent.CANCEL) in FINAL
            if not job.final and not waits:
                raise WrongState(f"Job {job_id} is {job.state}: cancel it, or wait for its end, before you delete it.")
            blobs = [
                *connection.execute(select(jobs.c.payload_blob).where(jobs.c.id == job_id)).scalars(),
                *connection.execute(select(results.c.blob).where(results.c.job == job_id)).scalars(),
            ]
            connection.execute(delete(jobs).where(jobs.c.id == job_id))
            return blobs

        self._values.drop(self._database.writer.run(work))
        self._events.settled.emit(job_id)  # who waits for it need wait no longer

    def attach(self, job_id: str, name: str, value: bytes) -> None:
        """Keep a file beside a job. See `JobStore.attach`."""
        with self._values.stored(value, RESULT_IN_ROW_BYTES) as (in_row, blob):
            row: dict[str, Any] = {
                "job": job_id,
                "name": name,
                "media_type": "application/octet-stream",
                "size": len(value),
            }
            row |= {"value": in_row, "blob": blob}
            same = (results.c.job == job_id) & (results.c.name == name)

            def work(connection: Connection) -> list[str | None]:
                state = connection.execute(select(jobs.c.state).where(jobs.c.id == job_id).with_for_update()).scalar()
                if state is None:
                    raise UnknownJob(job_id)
                if JobState(state) in FINAL:
                    raise WrongState(f"Job {job_id} is {state}: it takes no more files.")
                replaced = list(connection.execute(select(results.c.blob).where(same)).scalars())
                connection.execute(delete(results).where(same))
                connection.execute(insert(results).values(row))
                return replaced

            replaced = self._database.writer.run(work)
        self._values.drop(replaced)

    def describe(self, job_id: str, request: Mapping[str, Any]) -> None:
        """Change what a family echoes of a job. See `JobStore.describe`."""

        def work(connection: Connection) -> None:
            changed = update(jobs).where(jobs.c.id == job_id).values(request=dict(request))
            if connection.execute(changed).rowcount == 0:
                raise UnknownJob(job_id)

        self._database.writer.run(work)

    def set_tags(self, job_id: str, caller: Caller, tags: Sequence[str]) -> Job:
        """Replace the tags of a job."""

        def work(connection: Connection) -> Job:
            _locked(connection, job_id, caller.account)
            return _changed(connection, job_id, {"tags": list(tags)})

        return self._database.writer.run(work)

    def drain(self) -> None:
        """Take no new jobs from now on."""
        self._draining = True

    def get(self, job_id: str, caller: Caller) -> Job:
        """Return a job of the caller. See `JobStore.get`."""
        with self._database.read() as connection:
            return _owned(connection, job_id, caller.account)

    def look(self, job_id: str) -> Job:
        """Return a job, whoever owns it. See `JobStore.look`."""
        with self._database.read() as connection:
            row = connection.execute(JOB, {"its_id": job_id}).first()
        if row is None:
            raise UnknownJob(job_id)
        return rows.to_job(row)

    def find(self, query: JobQuery) -> Page:
        """Return a page of jobs. See `JobQuery`."""
        with self._database.read() as connection:
            return lists.page(connection, query)

    def payload(self, job_id: str) -> bytes:
        """Return the program of a job as it was accepted.

        Raises:
            UnknownJob
        """
        with self._database.read() as connection:
            row = connection.execute(select(jobs.c.payload, jobs.c.payload_blob).where(jobs.c.id == job_id)).first()
        if row is None:
            raise UnknownJob(job_id)
        return self._values.load(row.payload, row.payload_blob)

    def log(self, job_id: str) -> tuple[LogLine, ...]:
        """Return what the runs of a job wrote, in order."""
        columns = (log_lines.c.time, log_lines.c.text, log_lines.c.severity)
        wanted = select(*columns).where(log_lines.c.job == job_id).order_by(log_lines.c.number)
        with self._database.read() as connection:
            return tuple(LogLine(row.time, row.text, Severity(row.severity)) for row in connection.execute(wanted))

    def tags(self, account: str, prefix: str = "") -> tuple[str, ...]:
        """Return the tags of an account's jobs that begin so."""
        with self._database.read() as connection:
            return lists.tags(connection, account, prefix)

    def run_seconds(self, instance: str, since: datetime) -> float:
        """Return for how many seconds the jobs of an instance kept devices busy."""
        wanted = select(func.sum(jobs.c.run_seconds)).where(jobs.c.instance == instance, jobs.c.created_at >= since)
        with self._database.read() as connection:
            return connection.execute(wanted).scalar() or 0.0

    def pending(self, device: str | None = None) -> Mapping[str, int]:
        """Return how many jobs wait or run, by device."""
        counts: dict[str, int] = {}
        with self._database.read() as connection:
            waiting = select(jobs.c.lane, func.count()).where(IS_QUEUED).group_by(jobs.c.lane)
            busy = select(jobs.c.device, func.count()).where(IS_HELD).group_by(jobs.c.device)
            if device is not None:
                waiting, busy = waiting.where(rows.lanes_of(device)), busy.where(jobs.c.device == device)
            for name, count in connection.execute(waiting):
                where = rows.device_and_account(name)[0]
                counts[where] = counts.get(where, 0) + count
            for where, count in connection.execute(busy):
                counts[where] = counts.get(where, 0) + count
        now = self._clock.now()
        for where, others in self._device_settings.queues().items():
            counts[where] = counts.get(where, 0) + others.present(now)
        return counts if device is None else {device: counts.get(device, 0)}

    def position(self, job_id: str) -> int | None:
        """Return how many jobs of its device run before a job, when accounts take turns."""
        job = self.look(job_id)
        with self._database.read() as connection:
            position = positions.position(connection, job_id)
        others = self._device_settings.queue(job.device)
        if position is None or others is None or job.queued_at is None:
            return position
        return position + others.ahead(job.queued_at, self._clock.now())

    def expected_start(self, job_id: str) -> datetime | None:
        """When it will run, judging by its position and the last runs on its device. See `JobStore.expected_start`."""
        job = self.look(job_id)
        settings = self._device_settings.settings(job.device)
        if job.queued_at is None or not settings.online or settings.provider:
            return None
        at_once = 1 if settings.one_at_a_time else self._workers
        with self._database.read() as connection:
            position = positions.position(connection, job_id)
            if position is None:
                return None
            waves = positions.waves(connection, job.device, position, at_once)
            mean = positions.mean_run(connection, rows.lane(job.device, job.account))
        earliest = positions.ripe_at(job, self._device_settings)
        turn = self._clock.now() + timedelta(seconds=waves * max(mean, settings.least_run_seconds))
        return max(earliest, turn)

    def expected_end(self, job_id: str) -> datetime | None:
        """When it will have run. See `JobStore.expected_end`."""
        start, job = self.expected_start(job_id), self.look(job_id)
        with self._database.read() as connection:
            if start is None:
                return positions.ends_at(connection, job)
            return start + positions.run_time(connection, job, self._device_settings)

    def due(self, job_id: str) -> datetime | None:
        """When the next thing happens that a job waits for. See `JobStore.due`."""
        job = self.look(job_id)
        with self._database.read() as connection:
            return positions.due(connection, job, self._device_settings, self._clock.now())

    def movement(self) -> Movement:
        """Return what jobs at devices do now. See `JobStore.movement`."""
        with self._database.read() as connection:
            return movement(connection, self._device_settings, self._clock.now())

    def settled(self, job_ids: Collection[str]) -> frozenset[str]:
        """Return the jobs for which waiting is over. See `JobStore.settled`."""
        moving: list[AnyRow] = []
        ids = list(job_ids)
        with self._database.read() as connection:
            for start in range(0, len(ids), SOME):
                some = connection.execute(STATES, {"its_ids": ids[start : start + SOME]})
                moving += [row for row in some if row.state not in NOT_WAITED_FOR]
        ours = {row.id for row in moving if not self._device_settings.settings(row.device).provider}
        return frozenset(job_id for job_id in ids if job_id not in ours)


def _locked(connection: Connection, job_id: str, account: str) -> Job:
    """Return the job, which nobody else changes until the end of this transaction."""
    return _owned(connection, job_id, account, lock=True)


def _owned(connection: Connection, job_id: str, account: str, *, lock: bool = False) -> Job:
    row = connection.execute(LOCKED_JOB if lock else OWNED_JOB, {"its_id": job_id, "its_account": account}).first()
    if row is None:
        raise UnknownJob(job_id)
    return rows.to_job(row)


def _changed(connection: Connection, job_id: str, values: Mapping[str, Any]) -> Job:
    changed = update(jobs).where(jobs.c.id == job_id).values(values).returning(*rows.JOB_COLUMNS)
    return rows.to_job(connection.execute(changed).one())


def _by_key(connection: Connection, new: NewJob) -> Job | None:
    query = select(*rows.JOB_COLUMNS).where(
        jobs.c.account == new.account, jobs.c.idempotency_key == new.idempotency_key
    )
    row = connection.execute(query).first()
    return rows.to_job(row) if row else None


def _admit(connection: Connection, new: NewJob, session_id: str, now: datetime) -> None:
    """Raise unless the session of a new job takes that job."""
    session = sessions.load(connection, session_id, share=True)
    if session is None or session.account != new.account:
        raise UnknownSession(session_id)
    if session.device not in (new.device, calibrated_as(new.device, new.request)):
        raise InvalidRequest(f"Session {session.id} is on device {session.device}: send it no jobs for {new.device}.")
    if not session.accepts_jobs(now):
        raise SessionClosed(session.id)


def cancelled(connection: Connection, job: Job, now: datetime) -> Job:
    """Return the job as it is after somebody asked for its end.

    Raises:
        IllegalTransition: it is final already.
    """
    state = after(job.state, JobEvent.CANCEL, job.id)
    values: dict[str, Any] = {"state": state.value}
    if state in FINAL:
        values |= {"ended_at": now, "reason": "It was cancelled before it ran.", "owner": None, "lease_until": None}
    return _changed(connection, job.id, values)
