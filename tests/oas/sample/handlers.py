"""Handlers that keep the sample's contract. The models are imported when this is executed, after they were made."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Request
from sample_models.error import Error, Mistake
from sample_models.hello import Greeting
from sample_models.job import Job, JobId, Limit, Operation, Result, State, Tags, Time
from sample_models.token import Request as TokenRequest
from sample_models.token import Token

from qumulus.core.errors import NoResult, NotAuthenticated, UnknownJob
from qumulus.openapi.contract import Document, Errors, Operations, Problem, Rendered, Reply, serve

operation = Operations()
KNOWN = UUID("7af020f6-2e38-4d70-8cf0-4349650ea08c")
RESULT = Rendered.of(Result(counts={"00": 1}))


async def _caller(request: Request) -> str:
    if request.headers.get("x-token") != "known":
        raise NotAuthenticated("Send a known token in the header x-token.")
    return "somebody"


Caller = Annotated[str, Depends(_caller)]


@operation("listJobs")
def list_jobs(
    caller: Caller,
    limit: Limit = 10,
    job_state: State | None = None,
    tags: Tags | None = None,
    created_after: Time | None = None,
    include_mocks: bool = False,
) -> list[Job]:
    said = {"limit": limit, "state": job_state, "tags": tags, "after": created_after, "mocks": include_mocks}
    return [Job(job_id=KNOWN, device_name=f"{name}={value!r}") for name, value in said.items()]


@operation("postJob")
def post_job(body: Operation, caller: Caller) -> Reply[Job]:
    return Reply(Job(job_id=KNOWN, device_name=type(body).__name__), headers={"Location": f"/jobs/{KNOWN}"})


@operation("getJob")
async def get_job(job_id: JobId, caller: Caller) -> Job:
    await asyncio.sleep(0)
    if job_id != KNOWN:
        raise UnknownJob(str(job_id))
    return Job(job_id=job_id, state=State.DONE)


@operation("deleteJob")
def delete_job(job_id: JobId, caller: Caller) -> None:
    if job_id != KNOWN:
        raise UnknownJob(str(job_id))


@operation("getResult")
def get_result(job_id: JobId) -> Rendered[Result]:
    if job_id != KNOWN:
        raise NoResult(str(job_id), "queued")  # the sample declares no 404 here
    return RESULT


@operation("getLatest")
def get_latest() -> Job:
    return 1 // 0


@operation("sayHello")
def say_hello(body: Greeting) -> str:
    return "Hello!"


@operation("getToken")
def get_token(body: TokenRequest) -> Token:
    return Token(access_token=f"{body.grant_type} {body.lifetime!r}")


@operation("putUpload")
def put_upload(body: bytes) -> bytes:
    return body


def _body(model: type[Error | Mistake], problem: Problem) -> Error | Mistake:
    return model(message=problem.message) if model is Mistake else model(detail=problem.message)


ERRORS = Errors(body=_body, otherwise=Error)
DOCUMENT = Document("sample_models")


def create(body_limit: int = 1000) -> FastAPI:
    app = FastAPI(openapi_url=None)
    serve(app, DOCUMENT, operation, errors=ERRORS, read_elsewhere={"API-Version"}, body_limit=body_limit)
    return app
