"""Jobs of all accounts."""

from __future__ import annotations

from qumulus.apis.emulator.schemas.jobs import Job, JobState, Log, LogLine, Progress, Severity
from qumulus.core import jobs, results


def job(known: jobs.Job) -> Job:
    """A job."""
    return Job(
        id=known.id,
        account=known.account,
        api=known.api,
        kind=known.kind,
        device=known.device,
        state=JobState(known.state),
        name=known.name,
        shots=known.shots,
        tags=list(known.tags),
        session=known.session,
        instance=known.instance,
        created_at=known.created_at,
        queued_at=known.queued_at,
        running_at=known.running_at,
        ended_at=known.ended_at,
        attempt=known.runs,
        reason=known.reason,
        reason_code=known.reason_code,
        run_seconds=known.run_seconds,
        trace=known.trace,
        progress=None if known.progress is None else Progress(**known.progress),
        metadata={name: value for name, value in known.metadata.items() if name != jobs.PROGRESS},
    )


def log(lines: tuple[results.LogLine, ...]) -> Log:
    """The lines of a job."""
    return Log(lines=[LogLine(time=line.time, severity=Severity(line.severity), text=line.text) for line in lines])
