"""What `run()` returned or raised, as the files that the platform makes of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import os
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any

RESERVED = frozenset({"type", "title", "detail", "status", "instance"})
AS_TEXT = (uuid.UUID, decimal.Decimal, pathlib.PurePath, complex)


class NotJson(Exception):
    """`run()` returned what JSON has no word for."""


def write(result: Any) -> None:
    """Write `output.txt` for a single value, `output.json` for everything else, and nothing for None.

    Raises:
        NotJson
    """
    if result is None:
        return
    try:
        text = json.dumps(result, default=plain, allow_nan=False, indent=2)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJson(f"What run() returned can't be written as JSON: {error}.") from None
    _put("output.txt" if isinstance(result, str | int | float) else "output.json", text)


def plain(value: Any) -> Any:
    """Return an object in JSON's own types.

    Raises:
        TypeError: JSON has no word for it.
    """
    if hasattr(value, "model_dump_json"):
        return json.loads(value.model_dump_json())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, AS_TEXT):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    if hasattr(value, "tolist"):  # arrays and scalars of numpy
        return value.tolist()
    if hasattr(value, "__dict__") and not callable(value):
        return vars(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def write_problem(error: BaseException) -> None:
    """Write the problem document (RFC 7807) of a failed run to `output.json`."""
    problem = {
        "type": "about:blank",
        "status": 500,
        "title": getattr(error, "title", None) if _told(error) else type(error).__name__,
        "detail": (getattr(error, "detail", None) if _told(error) else str(error)) or type(error).__name__,
    }
    if _told(error):
        problem |= {name: value for name, value in getattr(error, "extensions", {}).items() if name not in RESERVED}
    _put("output.json", json.dumps(problem, default=str, indent=2))


def _told(error: BaseException) -> bool:
    """Say whether it is the platform's HandlerError, which says itself what the caller is told."""
    return any(kind.__name__ == "HandlerError" for kind in type(error).__mro__)


def _put(name: str, text: str) -> None:
    path = os.path.join(os.environ["OUTPUT_DIRECTORY"], name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
