"""`transpiler_options` of a job: those of Qiskit's transpiler that mean something where the device is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qumulus.simulation.errors import ProgramError

from .openqasm_text import STANDARD_GATES


def transpiler_options(options: Any) -> dict[str, Any]:
    """The arguments of `openqasm_placement.place` that a job's options stand for.

    Raises:
        ProgramError: an unknown option, or a value that it cannot have.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise ProgramError("transpiler_options must be an object: leave it away for the defaults.")
    return dict(_argument(str(name), value) for name, value in options.items() if value is not None)


def _argument(name: str, value: Any) -> tuple[str, Any]:
    if name in FIXED:
        raise ProgramError(f"transpiler_options.{name} can't be given: {FIXED[name]}. Leave it away.")
    if name not in OPTIONS:
        raise ProgramError(f"transpiler_options.{name[:40]} is not known here: use {', '.join(OPTIONS)}.")
    argument, read, wanted = OPTIONS[name]
    try:
        return argument, read(value)
    except (TypeError, ValueError):
        raise ProgramError(f"transpiler_options.{name} must be {wanted}.") from None


def _one_of(*values: Any) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or value not in values:
            raise ValueError
        return value

    return read


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _degree(value: Any) -> float:
    if isinstance(value, bool) or not 0.0 <= value <= 1.0:
        raise ValueError
    return float(value)


def _layout(value: Any) -> dict[str, int]:
    """Qubits of the device, in the order of the program's."""
    if not isinstance(value, list) or not all(
        isinstance(qubit, int) and not isinstance(qubit, bool) for qubit in value
    ):
        raise TypeError
    return {str(virtual): qubit for virtual, qubit in enumerate(value)}


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        raise TypeError
    if unknown := set(value) - STANDARD_GATES.keys() - NO_GATES:
        raise ProgramError(f"transpiler_options.basis_gates has {min(unknown)[:40]!r}, which is no gate of Qiskit's.")
    return tuple(dict.fromkeys(name for name in value if name not in NO_GATES))


def _pairs(value: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list) or not value:
        raise TypeError
    pairs = tuple((_index(one), _index(other)) for one, other in value)
    if any(one == other for one, other in pairs):
        raise ValueError
    return tuple(dict.fromkeys(pairs))


def _index(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST_QUBITS:
        raise TypeError
    return value


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


MOST_QUBITS = 1000
NO_GATES = frozenset({"measure", "reset", "delay", "barrier"})
"""What lists of basis gates name beside gates; every device has it."""

_LAYOUTS = ("trivial", "dense", "sabre", "default")
_ROUTINGS = ("basic", "lookahead", "sabre", "default")
_TRANSLATIONS = ("translator", "synthesis", "default")

_OWN = "the device's own is used"
FIXED: Mapping[str, str] = {
    "dt": _OWN,
    "target": _OWN,
    "backend": _OWN,
    "backend_properties": _OWN,
    "instruction_durations": _OWN,
    "timing_constraints": _OWN,
    "hls_config": "it has no form in JSON",
    "callback": "it has no form in JSON",
    "unitary_synthesis_plugin_config": "it has no form in JSON",
    "output_name": "results are named by their job",
    "num_processes": "one program is transpiled by one process",
    "ignore_backend_supplied_default_methods": "devices bring no methods of their own",
}
"""Other arguments of Qiskit's `transpile`, and why a job can't have them."""

OPTIONS: Mapping[str, tuple[str, Callable[[Any], Any], str]] = {
    "optimization_level": ("optimization_level", _one_of(0, 1, 2, 3), "0, 1, 2 or 3"),
    "seed_transpiler": ("seed", _seed, "a whole number"),
    "initial_layout": ("allocation", _layout, "a list of qubits of the device, one for each of the program"),
    "layout_method": ("layout_method", _one_of(*_LAYOUTS), f"one of {', '.join(_LAYOUTS)}"),
    "routing_method": ("routing_method", _one_of(*_ROUTINGS), f"one of {', '.join(_ROUTINGS)}"),
    "translation_method": (
        "translation_method",
        _one_of(*_TRANSLATIONS),
        f"one of {', '.join(_TRANSLATIONS)}",
    ),
    "basis_gates": ("basis_gates", _names, "a list of names of gates"),
    "coupling_map": ("coupling_map", _pairs, "a list of pairs of different qubits"),
    "scheduling_method": ("scheduling_method", _one_of("alap", "asap"), "alap or asap"),
    "unitary_synthesis_method": ("unitary_synthesis_method", _one_of("default", "aqc", "sk"), "default, aqc or sk"),
    "qubits_initially_zero": ("qubits_initially_zero", _yes_or_no, "true or false"),
    "init_method": ("init_method", _one_of("default"), "default"),
    "optimization_method": ("optimization_method", _one_of("default"), "default"),
    "approximation_degree": ("approximation_degree", _degree, "a number from 0 to 1"),
}
