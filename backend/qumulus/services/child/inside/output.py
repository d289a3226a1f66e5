"""What `run()` returned or raised, as the files that the platform makes of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import errno
import json
import os
import resource
from collections.abc import Mapping
from typing import Any

RESERVED = frozenset({"type", "title", "detail", "status", "instance"})
MOST_DEPTH = 180  # of values in each other: what reads results, here and in clients, goes no deeper than 200
READ_ONLY = (errno.EROFS, errno.EACCES)
OUTPUT_HINT = (
    "The folder of the service can't be written: write to the folder that OUTPUT_DIRECTORY names, whose files become files of "
    "the result, or to the one that TMPDIR names."
)


class NotJson(Exception):
    """`run()` returned what can't be written as JSON."""


def write(result: Any) -> int:
    """Write `output.txt` for a single value, `output.json` for everything else, and nothing for None.

    Returns the exit status of the program: 1 for an error that a program of the first generation returns instead of raising it.

    Raises:
        NotJson
    """
    if result is None:
        return 0
    try:
        text = json.dumps(result, default=plain, indent=2)
    except (TypeError, ValueError) as error:
        raise NotJson(f"What run() returned can't be written as JSON: {error}.") from None
    except RecursionError:
        raise NotJson(f"What run() returned is nested more than {MOST_DEPTH} deep: return something flatter.") from None
    _check(text)
    _put("output.txt" if isinstance(result, str | int | float) else "output.json", text)
    return int(type(result).__name__ == "ErrorResponse" and {"code", "detail"} <= vars(result).keys())


def _check(text: str) -> None:
    """What is written must be read by everybody: not too deep, and its texts have to be Unicode.

    Raises:
        NotJson
    """
    if "\n" + "  " * MOST_DEPTH in text:  # no text of JSON has a line break, so it is the indentation of a value
        raise NotJson(f"What run() returned is nested more than {MOST_DEPTH} deep: return something flatter.")
    if "\\ud" not in text:
        return
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        raise NotJson(
            f"What run() returned has a text with {half}, half of a character: UTF-8 can't say that."
        ) from None


def plain(value: Any) -> Any:
    """Return an object in JSON's own types; what JSON has no word for becomes a text, as on the platform."""
    if hasattr(value, "model_dump_json"):
        return json.loads(value.model_dump_json())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    if hasattr(value, "tolist"):  # arrays and scalars of numpy
        return value.tolist()
    return vars(value) if hasattr(value, "__dict__") and not callable(value) else str(value)


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
    if advice := hint(error):
        problem["detail"] = f"{problem['detail']}: {advice}"
    text = json.dumps(problem, default=str, indent=2, ensure_ascii=False)
    _put("output.json", text.encode("utf-8", "replace").decode())  # half a character can't be written


def hint(error: BaseException) -> str | None:
    """Return what a person may not know of the limits that an error comes from, if it does."""
    if isinstance(error, MemoryError):
        return f"the run may use {resource.getrlimit(resource.RLIMIT_DATA)[0] >> 20} MiB of memory."
    if not isinstance(error, OSError) or error.errno not in READ_ONLY or not isinstance(error.filename, str):
        return None
    workspace = os.path.join(os.environ["WORKSPACE"], "")
    return OUTPUT_HINT if os.path.abspath(error.filename).startswith(workspace) else None


def _told(error: BaseException) -> bool:
    """Say whether it is the platform's HandlerError, which says itself what the caller is told."""
    return any(kind.__name__ == "HandlerError" for kind in type(error).__mro__)


def _put(name: str, text: str) -> None:
    path = os.path.join(os.environ["OUTPUT_DIRECTORY"], name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
