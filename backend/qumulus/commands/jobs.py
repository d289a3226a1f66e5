"""`qumulus jobs`: the jobs of all accounts and APIs."""

from __future__ import annotations

import json as json_module
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from qumulus.core.jobs import FINAL, JobState

from . import show
from .cloud import Cloud, at
from .completion import completing
from .devices import names as device_names
from .options import Json, Url, fail

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

LOOK_SECONDS = 0.2

job_ids = completing(
    "/emulator/jobs",
    lambda page: [(job["id"], f"{job['state']} {job['device']} {job['name'] or ''}") for job in page["jobs"]],
)
apis = completing("/emulator/jobs", lambda page: sorted({(job["api"], "") for job in page["jobs"]}))
JobId = Annotated[str, typer.Argument(metavar="JOB", autocompletion=job_ids, help="The identifier of a job.")]


@app.command("list")
def list_jobs(
    url: Url,
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.")] = None,
    device: Annotated[str | None, typer.Option(autocompletion=device_names, help="Only jobs for this device.")] = None,
    api: Annotated[str | None, typer.Option(autocompletion=apis, help="Only jobs that came by this API.")] = None,
    search: Annotated[str | None, typer.Option(help="Only jobs with this text in name, note or identifier.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    json: Json = False,
) -> None:
    """List jobs, newest first."""
    chosen = {"state": state, "device": device, "api": api, "q": search, "limit": limit}
    page = Cloud(url).get("/emulator/jobs", **chosen)
    if json:
        show.as_json(page)
        return
    show.table(("job", "state", "device", "API", "shots", "created", "seconds", "name"), map(_row, page["jobs"]))
    if (left := page["total"] - len(page["jobs"])) > 0:
        typer.echo(f"{left} more: narrow the list, or raise --limit.", err=True)


@app.command("show")
def show_job(job: JobId, url: Url, json: Json = False) -> None:
    """Show a job."""
    _print(Cloud(url).get(at("jobs", job)), json=json)


@app.command("logs")
def logs(job: JobId, url: Url, json: Json = False) -> None:
    """Print what the runs of a job wrote."""
    lines = Cloud(url).get(at("jobs", job, "log"))["lines"]
    if json:
        show.as_json(lines)
        return
    for line in lines:
        typer.echo(f"{show.moment(line['time'])} {line['severity']:7} {show.text(line['text'])}")


@app.command("cancel")
def cancel(
    jobs: Annotated[
        list[str],
        typer.Argument(metavar="JOB", autocompletion=job_ids, help="Identifiers of jobs that have not ended."),
    ],
    url: Url,
    json: Json = False,
) -> None:
    """Cancel jobs, in the names of their owners."""
    cloud = Cloud(url)
    cancelled = []
    with show.progress("Cancelling", len(jobs)) as tell:
        for job in jobs:
            cancelled.append(cloud.post(at("jobs", job, "cancel")))
            tell(done=1)
    if json:
        show.as_json(cancelled)
        return
    for job in cancelled:
        typer.echo(f"{job['id']} is {job['state']}.")


@app.command("result")
def result(
    job: JobId,
    url: Url,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file.")] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for the end of the job.")] = False,
    json: Json = False,
) -> None:
    """Print the result of a job as it is stored."""
    cloud = Cloud(url)
    if wait:
        _await(cloud, job)
    content = cloud.content(at("jobs", job, "result"))
    if json:
        content = _laid_out(content, job)
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        fail(f"{output} can't be written: {error.strerror}.")


def _await(cloud: Cloud, job: str) -> None:
    with show.progress(f"Job {job}") as tell:
        while (state := cloud.get(at("jobs", job))["state"]) not in FINAL:
            tell(f"Job {job} is {state}")
            time.sleep(LOOK_SECONDS)


def _laid_out(content: bytes, job: str) -> bytes:
    try:
        return json_module.dumps(json_module.loads(content), indent=2, ensure_ascii=False).encode() + b"\n"
    except ValueError:
        fail(f"The result of job {job} is not JSON: leave --json out.")


def _row(job: dict[str, Any]) -> Sequence[object]:
    return (
        job["id"],
        job["state"],
        job["device"],
        job["api"],
        job["shots"],
        show.moment(job["created_at"]),
        job["run_seconds"],
        job["name"],
    )


def _print(job: dict[str, Any], *, json: bool) -> None:
    if json:
        show.as_json(job)
        return
    times = {name: show.moment(job[name]) for name in job if name.endswith("_at") and job[name]}
    progress = {"progress": job["progress"] and job["progress"]["text"]}
    show.fields({name.replace("_", " "): value for name, value in (job | times | progress).items()})
