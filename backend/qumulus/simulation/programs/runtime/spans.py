"""Execution spans: which shots of which pub were taken when."""

from __future__ import annotations

from datetime import datetime
from math import prod
from typing import Any

from .twirling import Randomizations
from .wire import to_datetime, to_value


def span(
    pub: int, shape: tuple[int, ...], shots: int, start: datetime, stop: datetime, twirls: Randomizations | None
) -> dict[str, Any]:
    """All shots of one pub, taken between two moments; with twirling they are counted by randomization.

    The second form of twirled spans, which clients know from 0.41 on, is needed only if the last randomization has fewer shots.
    """
    times = {"start": to_datetime(start), "stop": to_datetime(stop)}
    if twirls is None:
        slices = [[*shape, shots], 0, prod(shape), 0, shots]
        return to_value("DoubleSliceSpan", **times, data_slices={pub: slices})
    twirled = [twirls.number, *shape, twirls.shots]
    slices = [twirled, True, 0, prod(twirled[:-1]), 0, twirls.shots]
    if twirls.number * twirls.shots == shots:
        return to_value("TwirledSliceSpan", **times, data_slices={pub: slices})
    return to_value("TwirledSliceSpanV2", **times, data_slices={pub: [*slices, shots]})


def collection(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """The spans of a job, under the name that every version of the client knows."""
    return to_value("ExecutionSpanCollection", spans=spans)
