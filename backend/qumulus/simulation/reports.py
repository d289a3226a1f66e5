"""What results say of how they were simulated, where several runs made one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def combined(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What to say of several runs, such as those of the parameter sets of a pub: all methods, engines and approximations, each
    once in the order in which they came; the largest of each figure of accuracy; the seconds of all together."""
    simulated = [run for run in runs if "method" in run]  # what has a value without being run has none
    if len(simulated) < 2:
        return dict((simulated or runs)[0]) if runs else {}
    accuracy: dict[str, Any] = {}
    for name, value in (item for run in simulated for item in run.get("accuracy", {}).items()):
        known = accuracy.get(name, value)
        accuracy[name] = _each_once([known, value]) if isinstance(value, str) else max(known, value)
    approximations = [run["approximation"] for run in simulated if run.get("approximation")]
    return {
        **simulated[0],
        "method": _each_once(run["method"] for run in simulated),
        "engine": _each_once(run["engine"] for run in simulated),
        "approximation": _each_once(approximations) if approximations else None,
        "accuracy": accuracy,
        "seconds": sum(run.get("seconds", 0.0) for run in simulated),
    }


def _each_once(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(part for text in texts for part in text.split("; ")))
