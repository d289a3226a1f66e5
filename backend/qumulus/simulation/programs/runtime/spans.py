"""Execution spans: which shots of which pub were taken when."""

from __future__ import annotations

from datetime import datetime
from math import prod

from .twirling import Randomizations
from .values import Moment, Record


def span(
    pub: int, shape: tuple[int, ...], shots: int, start: datetime, stop: datetime, twirls: Randomizations | None
) -> Record:
    """All shots of one pub, taken between two moments; with twirling they are counted by randomization.

    The second form of twirled spans, which clients know from 0.41 on, is needed only if the last randomization has fewer shots.
    """
    times = {"start": Moment(start), "stop": Moment(stop)}
    if twirls is None:
        slices = [[*shape, shots], 0, prod(shape), 0, shots]
        return Record("DoubleSliceSpan", {**times, "data_slices": {pub: slices}})
    twirled = [twirls.number, *shape, twirls.shots]
    slices = [twirled, True, 0, prod(twirled[:-1]), 0, twirls.shots]
    if twirls.number * twirls.shots == shots:
        return Record("TwirledSliceSpan", {**times, "data_slices": {pub: slices}})
    return Record("TwirledSliceSpanV2", {**times, "data_slices": {pub: [*slices, shots]}})


def collection(spans: list[Record]) -> Record:
    """The spans of a job, under the name that every version of the client knows."""
    return Record("ExecutionSpanCollection", {"spans": spans})
