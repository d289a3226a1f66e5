"""What follows from the seed of a run, where somebody named one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seeds:
    """The seeds of a run's parts; 0 for all of them where the run has none."""

    run: int | None = None

    def of(self, part: str) -> int:
        """Return the seed of a part, such as the queue of a device, that was given none of its own."""
        if self.run is None:
            return 0
        return int.from_bytes(hashlib.sha256(f"{self.run} {part}".encode()).digest()[:4])
