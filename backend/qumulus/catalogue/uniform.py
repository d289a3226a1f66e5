"""Configurations alike: every device has every member that the newest ones have.

The service describes all its devices in one way, and programs rely on that. Snapshots of earlier years lack what was not known then. It is
filled in from the gates and the topology where these tell it, else with what says the least: no constraint, no signature, no figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import exp, log
from typing import Any

from . import fractional

CYCLES = (1 / 4.5, 1 / 4.6)  # ns: what control electronics of these years counted in
_SHORTEST = 1e-6  # ns: a cycle below this was given in seconds

Document = Mapping[str, Any]


def configuration(document: Document, properties: Callable[[], Document]) -> dict[str, Any]:
    """Return a configuration with all members. ``properties`` gives a calibration, and is called only where gates have to tell something."""
    lacking = [name for name in _FILLED if document.get(name) is None]
    kept = {name: value for name, value in document.items() if name not in _PULSES}
    filled = {**kept, "open_pulse": False, **{name: _FILLED[name](document) for name in lacking}}
    for name in _NOTHING:
        filled.setdefault(name, None)
    cycle = _nanoseconds(document.get("dt")) or _cycle(properties())
    return {**filled, "dt": cycle, "dtm": _nanoseconds(document.get("dtm")) or cycle}


def layered_error(properties: Document) -> float | None:
    """Return the error of a two-qubit gate in layers of them; None where a device has no such gate.

    The longest chain whose layer fidelity F was measured tells it, 1 − F^(1/(n−1)) for n qubits; without one, it is the error of the
    geometric mean of the gates' fidelities.
    """
    chains = {
        int(size): entry["value"]
        for entry in properties.get("general") or ()
        if (size := entry["name"].removeprefix("lf_")).isdigit() and int(size) > 1 and entry["value"] > 0
    }
    if chains:
        longest = max(chains)
        return 1 - chains[longest] ** (1 / (longest - 1))
    fidelities = [1 - error for error in two_qubit_errors(properties) if error < 1]
    return 1 - exp(sum(map(log, fidelities)) / len(fidelities)) if fidelities else None


def two_qubit_errors(properties: Document) -> Iterable[float]:
    """Return the calibrated errors of two-qubit gates; a zero would stand for a gate that was not measured."""
    return (
        parameter["value"]
        for gate in properties["gates"]
        if len(gate["qubits"]) == 2 and gate["gate"] not in fractional.LIKE
        for parameter in gate["parameters"]
        if parameter["name"] == "gate_error" and parameter["value"] > 0
    )


def _nanoseconds(cycle: float | None) -> float | None:
    """Return a cycle in ns, also where a snapshot says it in seconds."""
    return cycle * 1e9 if cycle and cycle < _SHORTEST else cycle


def _cycle(properties: Document) -> float:
    """Return the cycle in ns that all gates last whole numbers of; the usual one where none does."""
    lengths = {
        parameter["value"]
        for gate in properties["gates"]
        for parameter in gate["parameters"]
        if parameter["name"] == "gate_length" and parameter["unit"] == "ns"
    }
    fitting = (
        cycle for cycle in CYCLES if all(abs(length / cycle - round(length / cycle)) < 1e-2 for length in lengths)
    )
    return next(fitting, CYCLES[0])


def _instructions(document: Document) -> list[str]:
    return list(dict.fromkeys([*document["basis_gates"], "delay", "measure", "reset"]))


def _processor(document: Document) -> dict[str, str]:
    """The processor by the name of its design, which is all that is known of early ones."""
    return {"family": document.get("sample_name") or "Unknown", "revision": "1"}


def _coordinates(document: Document) -> list[list[int]]:
    """A place in a grid for each qubit: its distance from the first qubit of its part, and a place of its own there."""
    neighbours: dict[int, list[int]] = {qubit: [] for qubit in range(document["n_qubits"])}
    for first, second in document.get("coupling_map") or ():
        neighbours[first].append(second)
        neighbours[second].append(first)
    places: dict[int, list[int]] = {}
    taken: dict[int, int] = {}
    for start in neighbours:
        front, distance = [start], 0
        while front := [qubit for qubit in dict.fromkeys(front) if qubit not in places]:
            for qubit in front:
                taken[distance] = taken.get(distance, 0) + 1
                places[qubit] = [taken[distance], distance + 1]
            front, distance = [other for qubit in front for other in neighbours[qubit]], distance + 1
    return [places[qubit] for qubit in sorted(places)]


_FILLED: Mapping[str, Callable[[Document], Any]] = {
    "supported_instructions": _instructions,
    "instruction_signatures": lambda _: [],
    "processor_type": _processor,
    "supported_features": lambda _: ["qobj"],
    "timing_constraints": lambda _: dict.fromkeys(
        ("acquire_alignment", "granularity", "min_length", "pulse_alignment"), 1
    ),
    "multi_meas_enabled": lambda _: True,
    "measure_esp_enabled": lambda _: False,
    "parallel_compilation": lambda _: False,
    "dynamic_reprate_enabled": lambda _: False,
    "default_rep_delay": lambda _: 250.0,  # µs, as of nearly all devices that say one
    "rep_delay_range": lambda _: [0.0, 500.0],
    "coords": _coordinates,
    "meas_map": lambda document: [list(range(document["n_qubits"]))],
    "max_experiments": lambda _: 300,
    "max_shots": lambda _: 100_000,
    "n_registers": lambda _: 1,
    "sample_name": lambda _: "",
    "credits_required": lambda _: True,
    "allow_q_object": lambda _: True,
    "description": lambda document: f"{document['n_qubits']} qubit device",
}
_PULSES = frozenset(
    (
        *("hamiltonian", "channels", "u_channel_lo", "n_uchannels", "uchannels_enabled", "qubit_channel_mapping"),
        *("qubit_lo_range", "meas_lo_range", "parametric_pulses", "pulse_num_channels", "pulse_num_qubits"),
    )
)
_NOTHING = ("clops", "clops_h", "clops_v", "quantum_volume", "url", "meas_levels", "meas_kernels", "discriminators")
