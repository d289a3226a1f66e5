"""What else ends with a job of a function: the jobs and sessions of the Runtime API that it said are its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic_core import from_json

from qumulus.core.accounts import Caller
from qumulus.core.errors import IllegalTransition, NotFound, WrongState
from qumulus.core.ports import JobStore, Sessions


def has_service(text: str | None) -> bool:
    """Say whether a client tells of a service, as JSON text, with which to stop what a function has sent."""
    try:
        return bool(from_json(text or "null"))
    except ValueError:
        return False


def stop(
    noted: Iterable[Mapping[str, str | None]], caller: Caller, jobs: JobStore, sessions: Sessions
) -> Iterator[str]:
    """Cancel the jobs, and close the sessions of those that have one; give a sentence each, in the gateway's words."""
    closed = set[str]()
    for each in noted:
        job_id, session = str(each["runtime_job"]), each.get("runtime_session")
        if session and session not in closed:
            closed.add(session)
            yield _session(session, caller, sessions)
        elif not session:
            yield _job(job_id, caller, jobs)


def _session(session: str, caller: Caller, sessions: Sessions) -> str:
    try:
        sessions.cancel(session, caller)
    except (NotFound, WrongState) as error:
        return f"Runtime session {session} could not be canceled. Exception: {error.message}"
    return f"Canceled runtime session: {session} and associated runtime jobs."


def _job(job_id: str, caller: Caller, jobs: JobStore) -> str:
    try:
        jobs.cancel(job_id, caller)
    except IllegalTransition:
        return f"Runtime job {job_id} could not be canceled (invalid state)."
    except NotFound:
        return f"Runtime job {job_id} not found in runtime service. Check that credentials used to authenticate match."
    return f"Canceled runtime job [{job_id}]."
