"""Devices as the simulation needs them: noise, coupling, and Qiskit's target; built from a calibration as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any
from zlib import crc32

import numpy as np
from qiskit.transpiler import CouplingMap, Target

from qumulus.catalogue import AddedCatalogue, CombinedCatalogue, SentDevice, SnapshotCatalogue
from qumulus.core.devices import DeviceKind
from qumulus.core.programs import DEVICE_NOISE, LOCAL_MODE_NOISE, TWIN_NOISE

from .noise import Noise
from .target import build_target
from .transfer import Matrix

_NANOSECOND = 1e-9
_MOST_WAITS = 1 << 16
SENT = SentDevice()
"""The device of the program that runs, where no package has it."""

CATALOGUE = CombinedCatalogue(AddedCatalogue(SENT), SnapshotCatalogue())


@dataclass(frozen=True, eq=False)
class DeviceModel:
    """One calibration of one device, ready to simulate. The ideal simulator has no noise and no coupling map."""

    name: str
    calibration_id: str
    n_qubits: int
    noise: Noise | None
    dt: float | None  # seconds of the unit "dt"
    transfers: dict[tuple[str, tuple[int, ...]], Matrix] = field(default_factory=dict, repr=False)
    """Gates without a parameter, with their noise: filled by `gates` as circuits use them."""
    scheduled: bool = False
    """Whether circuits are scheduled, so that qubits relax while they wait for others."""
    _lengths: dict[tuple[str, tuple[int, ...]], int] = field(default_factory=dict, repr=False)
    _waits: dict[tuple[int, int], Matrix] = field(default_factory=dict, repr=False)
    _supported: set[tuple[str, tuple[int, ...]]] = field(default_factory=set, repr=False)

    @property
    def ideal(self) -> bool:
        """Whether the device is the simulator without noise."""
        return self.noise is None

    def error(self, name: str, qubits: tuple[int, ...]) -> Matrix | None:
        """The error channel of an operation on physical qubits, None where it is ideal; see `Noise.channel`."""
        return None if self.noise is None else self.noise.channel(name, qubits)

    @property
    def cycle(self) -> float:
        """Seconds of the unit that schedules count in: the device's dt, a nanosecond where it tells none."""
        return self.dt or _NANOSECOND

    def cycles(self, name: str, qubits: tuple[int, ...]) -> int:
        """How many cycles an operation lasts on physical qubits; see `Noise.length`."""
        key = (name, qubits)
        found = self._lengths.get(key)
        if found is None:
            length = 0.0 if self.noise is None else self.noise.length(name, qubits)
            found = self._lengths[key] = round(length / self.cycle)
        return found

    def wait(self, qubit: int, cycles: int) -> Matrix:
        """What a physical qubit suffers that waits for others for so many cycles; see `Noise.waiting`. Kept."""
        key = (qubit, cycles)
        found = self._waits.get(key)
        if found is None:
            if len(self._waits) >= _MOST_WAITS:
                self._waits.clear()
            found = np.eye(4) if self.noise is None else self.noise.waiting(qubit, cycles * self.cycle)
            self._waits[key] = found
        return found

    @cached_property
    def configuration(self) -> Mapping[str, Any]:
        """What is told of the device, without its fractional gates; see `Catalogue.configuration`."""
        return CATALOGUE.configuration(self.name)

    @cached_property
    def target(self) -> Target:
        """What the transpiler has to know of the device."""
        return _target(self.name, self.calibration_id, fractional=False)

    @cached_property
    def isa_target(self) -> Target:
        """All that the device can do: the target, and the fractional gates of processors that have them."""
        plain, fractional = (CATALOGUE.configuration(self.name, fractional_gates=given) for given in (False, True))
        return _target(self.name, self.calibration_id, fractional=fractional != plain)

    def supports(self, name: str, qubits: tuple[int, ...]) -> bool:
        """Whether the device has an instruction on physical qubits. Kept where it has."""
        key = (name, qubits)
        if key in self._supported:
            return True
        found = self.isa_target.instruction_supported(name, qubits)
        if found:
            self._supported.add(key)
        return found

    @property
    def coupling_map(self) -> CouplingMap | None:
        """The directed pairs of qubits that have a two-qubit gate; None on the ideal simulator, where all have."""
        return None if self.ideal else self.target.build_coupling_map()


@lru_cache(maxsize=256)
def _target(name: str, calibration_id: str, *, fractional: bool) -> Target:
    """Qiskit's target of a calibration, which is the same for each model of its noise."""
    properties = CATALOGUE.calibration(name, calibration_id=calibration_id).properties
    return build_target(CATALOGUE.configuration(name, fractional_gates=fractional), properties)


@lru_cache(maxsize=256)
def device_model(name: str, calibration_id: str | None = None, noise: str = DEVICE_NOISE) -> DeviceModel:
    """The model of a device with one of its calibrations, the newest if none is named; kept in the process.

    ``noise`` is one of `core.programs.NOISES`: under "device" circuits are scheduled and qubits relax while they wait for
    others, under "local-mode" only gates, measurements and the delays of the circuit are noisy; "twin" adds to the first what
    `twin` says.

    Raises:
        UnknownDevice, UnknownCalibration
    """
    device = CATALOGUE.device(name)
    timeless = _model(device.name, CATALOGUE.calibration(device.name, calibration_id=calibration_id).id)
    if timeless.ideal or noise == LOCAL_MODE_NOISE:
        return timeless
    return _twin(_scheduled(timeless)) if noise == TWIN_NOISE else _scheduled(timeless)


@lru_cache(maxsize=256)
def _scheduled(model: DeviceModel) -> DeviceModel:
    """The same device, which schedules its circuits; what is kept of the one is good for the other."""
    return replace(model, scheduled=True)


@lru_cache(maxsize=64)
def _twin(model: DeviceModel) -> DeviceModel:
    """The same device with a coherent part in the errors of its gates; `twin` lets its frequencies drift."""
    if model.noise is None:
        return model
    noise = model.noise.with_coherent_errors(crc32(model.name.encode()))
    return replace(model, noise=noise, transfers={}, _waits={})


@lru_cache(maxsize=256)
def _model(name: str, calibration_id: str) -> DeviceModel:
    """The same under the names that each has only once, so that no model is kept twice."""
    device = CATALOGUE.device(name)
    calibration = CATALOGUE.calibration(name, calibration_id=calibration_id)
    dt = CATALOGUE.configuration(device.name).get("dt")
    return DeviceModel(
        name=device.name,
        calibration_id=calibration.id,
        n_qubits=device.n_qubits,
        noise=None if device.kind is DeviceKind.SIMULATOR else Noise.from_properties(calibration.properties),
        dt=None if dt is None else dt * _NANOSECOND,
    )


@lru_cache(maxsize=64)
def twirled(
    model: DeviceModel, *, gates: bool, measurements: bool, amplification: float = 1.0, waits: bool = False
) -> DeviceModel:
    """The same device with its noise averaged over all Pauli twirls, perhaps amplified; see `Noise.twirled`."""
    if model.noise is None or not (gates or measurements):
        return model
    noise = model.noise.twirled(gates=gates, measurements=measurements, amplification=amplification, waits=waits)
    return replace(model, noise=noise, transfers={}, _waits={})
