"""`qumulus emulator clock`: what time it is in the cloud, and letting it pass."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from qumulus.core.clock import ClockMode
from qumulus.emulation.clock import JobMoment

from . import show
from .cloud import Cloud, at
from .options import Json, Url, fail

PATH = "/emulator/clock"

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class Unit(StrEnum):
    """What a span of time is counted in."""

    S = "s"
    MIN = "min"
    H = "h"
    D = "d"


SECONDS = {Unit.S: 1, Unit.MIN: 60, Unit.H: 3600, Unit.D: 86_400}

Moment = Annotated[
    str | None,
    typer.Option("--now", help="What time it is to be, such as 2026-03-02T08:00; in UTC if no zone is said."),
]


def moment(text: str) -> str:
    """Return a time that a person typed as the API takes it; a sentence where it is none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text} is no time: write it as 2026-03-02T08:00.", 2)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).isoformat()


@app.command("show")
def show_clock(url: Url, json: Json = False) -> None:
    """Say what time it is in the cloud, and how its clock goes."""
    _print(Cloud(url).get(PATH), json=json)


@app.command("set")
def set_clock(
    mode: Annotated[ClockMode, typer.Argument(metavar="MODE", help="real, scaled or manual.")],
    url: Url,
    rate: Annotated[float | None, typer.Option(min=0, help="With scaled: how many times as fast.")] = None,
    now: Moment = None,
    bearer_tokens: Annotated[
        bool,
        typer.Option(
            "--bearer-tokens", help="Let bearer tokens end by this clock too, which their clients do not see."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Let the clock go as the machine's, faster, or stand."""
    if (mode is ClockMode.SCALED) != (rate is not None):
        fail("Say --rate with scaled, and with nothing else.", 2)
    if mode is ClockMode.REAL:
        Cloud(url).delete(PATH)
        _print(Cloud(url).get(PATH), json=json)
        return
    body: dict[str, Any] = {"rate": rate or 0, "bearer_tokens": bearer_tokens}
    if now is not None:
        body["now"] = moment(now)
    _print(Cloud(url).put(PATH, body), json=json)


@app.command("advance")
def advance(
    url: Url,
    amount: Annotated[float | None, typer.Argument(min=0, metavar="[NUMBER]", help="How much time passes.")] = None,
    unit: Annotated[Unit, typer.Argument(metavar="[UNIT]", help="s, min, h or d.")] = Unit.S,
    job: Annotated[str | None, typer.Option(help="As much as this job needs, instead.")] = None,
    until: Annotated[JobMoment, typer.Option(help="What the job has to have done.")] = JobMoment.STARTED,
    json: Json = False,
) -> None:
    """Let time pass: `2 h`, or as much as a job needs."""
    if (amount is None) == (job is None):
        fail("Say how much time passes, such as `advance 2 h`, or --job.", 2)
    if job is not None:
        clock = Cloud(url).post(at("clock", "advance", job), {"until": until.value})
    else:
        clock = Cloud(url).post(f"{PATH}/advance", {"seconds": (amount or 0) * SECONDS[unit]})
    _print(clock, json=json)


def _print(clock: dict[str, Any], *, json: bool) -> None:
    if json:
        show.as_json(clock)
        return
    told = {"mode": clock["mode"], "in the cloud": show.moment(clock["now"]), "here": show.moment(clock["machine"])}
    if clock["mode"] != ClockMode.REAL:
        told |= {"times as fast": clock["rate"], "ends bearer tokens": clock["bearer_tokens"]}
    show.fields(told)
