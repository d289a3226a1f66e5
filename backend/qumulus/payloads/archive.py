"""A zip file that a person uploaded. It is opened where it is run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Archive:
    """An uploaded file, as it came."""

    content: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return the file."""
        return self.content

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return the file; whatever bytes it has, whoever opens it will see."""
        return cls(content)
