"""A made-up device in a few lines: a topology, and the medians of a calibration.

    name: lattice25
    topology: grid 5x5        # line N, ring N, grid AxB, heavy-hex N (N rows), full N, or a list of pairs
    gates: [cz, id, rz, sx, x]
    t1_us: 250
    t2_us: 180
    readout_error: 0.01
    readout_ns: 1500
    one_qubit_error: 2.0e-4
    one_qubit_ns: 32
    two_qubit_error: 3.0e-3
    two_qubit_ns: 68
    calibrated: 2026-01-31    # several files with different dates make a series

All but the topology may be left out; these are the values then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from qumulus.core.errors import InvalidRequest

from .reading import MOST_QUBITS, listed, members, moment, number, positive, share, text, whole

Pairs = list[tuple[int, int]]

VIRTUAL = frozenset({"rz", "p", "u1"})  # neither length nor error
TWO_QUBITS = frozenset(["cx", "cz", "ecr", "rzz", "cp", "cy", "ch", "csx", "swap", "iswap", "rxx", "ryy", "rzx"])
PARAMETERS = {
    **{name: ["theta"] for name in ("rz", "rx", "ry", "p", "u1", "rzz", "rxx", "ryy", "rzx", "cp")},
    "u2": ["phi", "lambda"],
    "u3": ["theta", "phi", "lambda"],
    "u": ["theta", "phi", "lambda"],
}
DEFAULTS: Mapping[str, Any] = {
    "gates": ["cz", "id", "rz", "sx", "x"],
    "t1_us": 250.0,
    "t2_us": 180.0,
    "readout_error": 0.01,
    "readout_ns": 1500.0,
    "one_qubit_error": 2e-4,
    "one_qubit_ns": 32.0,
    "two_qubit_error": 3e-3,
    "two_qubit_ns": 68.0,
    "calibrated": "2026-01-01T00:00:00+00:00",
    "max_shots": 100_000,
    "dt_ns": 4.0,
}
_read = members(
    {
        "name": text,
        "description": text,
        "family": text,
        "gates": listed(text, 100),
        "t1_us": positive,
        "t2_us": positive,
        "readout_error": share,
        "readout_ns": number,
        "one_qubit_error": share,
        "one_qubit_ns": number,
        "two_qubit_error": share,
        "two_qubit_ns": number,
        "calibrated": lambda value, where: moment(str(value), where).isoformat(),  # YAML reads a date by itself
        "max_shots": whole,
        "dt_ns": positive,
    }
)


def documents(sketch: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the configuration and the properties of a sketch.

    Raises:
        InvalidRequest
    """
    known = _read({name: value for name, value in sketch.items() if name != "topology"}, "The description")
    if unknown := sorted({*sketch} - {*DEFAULTS, "name", "description", "family", "topology"}):
        raise InvalidRequest(f"{unknown[0]!r} is no part of a description: it may have {', '.join(DEFAULTS)}.")
    values = {**DEFAULTS, **known}
    n_qubits, pairs = topology(sketch["topology"])
    return described(values, n_qubits, pairs)


def described(values: Mapping[str, Any], n_qubits: int, pairs: Pairs) -> dict[str, dict[str, Any]]:
    """Return the documents of a device on which all qubits and all pairs are alike; pairs may be used both ways."""
    named = {"backend_name": values["name"]} if "name" in values else {}
    both = sorted({*pairs, *((second, first) for first, second in pairs)})
    places = {name: both if name in TWO_QUBITS else [(qubit,) for qubit in range(n_qubits)] for name in values["gates"]}
    configuration = {
        **named,
        "n_qubits": n_qubits,
        "basis_gates": values["gates"],
        "gates": [
            {"name": name, "parameters": PARAMETERS.get(name, []), "coupling_map": [list(each) for each in where]}
            for name, where in places.items()
        ],
        "coupling_map": [list(pair) for pair in both] or None,
        "processor_type": {"family": values.get("family", "Made up"), "revision": "1"},
        "description": values.get("description", f"{n_qubits} qubit device, made up"),
        "online_date": values["calibrated"],
        "max_shots": values["max_shots"],
        "dt": values["dt_ns"],
    }
    properties = {
        **named,
        "last_update_date": values["calibrated"],
        "qubits": [
            [
                _entry("T1", "us", values["t1_us"]),
                _entry("T2", "us", values["t2_us"]),
                _entry("readout_error", "", values["readout_error"]),
                _entry("readout_length", "ns", values["readout_ns"]),
            ]
            for _ in range(n_qubits)
        ],
        "gates": [
            {"qubits": list(qubits), "gate": name, "parameters": _calibrated(name, values)}
            for name, where in places.items()
            for qubits in where
        ],
        "general": [],
    }
    return {"configuration": configuration, "properties": properties}


def _calibrated(name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    kind = "two_qubit" if name in TWO_QUBITS else "one_qubit"
    error, length = (0.0, 0.0) if name in VIRTUAL else (values[f"{kind}_error"], values[f"{kind}_ns"])
    return [_entry("gate_error", "", error), _entry("gate_length", "ns", length)]


def _entry(name: str, unit: str, value: float) -> dict[str, Any]:
    return {"name": name, "unit": unit, "value": value}


def topology(value: object) -> tuple[int, Pairs]:
    """Return the number of qubits and the pairs of a topology.

    Raises:
        InvalidRequest
    """
    if isinstance(value, list):
        pairs = [(pair[0], pair[1]) for pair in listed(listed(whole, 2))(value, "topology") if len(pair) == 2]
        if len(pairs) != len(value) or any(first == second for first, second in pairs):
            raise InvalidRequest("topology has to be a list of pairs of different qubits.")
        return _limited(1 + max((qubit for pair in pairs for qubit in pair), default=0)), pairs
    found = re.fullmatch(r"(line|ring|full|heavy-hex) (\d{1,4})|grid (\d{1,4}) ?x ?(\d{1,4})", str(value).strip())
    if found is None:
        raise InvalidRequest(
            f"{str(value)[:40]!r} is no topology: say line N, ring N, full N, grid AxB, heavy-hex ROWS, or a list of pairs."
        )
    if found[3]:
        return _grid(int(found[3]), int(found[4]))
    n_qubits, pairs = _SHAPES[found[1]](int(found[2]))
    return _limited(n_qubits), pairs


def _limited(n_qubits: int) -> int:
    if not 1 <= n_qubits <= MOST_QUBITS:
        raise InvalidRequest(f"The topology has {n_qubits} qubits: a device here has 1 to {MOST_QUBITS}.")
    return n_qubits


def _line(length: int) -> tuple[int, Pairs]:
    return _limited(length), [(qubit, qubit + 1) for qubit in range(length - 1)]


def _ring(length: int) -> tuple[int, Pairs]:
    n_qubits, pairs = _line(length)
    return n_qubits, [*pairs, (length - 1, 0)] if length > 2 else pairs


def _full(size: int) -> tuple[int, Pairs]:
    return _limited(size), [(first, second) for first in range(size) for second in range(first + 1, size)]


def _grid(rows: int, columns: int) -> tuple[int, Pairs]:
    n_qubits = _limited(rows * columns)
    across = [(qubit, qubit + 1) for qubit in range(n_qubits) if (qubit + 1) % columns]
    return n_qubits, [*across, *((qubit, qubit + columns) for qubit in range(n_qubits - columns))]


def _heavy_hex(rows: int) -> tuple[int, Pairs]:
    """Rows of 16 qubits in a line, joined by four single qubits each, as on IBM's Heron: 8 rows are 156 qubits."""
    width, between = 16, 4
    n_qubits = _limited(rows * width + (rows - 1) * between)
    pairs: Pairs = []
    for row in range(rows):
        start = row * (width + between)
        pairs += [(start + each, start + each + 1) for each in range(width - 1)]
        for bridge in range(between if row < rows - 1 else 0):
            column = 4 * bridge + (3 if row % 2 == 0 else 1)
            joint = start + width + bridge
            pairs += [(start + column, joint), (joint, start + width + between + column)]
    return n_qubits, pairs


_SHAPES: Mapping[str, Callable[[int], tuple[int, Pairs]]] = {
    "line": _line,
    "ring": _ring,
    "full": _full,
    "heavy-hex": _heavy_hex,
}
