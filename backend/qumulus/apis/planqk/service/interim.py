"""Interim results: objects that a program tells of before its end, in lines that it prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic_core import to_json

from qumulus.apis.json_texts import reading
from qumulus.core.results import LogLine

INTERIM = "PlanQK:Job:InterimResult:"  # before an interim result, in a line that a program prints


def interim_results(lines: Iterable[LogLine]) -> Iterator[bytes]:
    """The objects that a program told of before its end, oldest first, as JSON: read, they could take all memory together."""
    for line in lines:
        marker, _, told = line.text.partition(INTERIM)
        if told and not marker.strip() and (found := _object(told)) is not None:
            yield found


def _object(told: str) -> bytes | None:
    """An object as JSON; None for a line that has none, which stays in the log, where its author finds it."""
    try:
        with reading(told.encode()) as value:
            return to_json(value, inf_nan_mode="null") if isinstance(value, dict) else None
    except ValueError:
        return None
