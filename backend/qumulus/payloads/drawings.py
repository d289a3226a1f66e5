"""Circuits of a job that somebody wants to see: the job's own program once more, to be drawn and not to be run."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from qumulus.core.kinds import Kind

Stage = Literal["sent", "scheduled"]
"""As the job brought it, or as the device runs it: transpiled where the job asks for that, with a time for everything."""

_SIZES = struct.Struct("!II")


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitToDraw:
    """One circuit of a job, with all that its device and its options make of it."""

    kind: str  # of the job
    device: str
    calibration: str | None
    options: Mapping[str, Any]
    circuit: int  # from 0
    stage: Stage
    documents: bytes = field(default=b"", repr=False)  # of a device that was added, see `sent_devices`
    payload: bytes = field(repr=False)  # of the job

    def encode(self) -> bytes:
        """Return the small members as JSON, then the two large ones as they are."""
        small = {name: value for name, value in asdict(self).items() if name not in ("documents", "payload")}
        head = json.dumps(small, separators=(",", ":")).encode()
        return _SIZES.pack(len(head), len(self.documents)) + head + self.documents + self.payload

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Return what was encoded."""
        head, documents = _SIZES.unpack_from(content)
        begin = _SIZES.size + head
        small = json.loads(content[_SIZES.size : begin])
        return cls(**small, documents=content[begin : begin + documents], payload=content[begin + documents :])


DRAWING = Kind("drawing", CircuitToDraw)
