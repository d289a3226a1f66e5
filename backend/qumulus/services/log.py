"""From what a program prints to lines with a time and a severity, told while it still runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from qumulus.core.results import LogLine, Severity
from qumulus.dispatching.log_buffer import LogBuffer, LogLimit

from .resources import Resources

REDACTED = "[redacted]"
TELL_SECONDS = 0.25
LINE_COSTS = 64  # also an empty line costs something
LEAST_SECRET = 4  # a shorter one would take half of the log with it

SEVERITIES = {
    "TRACE": Severity.DEBUG,
    "DEBUG": Severity.DEBUG,
    "INFO": Severity.INFO,
    "SUCCESS": Severity.NOTICE,
    "NOTICE": Severity.NOTICE,
    "WARN": Severity.WARNING,
    "WARNING": Severity.WARNING,
    "ERROR": Severity.ERROR,
    "CRITICAL": Severity.ERROR,
    "FATAL": Severity.ERROR,
}
HALF, OUTPUT, ERROR = b"\0", b"\0\1", b"\0\2"  # marks, as `child.inside.streams` writes them
MARKS = re.compile(b"(\0[\1\2])")
# the word after a time or a bracket, as logging and loguru write it: "WARNING:root:…", "2026-… | INFO | …", "[ERROR] …"
LEVEL = re.compile(rf"^[\s\d\-:.,TZ+|\[(<]*({'|'.join(SEVERITIES)})(?=[\s:|\])>])")


def severity(text: str, otherwise: Severity) -> Severity:
    """Return what a line says of itself, else ``otherwise``."""
    found = LEVEL.match(text)
    return SEVERITIES[found[1]] if found else otherwise


class ProgramLog:
    """The log of one run: lines with a time and without secrets. What is fresh is told every moment, so that others can read it."""

    def __init__(
        self,
        now: Callable[[], datetime],
        resources: Resources,
        secrets: Iterable[str],
        tell: Callable[[Sequence[LogLine]], None],
    ) -> None:
        """``tell`` takes the lines that came since it was called last."""
        cut = f"The log is over its limit of {resources.log_bytes >> 20} MiB: what comes after is left out."
        self.buffer = LogBuffer(
            tell, every=TELL_SECONDS, limit=LogLimit(resources.log_bytes, cut, line_costs=LINE_COSTS)
        )
        self._now = now
        self._secrets = [secret for secret in secrets if len(secret) >= LEAST_SECRET]

    def add(self, text: str, level: Severity) -> None:
        """Write a line, as long as the log is below its limit."""
        if self.buffer.full:
            return
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        self.buffer.add(LogLine(self._now(), text, level))


class Ordered:
    """The standard output of a program, in which lines of the standard error stand, between marks, where they came."""

    def __init__(self, output: Lines, error: Lines) -> None:
        self._streams = {OUTPUT: output, ERROR: error}
        self._now = output
        self._begun = b""  # half of a mark

    def feed(self, chunk: bytes) -> None:
        """Take what was read, and give each stream its part."""
        chunk, self._begun = self._begun + chunk, b""
        if chunk.endswith(HALF):
            chunk, self._begun = chunk[:-1], HALF
        for part in MARKS.split(chunk):
            if part in self._streams:
                self._now = self._streams[part]
            elif part:
                self._now.feed(part)

    def end(self) -> None:
        """Give the last lines, which may lack their ends."""
        self._now.feed(self._begun)
        for lines in self._streams.values():
            lines.end()


class Lines:
    """One stream of a program, cut into lines as they come."""

    def __init__(
        self, program_log: ProgramLog, level: Severity, line_bytes: int, hear: Callable[[str], None] | None = None
    ) -> None:
        """``hear`` is told each line, too, with the secrets that may be in it."""
        self._program_log = program_log
        self._level = level
        self._most = line_bytes
        self._hear = hear
        self._begun = b""

    def feed(self, chunk: bytes) -> None:
        """Take what was read; a line that is too long ends where it is."""
        *whole, self._begun = (self._begun + chunk).split(b"\n")
        for line in whole:
            self._add(line)
        if len(self._begun) > self._most:
            self._add(self._begun[: self._most])
            self._begun = b""

    def end(self) -> None:
        """Give the last line, which may lack its end."""
        if self._begun:
            self._add(self._begun)
            self._begun = b""

    def _add(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r").replace("\0", "\N{REPLACEMENT CHARACTER}")
        if self._hear is not None:
            self._hear(text)
        self._program_log.add(text, severity(text, self._level))
