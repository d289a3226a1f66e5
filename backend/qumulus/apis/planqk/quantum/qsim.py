"""OpenQASM 2 for `kipu.sim.qsim`, as its simulator reads it: counts, or amplitudes, with the first bit first."""

from __future__ import annotations

from typing import Any

from .formats import Done, Format, big_endian, width


def _write(done: Done) -> Any:
    (circuit,) = done.circuits
    if "counts" not in circuit:
        return circuit
    counts = big_endian(circuit["counts"])
    return {"counts": counts, "metadata": {"num_qubits": width(counts)}}


FORMAT = Format("OPEN_QASM_V2", _write)
