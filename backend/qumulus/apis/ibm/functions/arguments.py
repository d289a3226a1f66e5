"""The arguments of a function, held against the schema that it was uploaded with."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from qumulus.core.errors import InvalidRequest, Unavailable

CHECK = Path(__file__).with_name("inside") / "check_arguments.py"
NONE = "{}"  # the schema of a function that asks for nothing
SECONDS = 20.0
MOST_CHARACTERS = 1 << 20  # of arguments that have a schema, as at the service
MOST_AT_ONCE = 8  # each has a process, and keeps a thread waiting that others need

_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class InvalidArguments(InvalidRequest):
    """Arguments are not as the schema of their function asks."""

    def __init__(self, message: str, path: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.path = list(path)


def check(schema: str, arguments: str) -> None:
    """Hold arguments against a schema; both are JSON text.

    Raises:
        InvalidArguments
    """
    if schema == NONE:
        return
    if len(arguments) > MOST_CHARACTERS:
        raise InvalidArguments(
            f"arguments have more than {MOST_CHARACTERS} characters: upload a file for the function."
        )
    try:
        from_json(arguments)
    except ValueError:
        raise InvalidArguments("arguments are not JSON.") from None
    found = _found(schema, arguments)
    if "schema" in found:
        raise InvalidArguments(f"The schema of the function can't be used: {found['schema']}.")
    if found:
        raise InvalidArguments(found["message"], found["path"])


def usable(schema: str) -> str:
    """The schema, as JSON text, if arguments can be held against it.

    Raises:
        InvalidRequest
    """
    if len(schema) > MOST_CHARACTERS:
        raise InvalidRequest(f"arguments_schema has more than {MOST_CHARACTERS} characters: say less in it.")
    found = {} if schema == NONE else _found(schema, None)
    if found:
        raise InvalidRequest(f"arguments_schema cannot be used: {found['schema']}.")
    return schema


def _found(schema: str, arguments: str | None) -> Mapping[str, Any]:
    """What the process that checks has found; that it did not end counts against the schema.

    Raises:
        Unavailable: very many are being checked.
    """
    if not _places.acquire(blocking=False):
        raise Unavailable("Many arguments are being checked: send the request again in a few seconds.")
    try:
        return _checked(schema, arguments)
    finally:
        _places.release()


def _checked(schema: str, arguments: str | None) -> Mapping[str, Any]:
    given = json.dumps({"schema": schema, "arguments": arguments})
    try:
        done = subprocess.run(  # noqa: S603 - the server's own program
            [sys.executable, "-I", str(CHECK)], input=given, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"schema": "to check arguments by it takes too long"}
    if done.returncode > 0:
        return {"schema": done.stderr.strip().rpartition("\n")[2][:200] or "it can't be read"}
    return from_json(done.stdout) if done.returncode == 0 else {"schema": "to check arguments by it takes too long"}
