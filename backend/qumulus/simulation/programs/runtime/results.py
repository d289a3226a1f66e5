"""The result of a primitive: pub results with their metadata, as ``RuntimeEncoder`` would write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from qumulus.core.results import Outcome


def outcome(
    pub_results: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any], report: Mapping[str, Any]
) -> Outcome:
    """The outcome of a primitive; ``report`` says how it was simulated."""
    value = {"pub_results": pub_results, "metadata": {**metadata, "version": 2}}
    return encoded({"__type__": "PrimitiveResult", "__value__": value}, report)


def encoded(document: Mapping[str, Any], report: Mapping[str, Any]) -> Outcome:
    """A JSON document as the outcome of a program."""
    return Outcome(result=json.dumps(document, separators=(",", ":")).encode(), metadata=report)
