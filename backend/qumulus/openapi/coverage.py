"""How far each API is emulated, as a table for the README (`pages` puts it there).

The operations come from the document. What is not emulated whole stands in `coverage.yaml` beside the root, under
``partly``, with a sentence each. ``reached`` is not written by hand: the tests with the real clients measure which
operations answered them with success (`QUMULUS_COVERAGE=write make test-clients` writes it, and every run holds it true).
So is ``upstream``, see there: what the cloud's client can call and is not served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import upstream as upstreams
from . import yaml12
from .bundle import bundle
from .jobs import REPOSITORY, Api
from .methods import METHODS

BEGIN, END = "<!-- coverage:begin -->", "<!-- coverage:end -->"
HEAD = "| API | operations | known gaps | reached by real clients | clients |\n| --- | --: | --: | --: | --- |"


class CoverageError(Exception):
    """A `coverage.yaml` speaks of what is not there, or the README has no place for the table."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One API's row."""

    title: str
    operations: tuple[str, ...]
    clients: tuple[str, ...]
    reached: frozenset[str] | None  # None: not measured yet
    partly: Mapping[str, str]
    upstream: upstreams.Upstream = field(default_factory=upstreams.Upstream)

    @property
    def row(self) -> str:
        """Return the row of the table."""
        cells = (
            self.title,
            str(len(self.operations)),
            str(len(self.partly) + self.upstream.missing or "–"),
            self._reached if self.clients else "has none",
            ", ".join(self.clients),
        )
        return f"| {' | '.join(cells)} |"

    @property
    def _reached(self) -> str:
        return "not measured" if self.reached is None else str(len(self.reached))

    @property
    def notes(self) -> list[str]:
        """Return what is emulated in part, one line each."""
        return [f"- {self.title}, `{name}`: {sentence}" for name, sentence in self.partly.items()]


def file_of(api: Api, repository: Path = REPOSITORY) -> Path:
    """Return where an API's `coverage.yaml` is."""
    return (repository / api.bundle).with_name("coverage.yaml")


def coverage(api: Api, repository: Path = REPOSITORY) -> Coverage:
    """Return what is known of how far ``api`` is emulated.

    Raises:
        CoverageError: the file names an operation that the document does not have.
    """
    document = bundle(repository / api.root)
    operations = tuple(
        item[method]["operationId"] for item in document["paths"].values() for method in METHODS if method in item
    )
    path = file_of(api, repository)
    entries = yaml12.read(path.read_bytes()) if path.is_file() else {}
    reached, partly = entries.get("reached"), entries.get("partly") or {}
    if unknown := sorted({*(reached or ()), *partly} - set(operations)):
        raise CoverageError(
            f"{path.relative_to(repository)} names {', '.join(unknown)}, which {api.name} does not have."
        )
    clients = tuple(entries.get("clients") or ())
    measured = None if reached is None else frozenset(reached)
    return Coverage(
        document["info"]["title"], operations, clients, measured, partly, upstreams.read(entries.get("upstream"))
    )


def table(all_of_them: Sequence[Coverage]) -> str:
    """Return the table, and below it what is emulated in part."""
    notes = [note for each in all_of_them for note in each.notes]
    return "\n".join([HEAD, *(each.row for each in all_of_them), *(["", "Known gaps:", "", *notes] if notes else [])])


def inserted(page: str, content: str, name: str = "README.md") -> str:
    """``page`` with ``content`` between the markers.

    Raises:
        CoverageError: the markers are not there.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise CoverageError(f"{name} has no place for the table: put {BEGIN} and {END} where it belongs.")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"
