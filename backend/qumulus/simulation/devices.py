"""Devices as the simulation needs them: noise, coupling, and Qiskit's target; built from a calibration as data."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from qiskit.transpiler import CouplingMap, Target

from ..core.devices import IDEAL
from ..core.errors import UnknownCalibration, UnknownDevice
from .noise import Noise
from .target import build_target
from .transfer import Matrix


@dataclass(frozen=True, eq=False)
class DeviceModel:
    """One calibration of one device, ready to simulate. The ideal simulator has no noise and no coupling map."""

    name: str
    calibration_id: str | None
    n_qubits: int
    noise: Noise | None
    dt: float | None = None  # seconds of the unit "dt"
    configuration: Mapping[str, Any] = field(default_factory=dict, repr=False)
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)
    transfers: dict[tuple[str, tuple[int, ...]], Matrix] = field(default_factory=dict, repr=False)
    """Gates without a parameter with their noise, filled by `gates` as circuits use them."""

    @property
    def ideal(self) -> bool:
        """Whether the device is the simulator without noise."""
        return self.noise is None

    @cached_property
    def target(self) -> Target:
        """What the transpiler has to know of the device; of the ideal simulator, every standard gate on any qubits."""
        return build_target(self.configuration, self.properties)

    @property
    def coupling_map(self) -> CouplingMap | None:
        """The directed pairs of qubits that have a two-qubit gate; None on the ideal simulator: all of them."""
        return None if self.ideal else self.target.build_coupling_map()


@lru_cache(maxsize=256)
def device_model(name: str, calibration_id: str | None = None) -> DeviceModel:
    """The model of a device with one of its calibrations, the newest if none is named; kept in the process.

    Raises:
        UnknownDevice, UnknownCalibration
    """
    if name == IDEAL:
        return DeviceModel(name=name, calibration_id=None, n_qubits=0, noise=None)
    if calibration_id is not None:
        raise UnknownCalibration(name, calibration_id)
    configuration, properties = _snapshot(name)
    dt = configuration.get("dt")
    return DeviceModel(
        name=name,
        calibration_id=calibration_id,
        n_qubits=configuration["n_qubits"],
        noise=Noise.from_properties(properties),
        dt=None if dt is None else dt * 1e-9,
        configuration=configuration,
        properties=properties,
    )


def _snapshot(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Configuration and properties of a snapshot, from the files of the installed client package."""
    spec = importlib.util.find_spec("qiskit_ibm_runtime")
    if spec is None or not spec.submodule_search_locations:
        raise UnknownDevice(name)
    folder = Path(spec.submodule_search_locations[0]) / "fake_provider" / "backends" / name
    if not name.isidentifier() or not folder.is_dir():
        raise UnknownDevice(name)
    configuration, properties = (
        json.loads((folder / f"{document}_{name}.json").read_text(encoding="utf-8")) for document in ("conf", "props")
    )
    return configuration, properties
