"""Devices as the simulation needs them: noise, coupling, and Qiskit's target; built from a calibration as data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from qiskit.transpiler import CouplingMap, Target

from qumulus.catalogue import SnapshotCatalogue
from qumulus.core.devices import IDEALS

from .noise import Noise
from .target import build_target
from .transfer import Matrix

_NANOSECOND = 1e-9
CATALOGUE = SnapshotCatalogue()


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

    @property
    def ideal(self) -> bool:
        """Whether the device is the simulator without noise."""
        return self.noise is None

    def error(self, name: str, qubits: tuple[int, ...]) -> Matrix | None:
        """The error channel of an operation on physical qubits, None where it is ideal; see `Noise.channel`."""
        return None if self.noise is None else self.noise.channel(name, qubits)

    @cached_property
    def target(self) -> Target:
        """What the transpiler has to know of the device."""
        calibration = CATALOGUE.calibration(self.name, calibration_id=self.calibration_id)
        return build_target(CATALOGUE.configuration(self.name), calibration.properties)

    @cached_property
    def isa_target(self) -> Target:
        """All that the device can do: the target, and the fractional gates of processors that have them."""
        configuration = CATALOGUE.configuration(self.name, fractional_gates=True)
        if configuration == CATALOGUE.configuration(self.name):
            return self.target
        return build_target(
            configuration, CATALOGUE.calibration(self.name, calibration_id=self.calibration_id).properties
        )

    @property
    def coupling_map(self) -> CouplingMap | None:
        """The directed pairs of qubits that have a two-qubit gate; None on the ideal simulator, where all have."""
        return None if self.ideal else self.target.build_coupling_map()


@lru_cache(maxsize=256)
def device_model(name: str, calibration_id: str | None = None) -> DeviceModel:
    """The model of a device with one of its calibrations, the newest if none is named; kept in the process.

    Raises:
        UnknownDevice, UnknownCalibration
    """
    device = CATALOGUE.device(name)
    return _model(device.name, CATALOGUE.calibration(device.name, calibration_id=calibration_id).id)


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
        noise=None if device.name in IDEALS else Noise.from_properties(calibration.properties),
        dt=None if dt is None else dt * _NANOSECOND,
    )


@lru_cache(maxsize=64)
def twirled(model: DeviceModel, *, gates: bool, measurements: bool, amplification: float = 1.0) -> DeviceModel:
    """The same device with its noise averaged over all Pauli twirls, perhaps amplified; see `Noise.twirled`."""
    if model.noise is None or not (gates or measurements):
        return model
    noise = model.noise.twirled(gates=gates, measurements=measurements, amplification=amplification)
    return replace(model, noise=noise, transfers={})
