"""JSON in texts and files that somebody else has made, read so that it takes no more memory than there is for that."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import Any

from pydantic_core import from_json

from qumulus.core import json_sizes

LITTLE = 1 << 20
# bytes that values may take, as they are told beforehand: in truth a fifth of it
MOST_READ = 2 << 30  # of what is read alone
MOST_SENT = 256 << 20  # of what requests bring along, which many do at once

_alone = threading.Lock()


class TooManyValues(ValueError):
    """It may be JSON, but it is too large to be read."""

    def __init__(self) -> None:
        super().__init__("it has more values in it than can be read at once")


@contextlib.contextmanager
def reading(content: bytes) -> Generator[Any]:
    """Give the value of a JSON text, used inside only; a large one is read while no other one is.

    Raises:
        ValueError: it is not JSON, or has too many values.
    """
    with _alone if len(content) > LITTLE else contextlib.nullcontext():
        yield _value(content, MOST_READ)


def sent(text: str) -> Any:
    """Return the value of a JSON text that a request has brought along.

    Raises:
        ValueError: it is not JSON, or has too many values.
    """
    return _value(text.encode(), MOST_SENT)


def _value(content: bytes, most: int) -> Any:
    if json_sizes.size(content, most) > most:
        raise TooManyValues
    return from_json(content)
