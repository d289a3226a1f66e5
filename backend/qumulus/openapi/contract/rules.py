"""Rules: what may answer, delay or fail a request before its handler has it, in whatever API it came to.

    async def maintenance(call: Call) -> None:
        if await call.device() == "brisbane":
            raise Fault(503, "The device is in maintenance until noon.", {"Retry-After": "3600"})

The server puts the rules that are in force into the scope of each request (`RULES`). They are asked in turn, after the
credential was looked at and before anything else: before the request is held until a job has ended, and before its body is read,
unless a rule asks for it. A rule that returns a response answers the request, one that takes its time delays it, one that raises
fails it: an error of the core in the form that the operation declares for it, a `Fault` with any status, declared or not, in the
form of that API's errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi import Request, Response

from qumulus.core.accounts import Caller
from qumulus.core.cloud import Cloud
from qumulus.core.errors import QumulusError, UnknownJob
from qumulus.core.faults import Purpose
from qumulus.core.jobs import Job

from .document import Declared

RULES = "qumulus.rules"  # in the scope: the rules in force
REFUSED = "qumulus.refused"  # in the scope, where the credential is known to lead nowhere: the error that says so
ANSWER = "qumulus.answer"  # in the scope: the `Alterable` way of the answer to the client

TRANSPORT = "qumulus.transport"  # in the scope: the connection, where a server has put it there

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]  # as ASGI has it

Rule = Callable[["Call"], Awaitable[Response | None]]


class Alterable(Protocol):
    """The way of an answer to its client."""

    def alter(self, wrap: Callable[[Send], Send]) -> None:
        """Send all that follows by way of what ``wrap`` returns, which is given the way until now."""
        ...


class Fault(QumulusError):
    """A failure that a rule makes, with a status of its choice; ``headers`` go with the answer."""

    def __init__(
        self,
        status: int | None,
        message: str,
        headers: Mapping[str, str] | None = None,
        code: int | None = None,
        cause: QumulusError | None = None,
    ) -> None:
        """``code`` is one of the API's own, where its errors have any; without a status, it is answered as the API answers ``cause``,
        whether its operation declares that or not."""
        super().__init__(message)
        self.code = code
        self.cause = cause
        self.status = status
        self.headers = headers or {}


class Answered(Exception):
    """A rule has answered the request: its handler is not called."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered by a rule")
        self.response = response


@dataclass(frozen=True, slots=True)
class Subjects:
    """Where the requests of an API name the job or the device that they are about."""

    jobs: Sequence[str] = ()  # beginnings of paths that end with the parameter for a job's id, such as "/jobs/{id}"
    devices: Sequence[str] = ()  # the same for a device
    members: Sequence[str] = ()  # of bodies and queries: they name the device
    device: Callable[[str], str] = field(default=str)  # the core's name of the device that the API calls so
    submits: Sequence[str] = ()  # operations that submit jobs
    results: Sequence[str] = ()  # operations that fetch results
    tokens: Sequence[str] = ()  # operations that give out tokens

    def purpose(self, operation: str) -> Purpose | None:
        """Return what an operation is there for, where that is one of a few."""
        named = ((Purpose.SUBMIT, self.submits), (Purpose.RESULT, self.results), (Purpose.TOKEN, self.tokens))
        return next((purpose for purpose, operations in named if operation in operations), None)

    def mistakes(self, paths: Sequence[str], operations: Collection[str]) -> list[str]:
        """Return a sentence for each beginning that no path has, and each operation that there is not."""
        named = (each for each in (*self.submits, *self.results, *self.tokens) if each not in operations)
        unknown = [f"{each}: is said to have a purpose, but there is no such operation." for each in named]
        begun = (each for each in (*self.jobs, *self.devices) if not any(path.startswith(each) for path in paths))
        return [f"{each}: is said to name what requests are about, but no path begins so." for each in begun] + unknown


class Call:
    """One request on its way to its handler."""

    def __init__(
        self,
        request: Request,
        caller: Caller | None,
        *,
        api: str,
        operation: Declared,
        subjects: Subjects,
        read: Callable[[Request], Awaitable[Any]],
    ) -> None:
        """``read`` gives the body, as the handler will have it."""
        self.request = request
        self.caller = caller  # None: the operation asks for no credential
        self.api = api  # such as "ibm/runtime", as jobs name where they came in
        self.operation = operation.id
        self.purpose = subjects.purpose(operation.id)
        self._declared = operation
        self._subjects = subjects
        self._read = read

    async def tags(self) -> Sequence[str]:
        """Return the tags of the job that the request is about, or submits."""
        if self.job_id is not None:
            job = await self._job(self.job_id)
            return job.tags if job else ()
        tags = getattr(await self.body(), "tags", ())
        return tags if isinstance(tags, list) else ()

    def alter(self, wrap: Callable[[Send], Send]) -> None:
        """Change what is answered, whatever that will be. See `Alterable.alter`."""
        answer: Alterable = self.request.scope[ANSWER]
        answer.alter(wrap)

    async def hang_up(self, *, at_once: bool) -> None:
        """End the connection: ``at_once``, or when all that was sent is on its way. Returns when it has ended."""
        transport: asyncio.Transport | None = self.request.scope.get(TRANSPORT)
        if transport is None:  # no real connection, as in tests without a server
            raise ConnectionResetError
        if at_once:
            transport.abort()
        else:
            transport.close()
        while (await self.request.receive())["type"] != "http.disconnect":
            pass

    @property
    def job_id(self) -> str | None:
        """Return the id of the job that the path names."""
        return self._named(self._subjects.jobs)

    async def body(self) -> Any:
        """Return the body as declared; None where the operation takes none.

        Raises:
            Refused: it is not as declared.
        """
        return await self._read(self.request) if self._declared.bodies else None

    async def device(self) -> str | None:
        """Return the core's name of the device that the request is about: by its path, its body or its job; None where it is about none."""
        if (name := self._named(self._subjects.devices)) is not None:
            return self._subjects.device(name)
        if self.job_id is not None:
            job = await self._job(self.job_id)
            return job.device if job else None
        body = await self.body() if self._subjects.members else None
        for member in self._subjects.members:
            name = getattr(body, member, self.request.query_params.get(member))
            if isinstance(name, str):
                return self._subjects.device(name)
        return None

    async def _job(self, job_id: str) -> Job | None:
        cloud: Cloud = self.request.app.state.cloud
        try:
            return await asyncio.to_thread(cloud.jobs.look, job_id)
        except UnknownJob:
            return None

    def _named(self, beginnings: Sequence[str]) -> str | None:
        for beginning in beginnings:
            if self._declared.path.startswith(beginning):
                return self.request.path_params[beginning.rpartition("{")[2].rstrip("}")]
        return None


async def ask(call: Call, rules: Sequence[Rule]) -> None:
    """Let the rules say what becomes of a request, the first of them first.

    Raises:
        Answered: one of them has answered it.
        QumulusError: one of them fails it.
    """
    for rule in rules:
        if (response := await rule(call)) is not None:
            raise Answered(response)
