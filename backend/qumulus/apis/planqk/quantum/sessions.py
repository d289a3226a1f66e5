"""Sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Clock, Jobs, Sessions
from qumulus.apis.planqk.callers import PersonalCaller, SendingExecution
from qumulus.core import sessions as core
from qumulus.core.errors import UnknownSession
from qumulus.core.ports import JobQuery
from qumulus.openapi.contract import Operations

from .jobs import EXECUTION
from .known import BACKENDS
from .schemas import session as wire
from .schemas.job import JobPage, Page, Size
from .translate import jobs as translate
from .translate import sessions as translate_sessions

operation = Operations()


def _of_this_api(request: Request, caller: PersonalCaller, sessions: Sessions) -> core.Session:
    session = sessions.get(request.path_params["id"], caller)
    known, execution = translate_sessions.belongs(session)
    if known not in BACKENDS or execution != request.path_params.get(EXECUTION, execution):
        raise UnknownSession(session.id)
    return session


Known = Annotated[core.Session, Depends(_of_this_api)]


@operation("createSession")
def create_session(
    body: wire.SessionRequest, caller: PersonalCaller, sessions: Sessions, clock: Clock, execution: SendingExecution
) -> wire.Session:
    return translate_sessions.session(sessions.open(translate_sessions.new(body, caller, execution)), clock.now())


@operation("getSession")
@operation("getServiceExecutionSession")
def get_session(id: wire.SessionId, known: Known, sessions: Sessions, clock: Clock) -> wire.Session:
    return translate_sessions.session(known, clock.now(), sessions.tags(id))


@operation("getSessionStatus")
@operation("getServiceExecutionSessionStatus")
def get_session_status(id: wire.SessionId, known: Known, clock: Clock) -> wire.SessionState:
    del id
    return wire.SessionState(status=translate_sessions.status(known, clock.now()))


@operation("getSessionJobs")
@operation("getServiceExecutionSessionJobs")
def get_session_jobs(
    id: wire.SessionId, caller: PersonalCaller, known: Known, jobs: Jobs, page: Page = 0, size: Size = 20
) -> JobPage:
    del id
    query = JobQuery(account=caller.account, api=translate.API, session=known.id, offset=page * size, limit=size)
    return translate.job_page(jobs.find(query), page, size)


@operation("updateSession")
@operation("updateServiceExecutionSession")
def update_session(
    id: wire.SessionId, body: wire.SessionUpdate, caller: PersonalCaller, known: Known, sessions: Sessions, clock: Clock
) -> wire.Session:
    del known
    changed = sessions.set_accepting(id, caller, accepting=body.accept_jobs)
    return translate_sessions.session(changed, clock.now(), sessions.tags(id))


@operation("closeSession")
@operation("cancelSession")
@operation("closeServiceExecutionSession")
def close_session(id: wire.SessionId, caller: PersonalCaller, known: Known, sessions: Sessions) -> None:
    del known
    sessions.cancel(id, caller)
