"""What a cloud's own client can call and these APIs do not serve, as a table for the page of that cloud (`pages` puts it there).

`coverage.yaml` has it under ``upstream``: written by the test that reads the installed client's code (`QUMULUS_COVERAGE=write`), and held
true by every run of that test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HEAD = "| API | resource | the client's operations | served | not there | with fewer members |\n| --- | --- | --: | --: | --- | --- |"


@dataclass(frozen=True, slots=True)
class Resource:
    """What the client can call of one resource."""

    calls: int
    missing: tuple[str, ...] = ()
    fewer: Mapping[str, Sequence[str]] = field(
        default_factory=dict
    )  # by operation: parameters and members that are left out

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the figures and names of the table."""
        served = self.calls - len(self.missing)
        names = "all" if self.missing and not served else ", ".join(map(_code, self.missing))
        fewer = "; ".join(f"{_code(name)}: {', '.join(left)}" for name, left in self.fewer.items())
        return str(self.calls), str(served), names, fewer


@dataclass(frozen=True, slots=True)
class Upstream:
    """What the client of an API can call, by resource."""

    client: str = ""
    resources: Mapping[str, Resource] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Return how many operations are not served."""
        return sum(len(resource.missing) for resource in self.resources.values())


def read(entry: Mapping[str, Any] | None) -> Upstream:
    """Return what `coverage.yaml` says; nothing where it says nothing."""
    if not entry:
        return Upstream()
    resources = {
        name: Resource(told["calls"], tuple(told.get("missing") or ()), told.get("fewer") or {})
        for name, told in entry["resources"].items()
    }
    return Upstream(entry["client"], resources)


def table(upstreams: Mapping[str, Upstream]) -> str:
    """Return the table of these APIs, by their titles, and how many there are."""
    rows = [
        f"| {' | '.join((title, name, *resource.cells))} |"
        for title, upstream in upstreams.items()
        for name, resource in upstream.resources.items()
    ]
    calls = sum(resource.calls for each in upstreams.values() for resource in each.resources.values())
    missing = sum(each.missing for each in upstreams.values())
    clients = " and ".join(dict.fromkeys(each.client for each in upstreams.values() if each.client))
    return f"Of the {calls} operations that {clients} can call, {calls - missing} are served.\n\n" + "\n".join(
        [HEAD, *rows]
    )


def _code(name: str) -> str:
    return f"`{name}`"
