"""The final state of a circuit for `kipu.sim.qsim`, the first qubit as the highest bit of an index, as qsim has it."""

from __future__ import annotations

import json
from time import perf_counter
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Statevector

from qumulus.core.programs import Limits
from qumulus.core.results import Outcome
from qumulus.simulation.errors import ProgramError, Refused

from .openqasm_gates import write_out
from .openqasm_text import read

MOST_QUBITS = {"statevector": 18, "amplitudes": 24}  # 2^18 pairs of numbers are some 10 MB of JSON
MOST_BITSTRINGS = 100_000


def run(code: str, mode: str, bitstrings: Any, limits: Limits) -> Outcome:
    """The state vector, or the amplitudes of some bit strings.

    Raises:
        ProgramError: the mode or a bit string is none, or the circuit has no final state.
        Refused: there are too many qubits.
    """
    start = perf_counter()
    if mode not in MOST_QUBITS:
        raise ProgramError(f"The simulator has no mode {mode!r}: choose sample, {' or '.join(MOST_QUBITS)}.")
    circuit = write_out(read(code, most_qubits=limits.qubits))
    most = MOST_QUBITS[mode]
    if circuit.num_qubits > most:
        raise Refused(
            f"The mode {mode} takes up to {most} qubits, and the circuit has {circuit.num_qubits}: use fewer.",
            {"qubits": circuit.num_qubits},
        )
    wanted = _bitstrings(bitstrings, circuit.num_qubits) if mode == "amplitudes" else []
    state = _state(circuit)
    if mode == "statevector":
        amplitudes: Any = [[each.real, each.imag] for each in state.tolist()]
    else:
        picked = {bits: complex(state[int(bits, 2)]) for bits in wanted}
        amplitudes = {bits: [each.real, each.imag] for bits, each in picked.items()}
    result = {mode: amplitudes, "metadata": {"num_qubits": circuit.num_qubits}}
    return Outcome(
        result=json.dumps({"circuits": [result]}, separators=(",", ":")).encode(),
        metadata={"method": "statevector"},
        run_seconds=perf_counter() - start,
    )


def _bitstrings(given: Any, qubits: int) -> list[str]:
    fits = isinstance(given, list) and len(given) <= MOST_BITSTRINGS
    if not fits or not all(
        isinstance(bits, str) and len(bits) == qubits and not set(bits) - set("01") for bits in given
    ):
        raise ProgramError(f"The mode amplitudes needs bitstrings: a list of texts of {qubits} zeros and ones each.")
    return given


def _state(circuit: QuantumCircuit) -> np.ndarray:
    bare = circuit.copy()
    bare.remove_final_measurements()
    if any(instruction.clbits for instruction in bare.data):
        raise ProgramError("The circuit has no final state: it measures before its end.")
    try:
        return np.asarray(Statevector(bare).reverse_qargs().data)
    except QiskitError as error:
        raise ProgramError(f"The circuit has no final state: {error.message}.") from None
