"""Jobs that are OpenQASM text: one program with its options, and archives of programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from qumulus.core.kinds import Kind

from .archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQasmTask:
    """One program, and how it is to be placed and run."""

    code: str
    skip_transpilation: bool = False
    seed_transpilation: int | None = None
    seed_simulation: int | None = None
    qubit_allocation: Mapping[str, int] | None = None
    ro_error_mitigation: str = "none"
    sent: Mapping[str, Any]  # all members that were sent, also those that no run reads: they are the family's own

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> Self:
        """Return the task with these members, of which ``code`` has to be one."""
        read = {field.name for field in fields(cls)} - {"sent"}
        return cls(**{name: value for name, value in sent.items() if name in read}, sent=sent)

    def encode(self) -> bytes:
        """Return the JSON object that was sent."""
        return json.dumps(self.sent).encode()

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return the task that was accepted with this body."""
        return cls.of(json.loads(content))


INLINE = "inline"
"""The option of a job whose outputs are wanted as one JSON object, too, and not in zip files alone."""

SHOWN = "shown.json"
"""The file with that object, whose members are named as the zip files."""

OPENQASM_TASK = Kind("openqasm", OpenQasmTask)
OPENQASM_ARCHIVE = Kind("openqasm.job", Archive)
