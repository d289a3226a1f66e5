"""What runs of jobs left: their results, and the files beside these."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from qumulus.core.accounts import Caller
from qumulus.core.errors import NoResult, UnknownJob
from qumulus.storage.database.database import Database
from qumulus.storage.database.tables import jobs, results

from .statements import OWNED_RESULT, RESULT
from .values import Values


class StoredResults:
    """The part of `core.ports.JobStore` that is about results."""

    def __init__(self, database: Database, values: Values) -> None:
        self._database = database
        self._values = values

    def result(self, job_id: str) -> tuple[bytes, str]:
        """Return the stored result and its media type. See `JobStore.result`."""
        return self._value(job_id, "")

    def hand_out(self, job_id: str, caller: Caller) -> tuple[bytes, str]:
        """Return the result, of a private job once. See `JobStore.hand_out`."""
        with self._database.read() as connection:
            row = connection.execute(OWNED_RESULT, {"its_id": job_id, "its_account": caller.account}).first()
        if row is None:
            raise UnknownJob(job_id)
        if row.private:
            return self.withdraw(job_id)
        if row.media_type is None:
            raise NoResult(job_id, row.state)
        return self._values.load(row.value, row.blob), row.media_type

    def withdraw(self, job_id: str) -> tuple[bytes, str]:
        """Return the result of a private job, once. See `JobStore.withdraw`."""
        value = self.result(job_id)

        def work(connection: Connection) -> list[str | None]:
            gone = delete(results).where(results.c.job == job_id).returning(results.c.blob)
            blobs = list(connection.execute(gone).scalars())
            if not blobs:
                raise NoResult(job_id, "private, and its result was read")
            blobs += connection.execute(select(jobs.c.payload_blob).where(jobs.c.id == job_id)).scalars()
            connection.execute(
                update(jobs).where(jobs.c.id == job_id).values(payload=b"", payload_blob=None, payload_size=0)
            )
            return blobs

        self._values.drop(self._database.writer.run(work))
        return value

    def file(self, job_id: str, name: str) -> bytes:
        """Return a file that the run left.

        Raises:
            UnknownJob, NoResult
        """
        if not name:
            raise NoResult(job_id, "without a file that has no name")
        return self._value(job_id, name)[0]

    def _value(self, job_id: str, name: str) -> tuple[bytes, str]:
        with self._database.read() as connection:
            row = connection.execute(RESULT, {"its_job": job_id, "its_name": name}).first()
            if row is None:
                state = connection.execute(select(jobs.c.state).where(jobs.c.id == job_id)).scalar()
                if state is None:
                    raise UnknownJob(job_id)
                raise NoResult(job_id, state)
        return self._values.load(row.value, row.blob), row.media_type

    def link(self, job_id: str, name: str, seconds: int) -> str | None:
        """Return an address at which the store gives a file itself. See `JobStore.link`."""
        wanted = select(results.c.media_type, results.c.blob).where(results.c.job == job_id, results.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(wanted).first()
        return self._values.link(row.blob, name, row.media_type, seconds) if row is not None else None

    def files(self, job_id: str) -> tuple[str, ...]:
        """Return the names of the files that the run left."""
        wanted = select(results.c.name).where(results.c.job == job_id, results.c.name != "").order_by(results.c.name)
        with self._database.read() as connection:
            return tuple(connection.execute(wanted).scalars())
