"""The log: people read lines, machines read JSON, and no credential is ever in it.

The standard library does it: the usual package for structured logs imports rich, which costs a third of the start-up time.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from qumulus.core.tracing import TRACE

if TYPE_CHECKING:
    from qumulus.settings import Settings

LIBRARIES = ("uvicorn", "uvicorn.error", "alembic", "concurrent", "asyncio")
COLOURS = {logging.ERROR: "\x1b[31m", logging.WARNING: "\x1b[33m", logging.DEBUG: "\x1b[2m"}
NOTHING = logging.CRITICAL + 1  # a line that nobody reads is not even made
RESET = "\x1b[0m"
SHOWN = 8  # digits of a trace that people read


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send our lines, and the warnings of the libraries, to ``stream`` (standard error) in the form of the settings."""
    stream = stream or sys.stderr
    handler: logging.Handler
    if settings.log == "off":
        handler = logging.NullHandler()
    else:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(
            JsonLine() if settings.log == "json" else TextLine(colour=settings.log == "auto" and stream.isatty())
        )
    level = NOTHING if settings.log == "off" else logging.getLevelNamesMapping()[settings.log_level.upper()]
    for name, least in [("qumulus", level), *((library, max(level, logging.WARNING)) for library in LIBRARIES)]:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(least)


def fields(record: logging.LogRecord) -> dict[str, object]:
    """Return the members that a line was given with ``extra={"fields": {…}}``."""
    return getattr(record, "fields", {})


class TextLine(logging.Formatter):
    """The message as a person reads it, with the time of day here, coloured on a terminal."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback where there is one."""
        trace = TRACE.get()
        of = f" [{trace[:SHOWN]}]" if trace else ""  # it is the same thread that logs
        text = f"{datetime.fromtimestamp(record.created):%H:%M:%S}{of} {super().format(record)}"
        colour = COLOURS.get(record.levelno) if self._colour else None
        return f"{colour}{text}{RESET}" if colour else text


class JsonLine(logging.Formatter):
    """One JSON object a line: time, level, event, and the members of the line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object as text."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **fields(record),
        }
        if trace := TRACE.get():
            line["trace"] = trace
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
