"""`qumulus doctor` and `qumulus upgrade`: what could be wrong, and what a newer version makes of a state."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated

import httpx2
import typer

from qumulus.core.clock import SystemClock
from qumulus.core.health import Finding, Grade

from . import show
from .keeping import IN_POSTGRES, Home, settings_of
from .options import Json, Url, fail

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10
SKEW = timedelta(seconds=5)


def doctor(url: Url, home: Home = None, json: Json = False) -> None:
    """Look for what could be wrong here; exit status 0 if nothing is."""
    from qumulus.serving.diagnosis import diagnose

    findings = [*diagnose(settings_of(home)), *_running(url)]
    if json:
        show.as_json([{"what": each.what, "grade": each.grade, "told": each.told, "do": each.do} for each in findings])
    else:
        marks = {Grade.WELL: "✓", Grade.LOOK: "!", Grade.WRONG: "✗"}
        for each in findings:
            typer.echo(f"{marks[each.grade]} {each.what:12} {show.text(each.told)}")
            if each.do:
                typer.echo(f"  {'':12} → {show.text(each.do)}")
    raise typer.Exit(1 if any(each.grade is Grade.WRONG for each in findings) else 0)


def _running(url: str) -> Iterator[Finding]:
    """What a server that runs says of itself."""
    from qumulus import __version__

    try:
        with httpx2.Client(base_url=url, timeout=SECONDS, trust_env=False) as client:
            health, about = client.get("/health"), client.get("/").json()
            checks = health.json()["checks"]
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        yield Finding(what="server", told=f"no cloud answers at {url}")
        return
    if about.get("version") == __version__:
        yield Finding(what="server", told=f"Qumulus {__version__} answers at {url}")
    else:
        told = f"Qumulus {about.get('version')} answers at {url}, and this is {__version__}"
        yield Finding(
            what="server", grade=Grade.LOOK, told=told, do="Start the server again, to run what is installed."
        )
    for check in checks:
        if not check["well"]:
            do = "See the server's log, and above."
            yield Finding(what=f"its {check['name']}", grade=Grade.WRONG, told=check["reason"], do=do)
    if date := health.headers.get("date"):
        skew = parsedate_to_datetime(date) - SystemClock().wall()
        if abs(skew) > SKEW:
            told = f"the clock of the server is {skew.total_seconds():+.0f} s from that of this machine"
            yield Finding(what="its clock", grade=Grade.LOOK, told=told, do="Have both clocks kept by NTP.")


def upgrade(
    home: Home = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing: try it on a copy.")] = False,
    json: Json = False,
) -> None:
    """Bring a state up to date, as the next start would."""
    settings = settings_of(home)
    if settings.database is not None and check:
        fail(f"An upgrade is tried on a copy of the state. {IN_POSTGRES.format(home=settings.home)}")
    from qumulus.storage import StateUnusable
    from qumulus.storage.examination import examine, missing_steps, rehearse

    try:
        seen = examine(settings.home)
        steps = missing_steps(seen.tables) if seen else []
        if seen and seen.damage:
            fail(f"The database is damaged ({seen.damage[:120]}): put back a backup first.")
        rows = rehearse(settings.home) if seen and steps and check else {}
        if not check:
            _upgraded(home)
    except StateUnusable as error:
        fail(str(error))
    if json:
        told = [{"version": step, "does": does} for step, does in steps]
        show.as_json({"steps": told, "tried": check, "jobs": rows.get("jobs", seen.jobs if seen else 0)})
        return
    for step, does in steps:
        typer.echo(f"{step}  {does}")
    if not steps:
        typer.echo(
            f"The state in {settings.home} is up to date." if seen else f"There is no state in {settings.home} yet."
        )
    elif check:
        typer.echo(
            f"Tried on a copy: {rows['jobs']} jobs and everything else are kept. Back up, then start the new version."
        )
    else:
        typer.echo("Done.")


def _upgraded(home: Home) -> None:
    from qumulus.serving.runners import opened
    from qumulus.serving.start_error import StartError

    try:
        opened(settings_of(home), accepts=False).close()
    except StartError as error:
        fail(str(error))
