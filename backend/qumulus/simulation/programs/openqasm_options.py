"""`transpiler_options` of a job: those of Qiskit's transpiler that mean something where the device is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qumulus.simulation.errors import ProgramError


def transpiler_options(options: Any) -> dict[str, Any]:
    """The arguments of `openqasm_placement.place` that a job's options stand for.

    Raises:
        ProgramError: an unknown option, or a value that it cannot have.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise ProgramError("transpiler_options must be an object: leave it away for the defaults.")
    chosen: dict[str, Any] = {}
    for name, value in options.items():
        if name not in OPTIONS:
            raise ProgramError(f"transpiler_options.{str(name)[:40]} is not known here: use {', '.join(OPTIONS)}.")
        if value is None:
            continue
        argument, read, wanted = OPTIONS[name]
        try:
            chosen[argument] = read(value)
        except (TypeError, ValueError):
            raise ProgramError(f"transpiler_options.{name} must be {wanted}.") from None
    return chosen


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


_LAYOUTS = ("trivial", "dense", "sabre", "default")
_ROUTINGS = ("basic", "lookahead", "sabre", "default")
_TRANSLATIONS = ("translator", "synthesis", "default")

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
    "approximation_degree": ("approximation_degree", _degree, "a number from 0 to 1"),
}
