"""A submitted program: the device, the parameters of the request, the seed and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qumulus.core.clock import REAL, ClockSetting, SystemClock
from qumulus.core.devices import DRY_RUN
from qumulus.core.kinds import Undecodable
from qumulus.core.programs import Limits, Program
from qumulus.payloads.primitives import PrimitiveInput
from qumulus.payloads.runtime_limits import EXECUTION_SECONDS
from qumulus.simulation.devices import DeviceModel, device_model
from qumulus.simulation.seeds import fresh

from .failures import invalid
from .isa import Instructions
from .service_limits import ServiceLimits
from .values import Form
from .wire import Allowance


@dataclass(frozen=True, slots=True, eq=False)
class Submission:
    """One job as its program reads it.

    ``device`` is the name by which the person knows the device; under ``dry_run`` the inputs are only checked, and data at random are returned. ``most_usage``
    are the seconds for which the job may have the device, see `usage`; ``service`` holds it to the limits of the service.
    """

    params: Mapping[str, Any]
    device: str
    model: DeviceModel
    instructions: Instructions
    allowance: Allowance
    limits: Limits
    seed: int | None
    dry_run: bool
    most_usage: float | None = None
    service: ServiceLimits | None = None  # None where the service's own limits are turned off
    clock: ClockSetting = REAL

    @property
    def form(self) -> Form:
        """How the result is written: typed only if the job says that Qiskit's decoder reads it."""
        return Form.TYPED if self.params.get("support_qiskit") is True else Form.PLAIN

    def now(self) -> datetime:
        """What time it is in the cloud."""
        return self.clock.at(SystemClock().wall())

    def seed_or(self, given: int | None) -> int:
        """The seed: the one that the options give, else the job's, which is the same in each attempt, else a fresh one."""
        if given is not None:
            return given
        return fresh() if self.seed is None else self.seed


def read(program: Program) -> Submission:
    """Read the body that was posted.

    Raises:
        ProgramError: it is not JSON or has no parameters.
    """
    try:
        posted = PrimitiveInput.decode(program.payload)
    except Undecodable as error:
        raise invalid(str(error)) from error
    params = posted.params
    if not isinstance(params, dict):
        raise invalid("The job has no params: send the inputs of the program as a JSON object.")
    model = device_model(program.device, program.calibration, program.noise)
    device = str(posted.backend or program.device)[:80]
    held = program.service_limits and not model.ideal
    return Submission(
        params=params,
        device=device,
        model=model,
        instructions=Instructions(model, device),
        allowance=Allowance(program.limits.decompressed_bytes),
        limits=program.limits,
        clock=program.clock,
        seed=program.seed,
        dry_run=program.options.get(DRY_RUN) is True,
        most_usage=_most_usage(program),
        service=ServiceLimits(model) if held else None,
    )


def _most_usage(program: Program) -> float | None:
    """The seconds of usage that the job allows itself, and the service allows it; None for any."""
    asked, most = program.options.get("max_execution_time"), EXECUTION_SECONDS.value if program.service_limits else None
    return min((float(each) for each in (asked, most) if each is not None), default=None)
