"""Under which conditions the circuits of a primitive run: the seed, and the device as the options change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from qiskit.circuit import QuantumCircuit

from qumulus.core.results import Severity
from qumulus.simulation.choice import AUTO
from qumulus.simulation.devices import DeviceModel, twirled

from . import results
from .decoupling import Decoupling, decoupled
from .failures import Log, invalid, shown
from .submission import Submission

METHOD = "simulation_method"
"""The experimental option that names a method of simulation, or "exact" for any that approximates nothing."""


class Options(Protocol):
    """What the options of both primitives have in common, as the published schemas name it."""

    execution: Any
    twirling: Any
    dynamical_decoupling: Any
    simulator: Any
    experimental: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """How all circuits of one job run."""

    calibrated: DeviceModel
    model: DeviceModel  # the same as the options change it
    seed: int
    method: str  # of simulation: a name, "exact" or "auto"
    decoupling: Decoupling | None
    twirled: tuple[str, ...]  # "gates", "measurements"

    def prepared(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """The circuit as it is run: with decoupling pulses in its delays, if the options ask for them."""
        return circuit if self.decoupling is None else decoupled(circuit, self.decoupling, self.model)

    def amplified(self, factor: float) -> DeviceModel:
        """The device with the errors of its twirled gates amplified."""
        return twirled(self.calibrated, gates=True, measurements="measurements" in self.twirled, amplification=factor)

    def report(self, simulation: Mapping[str, Any]) -> dict[str, Any]:
        """How a pub was simulated, for its metadata."""
        return {
            **results.simulation(simulation),
            "seed": self.seed,
            **({"twirled": list(self.twirled)} if self.twirled else {}),
        }


def conditions(
    submission: Submission,
    options: Options,
    log: Log,
    *,
    twirl_gates: bool,
    twirl_measurements: bool,
    seed: int | None = None,
) -> Conditions:
    """The conditions that options ask for; ``seed`` is one that the primitive's own options give.

    Raises:
        ProgramError: an option asks for what is not simulated.
    """
    if not options.execution.init_qubits:
        raise invalid(
            "Qubits that keep their state from shot to shot are not simulated: leave execution.init_qubits at True."
        )
    simulator = options.simulator
    if simulator is not None and simulator.noise_model is not None:
        raise invalid(
            f"A noise model of your own is an option of the client's local mode: {submission.device} has the noise of its "
            "calibration. Leave simulator.noise_model out."
        )
    if without := [name for name in options.experimental if name != METHOD]:
        log(shown(f"Experimental options have no effect here: {', '.join(without)}."), Severity.WARNING)
    chosen = options.dynamical_decoupling
    kinds = {"gates": twirl_gates, "measurements": twirl_measurements}
    return Conditions(
        calibrated=submission.model,
        model=twirled(submission.model, gates=twirl_gates, measurements=twirl_measurements),
        seed=submission.seed_or(seed if simulator is None or seed is not None else simulator.seed_simulator),
        method=str(options.experimental.get(METHOD, AUTO)),
        decoupling=Decoupling(chosen.sequence_type, chosen.extra_slack_distribution) if chosen.enable else None,
        twirled=tuple(name for name, wanted in kinds.items() if wanted),
    )


def tell(log: Log, index: int, simulation: Mapping[str, Any]) -> None:
    """Say in the job's log how a pub was simulated, and what to know of its accuracy."""
    if "method" not in simulation:
        return
    accuracy = dict(simulation["accuracy"])
    warning = accuracy.pop("warning", None)
    figures = "".join(
        f", {name.replace('_', ' ')} {value:.3g}" for name, value in accuracy.items() if not isinstance(value, str)
    )
    approximation = simulation["approximation"] or "nothing approximated"
    log(f"Pub {index}: {simulation['method']} by {simulation['engine']}, {approximation}{figures}.", Severity.INFO)
    if warning:
        log(f"Pub {index}: {warning}.", Severity.WARNING)
