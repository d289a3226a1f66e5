"""Circuits from QPY, Qiskit's binary format, and from OpenQASM 3. Both are untrusted."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from typing import Any

from qiskit import qpy
from qiskit.circuit import CircuitInstruction, Delay, Parameter, ParameterExpression, QuantumCircuit

from qumulus.core.programs import Limits
from qumulus.core.results import Severity
from qumulus.payloads.runtime_errors import BROKEN_QASM, JOB_NOT_VALID
from qumulus.simulation.errors import ProgramError, of_reader
from qumulus.simulation.programs import openqasm_text

from . import layouts
from .failures import Log, invalid, objection
from .wire import Allowance, typed

OLDEST, NEWEST = 13, qpy.QPY_VERSION
"""Formats before 13 could carry code (CVE-2025-2000) and are refused."""

_FILE_HEADER = struct.Struct("!6sBBBBQc")
_WITH_TABLE = 16  # from this format on a table of offsets follows the header
_OFFSET = struct.Struct("!Q")
_LONGEST_WORD = 300
_CIRCUIT_HEADER = struct.Struct("!H1cHIIQIQI")

layouts.install()


def circuit(value: object, allowance: Allowance, limits: Limits) -> QuantumCircuit:
    """The circuit of a pub: QPY as the client encodes it, or OpenQASM 3 as a text.

    Raises:
        ProgramError: it is neither, of a format that is not read here, or too large.
    """
    if isinstance(value, str):
        try:
            return openqasm_text.read(value, most_qubits=limits.qubits, inputs=True)
        except ProgramError as error:
            raise objection(BROKEN_QASM, error.message) from error
    content = typed(value, "QuantumCircuit")
    if content is None:
        raise invalid("A pub begins with its circuit: QPY as the client encodes it, or OpenQASM 3 as a text.")
    (loaded,) = from_qpy(allowance.inflate(content, "circuit"), limits, programs=1)
    return loaded


def from_qpy(
    data: bytes, limits: Limits, *, programs: int, newest: int = NEWEST, **options: Any
) -> list[QuantumCircuit]:
    """The circuits of a QPY file; ``options`` are those of `qpy.load`.

    Raises:
        ProgramError: it is not valid QPY, of another format than 13 to the newest known, has another number of circuits,
            or declares more qubits or bits than a program may have.
    """
    check_headers(data, limits, programs, newest)
    try:
        loaded = qpy.load(io.BytesIO(data), **options)
    except BaseException as error:  # any error of the parser says the same: the file is broken
        if not of_reader(error):
            raise
        raise _broken(_said(error)) from error
    for each in loaded:
        _mend_delays(each)
    return loaded


def _mend_delays(circuit: QuantumCircuit) -> None:
    """Give delays by parameters the unit that QPY does not keep: dt, as in every circuit that was transpiled.

    Raises:
        ProgramError: a number that is not whole has lost its unit.
    """
    if "delay" not in circuit.count_ops():
        return
    for place, line in enumerate(circuit.data):
        if line.name != "delay":
            continue
        (length,) = line.params
        if isinstance(length, ParameterExpression):
            circuit.data[place] = CircuitInstruction(Delay(length, "dt"), line.qubits)
        elif isinstance(length, float):
            raise invalid(
                f"A delay of {length:g} came without its unit, which QPY does not keep: give delays in dt, or transpile "
                "the circuit for the device."
            )


def tell_delays(circuits: Iterable[QuantumCircuit], log: Log) -> None:
    """Say in the job's log that delays by a parameter alone are taken in dt: a transpiled one has a factor, unless it was given in dt."""
    delayed = [each for each in circuits if "delay" in each.count_ops()]
    if any(line.name == "delay" and isinstance(line.params[0], Parameter) for each in delayed for line in each.data):
        log(
            "Delays by a parameter came without their unit, which QPY does not keep: their values are taken in dt. "
            "Give them in dt, or bind them before you transpile the circuit.",
            Severity.WARNING,
        )


def check_headers(data: bytes, limits: Limits, programs: int = 1, newest: int = NEWEST) -> None:
    """Look at how much a QPY file says that it holds, before anything believes that.

    Raises:
        ProgramError: it says more than it can hold or a program may have, or is of another format.
    """
    try:
        preface, version, *_, number, _ = _FILE_HEADER.unpack_from(data)
        if preface != b"QISKIT":
            raise _broken("it does not begin with the header of a QPY file")
        if version > newest:
            raise invalid(
                f"The QPY format version being read, {version}, isn't supported here: the newest is {newest}. "
                f"Encode the circuit with qpy.dump(circuit, file, version={newest})."
            )
        if version < OLDEST:
            raise invalid(
                f"QPY of version {version} is not read, because versions before {OLDEST} could carry code: "
                "encode the circuit with Qiskit 1.3 or newer."
            )
        if number != programs:
            raise invalid(f"The QPY file holds {number} circuits where {programs} should be.")
        start = _FILE_HEADER.size + 1
        for index in range(programs if version >= _WITH_TABLE else min(programs, 1)):
            if version >= _WITH_TABLE:
                (start,) = _OFFSET.unpack_from(data, _FILE_HEADER.size + 1 + index * _OFFSET.size)
            _check_size(_CIRCUIT_HEADER.unpack_from(data, start), len(data), limits)
    except (struct.error, OverflowError) as error:  # an offset beyond the file, or beyond any
        raise _broken("the file is cut off") from error


def _check_size(header: tuple[Any, ...], size: int, limits: Limits) -> None:
    _, _, _, qubits, clbits, _, registers, instructions, _ = header
    if max(qubits, clbits) > limits.qubits:
        raise invalid(
            f"The circuit declares {qubits} qubits and {clbits} classical bits; a program may have {limits.qubits} of each."
        )
    if registers + instructions > size:
        raise _broken("it declares more instructions than the file holds")


def _broken(why: str) -> ProgramError:
    return objection(JOB_NOT_VALID, f"The circuit is not valid QPY: {why}.")


def _said(error: BaseException) -> str:
    """What a parser says of an error, as far as a person can use it: the first line, without its own backtrace."""
    message = next((argument for argument in error.args if isinstance(argument, str)), "")
    line = message.strip().partition("\n")[0].strip(" :.")
    return line[:_LONGEST_WORD] if line.isascii() and line.isprintable() and line else "the file is damaged"
