"""From what a program prints to lines with a time and a severity, readable while it still runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from qumulus.core.results import LogLine, Severity

from .resources import Resources

INTERIM = "PlanQK:Job:InterimResult:"
REDACTED = "[redacted]"
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
# the word after a time or a bracket, as logging and loguru write it: "WARNING:root:…", "2026-… | INFO | …", "[ERROR] …"
LEVEL = re.compile(rf"^[\s\d\-:.,TZ+|\[(<]*({'|'.join(SEVERITIES)})(?=[\s:|\])>])")


def severity(text: str, otherwise: Severity) -> Severity:
    """What a line says of itself, else ``otherwise``."""
    found = LEVEL.match(text)
    return SEVERITIES[found[1]] if found else otherwise


class Journal:
    """The log of one run, written line by line to a file that any process may read meanwhile."""

    def __init__(self, path: Path, now: Callable[[], datetime], resources: Resources, secrets: Iterable[str]) -> None:
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._now = now
        self._left = resources.log_bytes
        self._secrets = [secret for secret in secrets if len(secret) >= LEAST_SECRET]
        self.lines: list[LogLine] = []
        self._most = resources.log_bytes

    def add(self, text: str, level: Severity) -> None:
        """Write a line, as long as the log is under its limit."""
        if self._left <= 0:
            return
        self._left -= len(text) + 64  # a line costs something even when it is empty
        if self._left <= 0:
            text = f"The log is over its limit of {self._most >> 20} MiB: what comes after is left out."
            level = Severity.WARNING
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        line = LogLine(self._now(), text, level)
        self.lines.append(line)
        self._file.write(json.dumps([line.time.isoformat(), line.text, line.severity]).encode() + b"\n")

    def close(self) -> None:
        """Nothing more will come."""
        self._file.close()


class Lines:
    """One stream of a program, cut into lines as they come."""

    def __init__(self, journal: Journal, level: Severity, line_bytes: int) -> None:
        self._journal = journal
        self._level = level
        self._most = line_bytes
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
        """The last line may lack its end."""
        if self._begun:
            self._add(self._begun)
            self._begun = b""

    def _add(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r").replace("\0", "\N{REPLACEMENT CHARACTER}")
        self._journal.add(text, severity(text, self._level))


def read(path: Path) -> tuple[LogLine, ...]:
    """The lines so far of a run that may still go on."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    whole = content[: content.rfind(b"\n") + 1]
    return tuple(
        LogLine(datetime.fromisoformat(time), text, Severity(level))
        for time, text, level in map(json.loads, whole.splitlines())
    )


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
