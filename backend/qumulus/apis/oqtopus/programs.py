"""Jobs of the type sse: a user's Python program, run beside a device, that sends jobs of its own through the User API.

It finds what OQTOPUS' own container has: OQTOPUS_ENV, in which `oqtopus-client` hands its jobs to the module `sse_driver`. Besides,
OQTOPUS_BASE_URL and OQTOPUS_API_TOKEN, for programs that call the API themselves. What its run comes to is its last job's result.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from qumulus.core.accounts import Caller
from qumulus.core.errors import IllegalTransition, NotFound
from qumulus.core.jobs import PENDING, Job, JobState
from qumulus.core.ports import Accounts, Claim, Clock, JobQuery, JobStore
from qumulus.core.results import Failure, LogLine, Outcome
from qumulus.payloads.openqasm import INLINE, SHOWN
from qumulus.payloads.zip_files import pack

from .job_files import JOB_API
from .unpacking import unpacked

SCHEME = "oqtopus"
TYPE = "sse"
PROGRAM = "sse_program"  # the member of the input that has the text
PREFIX = "sse-"  # how the id of a program's own token begins; the id of its job follows
GRACE = timedelta(minutes=1)
RESULTS = ("result.zip", "transpile_result.zip")
LOG, LOG_ENTRY = "sse_log.zip", "sse_log.log"
LAST_LINES = 20  # of the log, in the message of a program that failed
CONTAINER = (
    "autoray==0.7.2",
    "cirq==1.5.0",
    "matplotlib==3.10.3",
    "networkx==3.5",
    "numpy==1.26.4",
    "openfermion==1.7.1",
    "openjij==0.11.2",
    "oqtopus-client>=1.1.4",
    "pandas==2.3.1",
    "pennylane==0.42.0",
    "polars==1.31.0",
    "pyqubo==1.5.0",
    "qiskit==1.4.3",
    "qulacs==0.6.12",
    "quri-parts-oqtopus==1.1.4",
    "quri-parts==0.22.1",
    "scikit-learn==1.7.0",
    "scipy>=1.15.3",
    "skqulacs==0.5.3",
    "tqdm==4.67.1",
)
"""What upstream's container has for programs, as `sse_runtime` of oqtopus-engine 2.1.1 lists it (autoray
because PennyLane 0.42 does not run with later ones). It needs Python 3.11 or 3.12."""
MISSING = "ModuleNotFoundError: No module named "
SUBMITTED = frozenset(JobState) - {JobState.REGISTERED}
THEIRS = frozenset({Failure.PROGRAM, Failure.TIME, Failure.MEMORY})


def sender(token: str) -> str | None:
    """The job whose program sends a request with this token; None where a person does."""
    name = token.partition(".")[0]
    return name.removeprefix(PREFIX) if name.startswith(PREFIX) else None


def sent_by(job_id: str) -> str:
    """The tag of the jobs that a program sends."""
    return f"{TYPE}:{job_id}"


class UserPrograms:
    """What the programs get, and what is stored of their runs."""

    modules = Path(__file__).with_name("modules")
    packages: Mapping[str, tuple[str, ...]] = MappingProxyType({"oqtopus": CONTAINER})

    def __init__(self, jobs: JobStore, accounts: Accounts, clock: Clock) -> None:
        self._jobs = jobs
        self._accounts = accounts
        self._clock = clock
        self._tokens: dict[str, str] = {}  # their ids, by job

    def begin(self, claim: Claim, seconds: float) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Variables of its environment: those that may be seen, and its credential, which is good while it runs."""
        token = f"{PREFIX}{claim.job_id}.{secrets.token_urlsafe(32)}"
        until = self._clock.now() + timedelta(seconds=seconds) + GRACE
        self._tokens[claim.job_id] = self._accounts.add_token(claim.account, SCHEME, token, expires_at=until).id
        address = {"OQTOPUS_ENV": "sse_container", "OQTOPUS_BASE_URL": claim.program.options["origin"]}
        return address, {"OQTOPUS_API_TOKEN": token}

    def outcome(self, claim: Claim, outcome: Outcome, rest: Sequence[LogLine]) -> Outcome:
        """The result of its last job, with the log; or why there is none."""
        last = next(iter(self._sent(claim, SUBMITTED, limit=1)), None)
        self.end(claim)  # before anybody learns of the end
        if last is not None and "transpiler_info" in last.request:
            used = {**claim.program.options, "transpiler_info": last.request["transpiler_info"]}
            self._jobs.describe(claim.job_id, used)
        log = [line.text for line in (*self._jobs.log(claim.job_id), *rest)]
        failure, reason = outcome.failure, outcome.reason or ""
        if failure is None and (shortcoming := _shortcoming(last)):
            failure, reason = Failure.PROGRAM, shortcoming
        if last is None or failure is not None:
            said = _said(reason, log) if failure in THEIRS else reason
            return Outcome(failure=failure, reason=said, run_seconds=outcome.run_seconds, metadata=outcome.metadata)
        there = self._jobs.files(last.id)
        files = {name: self._jobs.file(last.id, name) for name in RESULTS if name in there}
        if claim.program.options.get(INLINE):
            files |= _shown(last.id, there, files, self._jobs)
        files[LOG] = _packed_log(log)
        return Outcome(files=files, run_seconds=outcome.run_seconds, metadata=outcome.metadata)

    def end(self, claim: Claim) -> None:
        """Take back its credential, and cancel the jobs that it has left."""
        if (token := self._tokens.get(claim.job_id)) is not None:
            with suppress(NotFound):  # the state was reset meanwhile
                self._accounts.revoke_token(token)
            self._tokens.pop(claim.job_id, None)
        for job in self._sent(claim, PENDING, limit=1000):
            with suppress(NotFound, IllegalTransition):  # it ended meanwhile
                self._jobs.cancel(job.id, Caller(account=claim.account))

    def _sent(self, claim: Claim, states: frozenset[JobState], *, limit: int) -> tuple[Job, ...]:
        """The jobs that it has sent, the newest first."""
        query = JobQuery(
            account=claim.account,
            api=JOB_API,
            tags=(sent_by(claim.job_id),),
            states=states,
            limit=limit,
            counted=False,
        )
        return self._jobs.find(query).jobs


class NoLog(NotFound):
    """There is no log of such a program."""


def sse_log(job: Job, jobs: JobStore) -> bytes:
    """The zip file with the log of a program that has ended, also of one that failed.

    Raises:
        NoLog: the job is of another type, or has not ended.
    """
    if job.request.get("job_type") != TYPE:
        raise NoLog(f"Job {job.id} has no log: only jobs of the type {TYPE} have one.")
    if not job.final:
        raise NoLog(f"The log of job {job.id} is not there yet: ask again when the job has ended.")
    if LOG in jobs.files(job.id):
        return jobs.file(job.id, LOG)
    return _packed_log([line.text for line in jobs.log(job.id)])


def _packed_log(lines: Sequence[str]) -> bytes:
    return pack(LOG_ENTRY, "".join(f"{line}\n" for line in lines))


def _shown(job_id: str, there: Collection[str], files: Mapping[str, bytes], jobs: JobStore) -> dict[str, bytes]:
    """What answers show of the results of its last job, where they show results themselves."""
    if SHOWN in there:
        return {SHOWN: jobs.file(job_id, SHOWN)}
    return unpacked({name.removesuffix(".zip"): content for name, content in files.items()})


def _shortcoming(last: Job | None) -> str | None:
    """Why a program that ended well has no result."""
    if last is None:
        return "It sent no job, whose result would be its own: OQTOPUS' engine fails such a program, too."
    if not last.final:
        return f"Its last job, {last.id}, has not ended: wait for it in the program."
    if last.state is JobState.SUCCEEDED:
        return None
    return f"Its last job, {last.id}, {'failed' if last.state is JobState.FAILED else 'was cancelled'}: {last.reason}"


def _said(reason: str, log: Sequence[str]) -> str:
    """The message, in upstream's words, which say no more; here the reason follows, and how the log ends."""
    message = f"user program execution error: {reason.removeprefix('Failed: ')}"
    if any(MISSING in line for line in (reason, *log[-LAST_LINES:])):
        message += (
            "\nThe server installs what QUMULUS_SSE_REQUIREMENTS names: add the module's package,"
            " or name oqtopus for what OQTOPUS' own container has."
        )
    return "\n".join([message, "Its log ends:", *log[-LAST_LINES:]]) if log else message
