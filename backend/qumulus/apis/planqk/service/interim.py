"""Interim results: objects that a program tells of before its end, in lines that it prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from qumulus.core.results import LogLine

INTERIM = "PlanQK:Job:InterimResult:"  # before an interim result, in a line that a program prints


def interim_results(lines: Iterable[LogLine]) -> Iterator[dict[str, Any]]:
    """The objects that a program told of before its end, oldest first."""
    for line in lines:
        marker, _, told = line.text.partition(INTERIM)
        if told and not marker.strip():
            try:
                value = json.loads(told)
            except (ValueError, RecursionError):
                continue  # the line stays in the log, where its author finds it
            if isinstance(value, dict):
                yield value
