"""Jobs that are circuits in the format of a provider of hardware."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic_core import to_json

from qumulus.core.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitsInput:
    """Circuits, and what the backend makes of them."""

    format: str | None  # how ``input`` is written; None where the backend does not read what was sent
    input: Any  # as it was sent: a text, or JSON
    parameters: Mapping[str, Any]
    most: int  # how many circuits the backend takes

    def encode(self) -> bytes:
        """Return the JSON object with these members."""
        members = {"format": self.format, "input": self.input, "parameters": self.parameters, "most": self.most}
        return to_json(members)

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return the input of a job."""
        return cls(**json.loads(content))


CIRCUITS = Kind("kipu", CircuitsInput)
