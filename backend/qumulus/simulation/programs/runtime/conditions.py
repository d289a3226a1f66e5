"""Under which conditions the circuits of a primitive run: the seed, and the device as the options change it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from qiskit.circuit import QuantumCircuit

from qumulus.core.programs import DEVICE_NOISE, LOCAL_MODE_NOISE, NOISES, TWIN_NOISE
from qumulus.core.results import Severity
from qumulus.simulation.choice import AUTO
from qumulus.simulation.devices import DeviceModel, device_model, twirled
from qumulus.simulation.meter import meter
from qumulus.simulation.twin import drifted, is_twin

from . import results
from .decoupling import Decoupling
from .failures import Log, invalid
from .options import tell_experimental
from .scheduling import EXECUTION, Compiled, Told, compiled
from .submission import Submission

LOCAL_ONLY = ("simulator.coupling_map", "simulator.basis_gates")
"""Options of the client's local mode, which change nothing on a device."""

METHOD = "simulation_method"
"""The experimental option that names a method of simulation, or "exact" for any that approximates nothing."""

NOISE = "noise"
"""The experimental option that names a model of the device's noise."""

_UNTWIRLED_WAITS = "active"
"""The strategy of twirling that leaves qubits alone which wait while others have a gate."""


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
    twirled_waits: bool
    told: Told

    def compiled(self, circuit: QuantumCircuit) -> Compiled:
        """The circuit as it is run, and how it was scheduled."""
        return compiled(circuit, self.model, self.decoupling)

    def prepared(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """The circuit as it is run: its stretches resolved, with decoupling pulses if the options ask for them."""
        return self.compiled(circuit).circuit

    def amplified(self, factor: float) -> DeviceModel:
        """The device with the errors of its twirled gates amplified."""
        return twirled(
            self.calibrated,
            gates=True,
            measurements="measurements" in self.twirled,
            amplification=factor,
            waits=self.twirled_waits,
        )

    @property
    def noise(self) -> str | None:
        """The name of the model of the noise; None where there is none."""
        if self.model.ideal:
            return None
        if not self.model.scheduled:
            return LOCAL_MODE_NOISE
        return TWIN_NOISE if is_twin(self.model) else DEVICE_NOISE

    def report(self, simulation: Mapping[str, Any]) -> dict[str, Any]:
        """How a pub was simulated, for its metadata."""
        return {
            **results.simulation(simulation),
            "seed": self.seed,
            "noise": self.noise,
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
    also: Collection[str] = (),
) -> Conditions:
    """The conditions that options ask for; ``seed`` is one that the primitive's own options give.

    ``also`` are experimental options that the primitive reads beside those that both have.

    Raises:
        ProgramError: an option asks for what is not simulated.
    """
    simulator, experimental = options.simulator, options.experimental
    if simulator is not None and simulator.noise_model is not None:
        raise invalid(
            f"A noise model of your own is an option of the client's local mode: {submission.device} has the noise of its "
            "calibration. Leave simulator.noise_model out."
        )
    tell_experimental(experimental, (METHOD, NOISE, *also), log)
    chosen = options.dynamical_decoupling
    kinds = {"gates": twirl_gates, "measurements": twirl_measurements}
    method = str(experimental.get(METHOD, AUTO))
    model = with_noise(submission, experimental.get(NOISE, LOCAL_MODE_NOISE if method == LOCAL_MODE_NOISE else None))
    waits = twirl_gates and model.scheduled and options.twirling.strategy != _UNTWIRLED_WAITS
    return Conditions(
        calibrated=model,
        model=twirled(model, gates=twirl_gates, measurements=twirl_measurements, waits=waits),
        seed=submission.seed_or(seed if simulator is None or seed is not None else simulator.seed_simulator),
        method=method,
        decoupling=Decoupling(
            chosen.sequence_type, chosen.extra_slack_distribution, chosen.scheduling_method, chosen.skip_reset_qubits
        )
        if chosen.enable
        else None,
        twirled=tuple(name for name, wanted in kinds.items() if wanted),
        twirled_waits=waits,
        told=Told.asked(experimental.get(EXECUTION), (submission.params.get("options") or {}).get(EXECUTION)),
    )


def with_noise(submission: Submission, noise: object) -> DeviceModel:
    """The device with the noise that a job asks for, else that of the cloud; what drifts is as it is now.

    In a cloud that repeats itself nothing drifts.

    Raises:
        ProgramError: no model of the noise has that name.
    """
    if noise is not None and noise not in NOISES:
        raise invalid(f"There is no noise {str(noise)[:40]!r}: choose one of {', '.join(NOISES)}.")
    own = submission.model
    model = own if noise is None else device_model(own.name, own.calibration_id, str(noise))
    return model if meter().repeatable else drifted(model, submission.now())


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
