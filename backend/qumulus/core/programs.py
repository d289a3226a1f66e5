"""What is to run, and within what limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .clock import REAL, ClockSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use. A run over a limit is ended and its job fails with the figures.

    Where no exact method is done within its budget, an ``approximate`` answer is given that says how accurate it is; otherwise
    such a run takes longer, and is refused only over a limit. A budget is no limit: it decides between methods.
    """

    seconds: float = 3600.0
    memory_bytes: int = 4 << 30
    decompressed_bytes: int = 256 << 20
    qubits: int = 4096  # declared in one program, registers together
    result_bytes: int = 1 << 30
    approximate: bool = False
    pub_budget: float = 60.0  # seconds
    job_budget: float = 600.0

    def shared(self, pubs: int, runs: int = 1) -> Limits:
        """The same for one of so many circuits of a job, which is run so often in different ways."""
        return replace(self, pub_budget=min(self.pub_budget, self.job_budget / max(1, pubs)) / runs)


DEVICE_NOISE, LOCAL_MODE_NOISE, TWIN_NOISE = "device", "local-mode", "twin"
NOISES = (DEVICE_NOISE, LOCAL_MODE_NOISE, TWIN_NOISE)
"""The models of a device's noise. Under the first, circuits are scheduled and waiting qubits relax; the second is that of
the local mode of IBM's client package; the third adds to the first what calibrations do not publish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program on its way to a worker.

    ``payload`` is untrusted and decoded only inside a worker process.
    """

    job_id: str
    kind: str
    payload: bytes
    device: str
    calibration: str | None = None  # None: the newest
    documents: bytes = field(default=b"", repr=False)  # of a device that was added, see `sent_devices`; else none
    shots: int | None = None
    seed: int | None = None  # where the program names none; from the job's id, so that a second attempt gives the same
    options: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    repeatable: bool = (
        False  # whether nothing may depend on how long the run takes: results, figures and the choice of methods
    )
    clock: ClockSetting = REAL  # of the cloud, for the times that a result has
    noise: str = DEVICE_NOISE  # one of `NOISES`, where the program asks for none itself
    processes: int = 1  # that it may use on this machine
    room_bytes: int | None = None  # that these may use together; None: as much as the limits say
    service_limits: bool = True  # whether the limits of the emulated service hold beside ours
