"""OpenQASM 2 for `kipu.sim.qsim`, as its simulator reads it, and counts with the first bit first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .formats import Done, Format, as_sent, big_endian


def _write(done: Done) -> Mapping[str, Any]:
    counts = big_endian(done.counts)
    return {"counts": counts, "metadata": {"num_qubits": len(next(iter(counts), ""))}}


FORMAT = Format("OPEN_QASM_V2", as_sent, _write)
