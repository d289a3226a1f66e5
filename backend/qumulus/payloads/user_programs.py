"""Jobs that are Python programs of users."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic_core import to_json

from qumulus.core.kinds import Kind

from .archive import Archive


@dataclass(frozen=True, slots=True)
class Parameters:
    """The input of a deployed program: one member a parameter of its function."""

    members: Mapping[str, Any]

    def encode(self) -> bytes:
        """Return the JSON object with the parameters."""
        return to_json(self.members)

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return the parameters of an execution."""
        return cls(json.loads(content))


SERVICE = Kind("service", Parameters)
SENT_PROGRAM = Kind("program", Archive)
