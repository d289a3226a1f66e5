"""Devices, and what an administrator sets for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from statistics import median
from typing import Any

from qumulus.apis.emulator.schemas.devices import (
    Calibration,
    Device,
    DeviceDetails,
    DeviceKind,
    DeviceSettings,
    GateFigures,
    Medians,
    QubitFigures,
)
from qumulus.core import devices


def device(known: devices.Device, settings: devices.DeviceSettings, pending: int) -> Device:
    """A device as lists show it."""
    return Device(
        name=known.name,
        kind=DeviceKind(known.kind),
        n_qubits=known.n_qubits,
        family=known.family,
        calibrated_at=known.calibrated_at,
        pending=pending,
        settings=device_settings(settings),
    )


def device_details(known: devices.Device, settings: devices.DeviceSettings, pending: int) -> DeviceDetails:
    """A device with its gates."""
    short = device(known, settings, pending)
    return DeviceDetails(**dict(short), basis_gates=list(known.basis_gates), description=known.description)


def device_settings(known: devices.DeviceSettings) -> DeviceSettings:
    """What is set for a device."""
    return DeviceSettings(**asdict(known))


def core_settings(body: DeviceSettings) -> devices.DeviceSettings:
    """What is to be set for a device."""
    return devices.DeviceSettings(**dict(body))


def calibration(known: devices.Calibration, configuration: Mapping[str, Any]) -> Calibration:
    """What a calibration says of qubits and gates, by the members that clients read of its document."""
    places, width = configuration.get("coords") or (), configuration["n_qubits"]
    return Calibration(
        id=known.id,
        device=known.device,
        at=known.at,
        qubits=[
            _qubit(said or (), place)
            for _, said, place in zip_longest(range(width), known.properties["qubits"], places)
        ],
        gates=[_gate(each) for each in known.properties["gates"]],
    )


def _qubit(said: Sequence[Mapping[str, Any]], place: Sequence[float] | None) -> QubitFigures:
    values = _values(said)
    return QubitFigures(
        t1_us=values.get("T1"),
        t2_us=values.get("T2"),
        frequency_ghz=values.get("frequency"),
        readout_error=values.get("readout_error"),
        readout_length_ns=values.get("readout_length"),
        operational=bool(values.get("operational", True)),
        at=None if place is None else list(place),
    )


def _gate(said: Mapping[str, Any]) -> GateFigures:
    values = _values(said["parameters"])
    return GateFigures(
        gate=said["gate"],
        qubits=list(said["qubits"]),
        error=values.get("gate_error"),
        length_ns=values.get("gate_length"),
        operational=bool(values.get("operational", True)),
    )


def _values(said: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {each["name"]: each["value"] for each in said}


def medians(known: Calibration) -> Medians:
    """The medians of what a calibration says, each over those of which it says something."""
    errors = {
        width: [gate.error for gate in known.gates if len(gate.qubits) == width and gate.operational]
        for width in (1, 2)
    }
    return Medians(
        device=known.device,
        t1_us=_median(each.t1_us for each in known.qubits),
        t2_us=_median(each.t2_us for each in known.qubits),
        readout_error=_median(each.readout_error for each in known.qubits),
        gate_error=_median(each for each in errors[1] if each),  # virtual gates have none
        two_qubit_gate_error=_median(errors[2]),
    )


def _median(values: Iterable[float | None]) -> float | None:
    return median(found) if (found := [each for each in values if each is not None]) else None
