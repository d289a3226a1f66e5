"""Whether the server is well, as its requests, its metrics and its siblings are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qumulus.core.health import Check, Checks


@dataclass(frozen=True, slots=True)
class Health:
    """What is looked at: what the state meets, whether jobs are run, and what keeps programs of users where they are."""

    state: Checks  # disk, database, clock
    not_ready: Callable[[], str | None]  # why jobs are not run
    sandbox: Callable[[], str | None]  # why programs of users are not run

    def checks(self) -> Sequence[Check]:
        """All of them."""
        return (
            Check("workers", self.not_ready()),
            *self.state(),
            Check("sandbox", self.sandbox(), needed=False),
        )

    def well(self) -> Mapping[str, bool]:
        """Which of them are well, by name."""
        return {check.name: check.well for check in self.checks()}
