"""`qumulus jobs`: the jobs of all accounts and APIs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from qumulus.core.jobs import JobState

from . import show
from .cloud import Cloud
from .devices import names as device_names
from .options import Json, Url, fail

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The identifier of a job.")]


@app.command("list")
def list_jobs(
    url: Url,
    state: Annotated[JobState | None, typer.Option(help="Only jobs in this state.")] = None,
    device: Annotated[str | None, typer.Option(autocompletion=device_names, help="Only jobs for this device.")] = None,
    api: Annotated[str | None, typer.Option(help="Only jobs that came by this API.")] = None,
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
    _print(Cloud(url).get(f"/emulator/jobs/{job}"), json=json)


@app.command("logs")
def logs(job: JobId, url: Url, json: Json = False) -> None:
    """Print what the runs of a job wrote."""
    lines = Cloud(url).get(f"/emulator/jobs/{job}/log")["lines"]
    if json:
        show.as_json(lines)
        return
    for line in lines:
        typer.echo(f"{show.moment(line['time'])} {line['severity']:7} {show.text(line['text'])}")


@app.command("cancel")
def cancel(jobs: Annotated[list[str], typer.Argument(metavar="JOB…")], url: Url, json: Json = False) -> None:
    """Cancel jobs, in the names of their owners."""
    cloud = Cloud(url)
    cancelled = [cloud.post(f"/emulator/jobs/{job}/cancel") for job in jobs]
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
) -> None:
    """Print the result of a job as it is stored."""
    content = Cloud(url).content(f"/emulator/jobs/{job}/result")
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        fail(f"{output} can't be written: {error.strerror}.")


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
    show.fields({name.replace("_", " "): value for name, value in (job | times).items()})
