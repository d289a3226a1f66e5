"""What became of a page, and why, from how its program ended and what its cloud says of its jobs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """In a word."""

    WHOLE = "whole"
    APPROXIMATED = "approximated"
    NEEDS = "needs"
    SLOW = "too slow"
    FAILS = "fails by us"


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int | None  # None: its time was over
    output: str  # the end of what it printed as errors
    placeholders: tuple[str, ...] = ()  # what its text leaves to the reader, such as <BACKEND_NAME>
    approximations: tuple[str, ...] = ()  # what its jobs say of their results
    seconds: float = 0.0


NEEDS = (
    (re.compile(r"No module named 'qiskit_ibm_runtime\.(\w+)'"), "another version of a package: {}"),
    (re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'"), "the package {}"),
    (re.compile(r"(\S+) is a program of its vendor"), "a vendor's function, {}"),
    (re.compile(r"the command asked for (\S+), which is no quantum cloud"), "the network: {}"),
    (re.compile(r"Tunnel connection failed: 403"), "the network"),
    (re.compile(r"ImportError: cannot import name '(\w+)'"), "another version of a package: {}"),
    (re.compile(r"FileNotFoundError: .*?'([^']+)'"), "a file beside it, {}"),
    (re.compile(r"NameError: name '(\w+)' is not defined"), "a value that the reader fills in, {}"),
    (re.compile(r"Qiskit Function \[([\w/-]+)\] doesn't exist"), "a function that is IBM's or the reader's own, {}"),
    (re.compile(r"AttributeError: '\w*Client' object has no attribute '(\w+)'"), "another version of a package: {}"),
    (
        re.compile(r"requires to pass the CRN as an instance|is not a valid instance name"),
        "an instance that the reader fills in",
    ),
    (re.compile(r"Entrypoint file \[([\w./-]+)\] does not exist"), "a file beside it, {}"),
    (
        re.compile(r"AccountNotFoundError: 'Account with the name (\S+) does not exist"),
        "an account that the reader saves as {}",
    ),
    (re.compile(r"ValueError: 'channel' can only be"), "a channel that clients of today do not know"),
    (re.compile(r"(?:Syntax|Indentation)Error: "), "its own text: it is no whole program"),
)


def judged(ended: Ended) -> tuple[Outcome, str]:
    """What became of it, and why."""
    if ended.status is None:
        return Outcome.SLOW, f"it had not ended after {ended.seconds:.0f} s"
    if ended.status == 0:
        told = "; ".join(dict.fromkeys(ended.approximations))
        return (Outcome.APPROXIMATED, told) if told else (Outcome.WHOLE, "")
    for pattern, why in NEEDS:
        if found := pattern.search(ended.output):
            return Outcome.NEEDS, why.format(*found.groups())
    if ended.placeholders:
        return Outcome.NEEDS, f"what the reader fills in, {', '.join(dict.fromkeys(ended.placeholders))}"
    lines = [line.strip() for line in ended.output.splitlines() if line.strip()]
    return Outcome.FAILS, (lines[-1] if lines else f"it ended with {ended.status}")[:200]


def table(rows: list[tuple[str, Outcome, str, float]]) -> str:
    """The table of all pages, and how many of each there are."""
    counts = {outcome: sum(row[1] is outcome for row in rows) for outcome in Outcome}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    lines = [
        f"| {page} | {outcome} | {why.replace('|', '/')} | {seconds:.0f} |" for page, outcome, why, seconds in rows
    ]
    return "\n".join(
        [
            f"{len(rows)} pages: {told or 'none'}.",
            "",
            "| page | outcome | why | s |",
            "| --- | --- | --- | --: |",
            *lines,
        ]
    )
