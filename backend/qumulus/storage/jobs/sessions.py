"""Sessions: `core.ports.Sessions` on the database. What a session did is read from its jobs, so it can't contradict them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, insert, select, update

from qumulus.core.accounts import Caller
from qumulus.core.errors import UnknownSession, WrongState
from qumulus.core.events import Events
from qumulus.core.jobs import PENDING, Job
from qumulus.core.ports import Clock
from qumulus.core.sessions import NewSession, Session, SessionMode, SessionPage
from qumulus.storage.database.counting import job_tags
from qumulus.storage.database.database import Database
from qumulus.storage.database.tables import AnyRow, jobs, sessions

from . import rows

_pending = jobs.c.state.in_(sorted(PENDING))
WITH_ACTIVITY = (
    select(
        *sessions.c,
        func.min(jobs.c.running_at).label("activated_at"),
        func.max(jobs.c.running_at).label("last_job_started"),
        func.max(jobs.c.ended_at).label("last_job_ended"),
        func.count(case((_pending, 1))).label("pending_jobs"),
        func.coalesce(func.sum(jobs.c.run_seconds), 0.0).label("run_seconds"),
    )
    .select_from(sessions.outerjoin(jobs, jobs.c.session == sessions.c.id))
    .group_by(sessions.c.id)
    .order_by(sessions.c.created_at)
)


def load(connection: Connection, session_id: str, *, share: bool = False, lock: bool = False) -> Session | None:
    """Return a session, whoever it belongs to. With ``share`` it stays open until the end of the transaction, with ``lock`` it is ours."""
    its = sessions.c.id == session_id
    if share or lock:
        connection.execute(select(sessions.c.id).where(its).with_for_update(read=share))
    return next(iter(matching(connection, its)), None)


def on_device(connection: Connection, device: str) -> list[Session]:
    """Return the sessions that may hold a device."""
    dedicated = sessions.c.mode == SessionMode.DEDICATED.value
    return matching(connection, sessions.c.device == device, dedicated)


def matching(connection: Connection, *conditions: ColumnElement[bool]) -> list[Session]:
    """Return the sessions for which all conditions hold, oldest first."""
    return [_session(row) for row in connection.execute(WITH_ACTIVITY.where(*conditions))]


def _session(row: AnyRow) -> Session:
    values: dict[str, Any] = dict(row._mapping)
    values["mode"] = SessionMode(row.mode)
    return Session(**values)


class SqlSessions:
    """The store of sessions."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: Events,
        cancel: Callable[[Connection, Job, datetime], Job],
        announce: Callable[[Job], None],
        seed: int | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._cancel = cancel
        self._announce = announce
        self._seed = seed

    def open(self, new: NewSession) -> Session:
        """Open a session, which takes jobs from now on."""
        now = self._clock.now()
        values = {
            "id": new.session_id or rows.new_id(now),
            "account": new.account,
            "device": new.device,
            "mode": new.mode.value,
            "instance": new.instance,
            "max_seconds": new.max_seconds,
            "interactive_seconds": new.interactive_seconds,
            "created_at": now,
            "request": dict(new.request),
        }

        def work(connection: Connection) -> None:
            if self._seed is not None and new.session_id is None:
                number = connection.execute(select(func.count()).select_from(sessions)).scalar_one()
                values["id"] = rows.seeded_id(self._seed, "session", number, now)
                while connection.execute(select(sessions.c.id).where(sessions.c.id == values["id"])).first():
                    number += 1  # others were removed
                    values["id"] = rows.seeded_id(self._seed, "session", number, now)
            connection.execute(insert(sessions).values(values))

        self._database.writer.run(work)
        return self.get(values["id"], Caller(account=new.account))

    def page(self, *, limit: int, offset: int) -> SessionPage:
        """Return sessions of all accounts, newest first. See `core.ports.Sessions`."""
        newest = select(sessions.c.id).order_by(sessions.c.created_at.desc(), sessions.c.id).limit(limit).offset(offset)
        with self._database.read() as connection:
            ids = connection.execute(newest).scalars().all()
            found = {each.id: each for each in matching(connection, sessions.c.id.in_(ids))}
            total = connection.execute(select(func.count()).select_from(sessions)).scalar_one()
        return SessionPage(tuple(found[each] for each in ids if each in found), total)

    def get(self, session_id: str, caller: Caller) -> Session:
        """Return the session, if it is the caller's. See `core.ports.Sessions`."""
        with self._database.read() as connection:
            return _owned(connection, session_id, caller)

    def tags(self, session_id: str) -> tuple[str, ...]:
        """Return the tags of the session's jobs. See `core.ports.Sessions`."""
        wanted = select(job_tags.c.tag).join(jobs, jobs.c.number == job_tags.c.job).where(jobs.c.session == session_id)
        with self._database.read() as connection:
            return tuple(connection.execute(wanted.distinct().order_by(job_tags.c.tag)).scalars())

    def beginning(self, instance: str, account: str) -> list[Session]:
        """Return the account's sessions by the beginning of their instance. See `core.ports.Sessions`."""
        begins = sessions.c.instance.startswith(instance, autoescape=True)
        with self._database.read() as connection:
            return matching(connection, sessions.c.account == account, begins)

    def close(self, session_id: str, caller: Caller) -> Session:
        """Take no more jobs. See `core.ports.Sessions`."""
        session = self._database.writer.run(lambda connection: self._close(connection, session_id, caller))
        self._events.queued.emit(None)  # others may have the device now
        return session

    def set_accepting(self, session_id: str, caller: Caller, *, accepting: bool) -> Session:
        """Close it, or see that it is open. See `core.ports.Sessions`."""
        if not accepting:
            return self.close(session_id, caller)
        session = self.get(session_id, caller)
        if not session.accepts_jobs(self._clock.now()):
            raise WrongState(f"Session {session_id} is closed and stays so: open another one.")
        return session

    def cancel(self, session_id: str, caller: Caller) -> Session:
        """Take no more jobs and cancel those that are not final. See `core.ports.Sessions`."""

        def work(connection: Connection) -> list[Job]:
            self._close(connection, session_id, caller)
            open_jobs = select(*rows.JOB_COLUMNS).where(jobs.c.session == session_id, _pending).with_for_update()
            found = [rows.to_job(row) for row in connection.execute(open_jobs).all()]
            now = self._clock.now()
            return [self._cancel(connection, job, now) for job in found if job.state.value != "cancelling"]

        for job in self._database.writer.run(work):
            self._announce(job)
        self._events.queued.emit(None)
        return self.get(session_id, caller)

    def _close(self, connection: Connection, session_id: str, caller: Caller) -> Session:
        session = _owned(connection, session_id, caller, lock=True)
        if session.closing_at is not None:
            return session
        now = self._clock.now()
        connection.execute(update(sessions).where(sessions.c.id == session_id).values(closing_at=now))
        return replace(session, closing_at=now)


def _owned(connection: Connection, session_id: str, caller: Caller, *, lock: bool = False) -> Session:
    session = load(connection, session_id, lock=lock)
    if session is None or session.account != caller.account:
        raise UnknownSession(session_id)
    return session
