"""`core.ports.JobQueue` over the Provider API: what the engine of this machine takes its jobs from."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from qumulus.core.errors import Unavailable
from qumulus.core.jobs import JobState
from qumulus.core.ports import Claim
from qumulus.core.ports.queue import Begin
from qumulus.core.programs import Program
from qumulus.core.results import LogLine, Outcome
from qumulus.payloads import OPENQASM_ARCHIVE
from qumulus.payloads.archive import Archive

from .cloud import CloudRefused, NoLonger, ProviderCloud

TYPES = ("sampling", "estimation", "multi_manual")
EFFECTIVE = {"transpiler_lib": "qiskit", "transpiler_options": {"optimization_level": 1}}
OURS = frozenset({"ready", "running"})  # as long as a job is in one of these, nobody else has a say in it
ATTEMPTS = 3

Tell = Callable[[str], None]


class NeverAtOnce:
    """Nothing is claimed here in the step in which it is stored: that happens elsewhere. See `core.ports.queue.AtOnce`."""

    quiet = False
    faulty = False  # the cloud does what its faults say

    def offer(
        self, owner: str, lease: timedelta, keep: Callable[[], Begin | None], devices: Callable[[str], bool]
    ) -> None:
        """Take no notice."""


class RemoteQueue:
    """The jobs of one device of a cloud. ``tell`` takes a sentence for each thing that happens to one."""

    def __init__(self, cloud: ProviderCloud, simulated: str, *, poll_seconds: float, tell: Tell) -> None:
        """``simulated`` is the device of the catalogue that the jobs run on."""
        self._cloud = cloud
        self._simulated = simulated
        self._poll_seconds = poll_seconds
        self._tell = tell
        self._next_look = 0.0
        self._died: Counter[str] = Counter()  # how often a worker died of a job
        self.tally: Counter[str] = Counter()
        self.at_once = NeverAtOnce()

    # -- taking --------------------------------------------------------------------------------------------------------

    def claim(
        self,
        owner: str,
        count: int,
        lease: timedelta,
        *,
        devices: Callable[[str], bool] | None = None,
        besides: frozenset[str] = frozenset(),
    ) -> list[Claim]:
        """Fetch up to ``count`` jobs. What can't be run here is reported as failed. Whose they are, only the cloud knows."""
        del owner, lease, devices
        if besides or time.monotonic() < self._next_look:
            return []
        jobs = self._cloud.fetch(count)
        if not jobs:
            self._next_look = time.monotonic() + self._poll_seconds
        return [claim for job in jobs if (claim := self._taken(job)) is not None]

    def _taken(self, job: Mapping[str, Any]) -> Claim | None:
        job_id = job["job_id"]
        try:
            return self._claim(job)
        except CloudRefused as error:
            self._failed(job_id, f"Its input can't be downloaded: {error}")
        except (NoLonger, Unavailable) as error:
            self._tell(f"{job_id}: left, {error}")
        return None

    def _claim(self, job: Mapping[str, Any]) -> Claim | None:
        job_id, kind = job["job_id"], job.get("job_type", TYPES[0])
        if kind not in TYPES:
            self._failed(job_id, f"Jobs of the type {kind} are not run by this engine: send one of {', '.join(TYPES)}.")
            return None
        content = self._cloud.input(job["input"])
        options = {name: job.get(name) or {} for name in ("transpiler_info", "mitigation_info", "simulator_info")}
        if not options["transpiler_info"]:
            self._cloud.transpiler(job_id, EFFECTIVE)
        self._tell(f"{job_id}: fetched, {kind}, {job['shots']} shots")
        program = Program(
            job_id=job_id,
            kind=OPENQASM_ARCHIVE.name,
            payload=OPENQASM_ARCHIVE.encode(Archive(content)),
            device=self._simulated,
            shots=job["shots"],
            seed=int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:4]),  # an attempt more gives the same counts
            options={"job_type": kind, **options},
        )
        queued_at = datetime.fromisoformat(job["submitted_at"]) if "submitted_at" in job else None
        return Claim(job_id=job_id, attempt=1, program=program, device=program.device, account="", queued_at=queued_at)

    def _failed(self, job_id: str, reason: str) -> None:
        self._cloud.report(job_id, "failed", message=reason)
        self.tally["failed"] += 1
        self._tell(f"{job_id}: failed. {reason}")

    # -- running -------------------------------------------------------------------------------------------------------

    def start(self, claim: Claim) -> bool:
        """Report it as running; False when it was cancelled meanwhile."""
        try:
            self._cloud.report(claim.job_id, "running")
        except NoLonger:
            return False
        return True

    def expect_end(self, claim: Claim, at: datetime) -> None:
        """The Provider API does not take it."""

    def heartbeat(self, owner: str, claims: Iterable[Claim], lease: timedelta) -> list[Claim]:
        """Ask after the jobs, which renews a lease where the cloud has them; those that somebody cancelled, or that are gone."""
        del owner, lease
        return [claim for claim in claims if self._status(claim.job_id) not in OURS]

    def _status(self, job_id: str) -> str | None:
        try:
            return self._cloud.status(job_id)
        except NoLonger:
            return None

    def finish(
        self, claim: Claim, outcome: Outcome, log: Sequence[LogLine] = (), *, began_at: datetime | None = None
    ) -> bool:
        """Upload what it left and report how it ended; False when nobody wants to know any more."""
        del log
        if began_at is not None and not self.start(claim):
            return False
        job_id, seconds = claim.job_id, outcome.run_seconds
        try:
            if outcome.succeeded:
                keys = self._cloud.upload(job_id, outcome.files)
                self._cloud.report(job_id, "succeeded", output_files=keys, execution_time=seconds)
            else:
                self._cloud.report(job_id, "failed", message=outcome.reason or "", execution_time=seconds)
        except NoLonger as error:
            self._tell(f"{job_id}: its end is not wanted any more. {error}")
            return False
        ended = "succeeded" if outcome.succeeded else "failed"
        self.tally[ended] += 1
        self._tell(f"{job_id}: {ended} after {seconds:.2f} s" + (f". {outcome.reason}" if outcome.reason else ""))
        return True

    def release(self, claim: Claim, *, counted: bool, reason: str) -> JobState | None:
        """Hand a job back, or report its end where it was cancelled, or a worker has died of it too often."""
        job_id = claim.job_id
        self._died[job_id] += counted
        try:
            if self._cloud.status(job_id) not in OURS:
                self._cloud.report(job_id, "cancelled")
                return self._ended(job_id, JobState.CANCELLED, "cancelled")
            if self._died[job_id] >= ATTEMPTS:
                self._cloud.report(job_id, "failed", message=reason)
                return self._ended(job_id, JobState.FAILED, f"failed. {reason}")
            return self._handed_back(job_id, reason)
        except NoLonger:
            return None

    def put_back(self, claim: Claim) -> JobState | None:
        """Hand back what has not begun."""
        return self.release(claim, counted=False, reason="It could not be begun.")

    def _handed_back(self, job_id: str, reason: str) -> JobState:
        try:
            self._cloud.report(job_id, "submitted")
        except CloudRefused:  # OQTOPUS' own cloud has no word for it
            self._cloud.report(job_id, "failed", message=f"{reason} Submit it again.")
            return self._ended(job_id, JobState.FAILED, f"failed. {reason}")
        self.tally["handed back"] += 1
        self._tell(f"{job_id}: handed back")
        return JobState.QUEUED

    def _ended(self, job_id: str, state: JobState, said: str) -> JobState:
        self.tally[state.value] += 1
        self._tell(f"{job_id}: {said}")
        return state

    def log(self, claim: Claim, lines: Sequence[LogLine]) -> None:
        """The Provider API takes no lines of the log."""

    def explain(self, queues: str, text: str | None) -> None:
        """Do nothing: what waits, waits at the cloud."""

    def recover(self, *, everything: bool = False) -> int:
        """Jobs that an engine left are handed back by the cloud."""
        del everything
        return 0
