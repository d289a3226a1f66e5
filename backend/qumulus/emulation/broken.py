"""Devices of which some qubits or gates are broken: their calibrations say so, as those of the real ones do, and jobs run on these."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from qumulus.core.devices import AddedDevice, Calibration, DescribedDevice
from qumulus.core.errors import InvalidRequest, UnknownCalibration
from qumulus.core.faults import BrokenGate, FaultKind, FaultRule
from qumulus.core.ports import Catalogue, FaultStore
from qumulus.core.ports.devices import AddedDevices

NAMESPACE = UUID("0d1f6c0a-7f0e-5b51-8f5a-3c0f4f8f7a26")
OPERATIONAL = "operational"
A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Broken:
    """What is broken of a device, and since when."""

    qubits: frozenset[int]
    gates: tuple[BrokenGate, ...]
    since: datetime

    def has(self, gate: str, qubits: Iterable[int]) -> bool:
        """Say whether a gate is broken."""
        return any(each.is_on(gate, qubits) for each in self.gates)


def broken(rules: Iterable[FaultRule], at: datetime | None = None) -> Broken | None:
    """Return what the rules for a device break, of those that had begun at a time; None for nothing."""
    begun = [
        (rule, rule.begins_at)
        for rule in rules
        if rule.kind is FaultKind.DEVICE_BROKEN and rule.begins_at is not None and (at is None or rule.begins_at <= at)
    ]
    if not begun:
        return None
    gates = {each for rule, _ in begun for each in rule.gates or ()}
    return Broken(
        frozenset(qubit for rule, _ in begun for qubit in rule.qubits or ()),
        tuple(sorted(gates, key=lambda each: (each.gate, each.qubits))),
        max(since for _, since in begun),
    )


def calibration_id(base: str, parts: Broken) -> str:
    """Return the id of a calibration of which some parts are broken."""
    told = [base, sorted(parts.qubits), [[each.gate, sorted(each.qubits)] for each in parts.gates]]
    return str(uuid5(NAMESPACE, json.dumps(told)))


def calibration(base: Calibration, parts: Broken) -> Calibration:
    """Return a calibration that says of the broken parts that they do not work."""
    at = max(base.at, parts.since)
    properties = dict(base.properties)
    if properties:
        properties["last_update_date"] = at.isoformat()
        properties["qubits"] = [
            _not_operational(parameters, at) if index in parts.qubits else parameters
            for index, parameters in enumerate(properties["qubits"])
        ]
        properties["gates"] = [*_gates(properties["gates"], parts, at)]
    return replace(base, id=calibration_id(base.id, parts), at=at, properties=properties)


def _gates(gates: Sequence[Mapping[str, Any]], parts: Broken, at: datetime) -> Iterator[Mapping[str, Any]]:
    """Yield the gates, last those that do not work: clients of IBM fail where one of qubit 0 comes first."""
    later = []
    for gate in gates:
        if parts.has(gate["gate"], gate["qubits"]):
            later.append({**gate, "parameters": _not_operational(gate["parameters"], at)})
        elif parts.qubits.isdisjoint(gate["qubits"]):
            yield gate
        else:
            later.append(gate)
    yield from later


def _not_operational(parameters: Sequence[Mapping[str, Any]], at: datetime) -> list[Mapping[str, Any]]:
    others = [each for each in parameters if each["name"] != OPERATIONAL]
    return [*others, {"date": at.isoformat(), "name": OPERATIONAL, "unit": "", "value": 0}]


def check(rule: FaultRule, catalogue: Catalogue) -> None:
    """See that a device has the parts that a rule breaks.

    Raises:
        InvalidRequest
    """
    if rule.kind is not FaultKind.DEVICE_BROKEN or rule.device is None:
        return
    device = catalogue.device(rule.device)
    for qubit in rule.qubits or ():
        if qubit >= device.n_qubits:
            raise InvalidRequest(
                f"{device.name} has {device.n_qubits} qubits, counted from 0, and no qubit {qubit}: name another one."
            )
    known = catalogue.calibration(device.name).properties["gates"] if rule.gates else ()
    for each in rule.gates or ():
        if not any(each.is_on(gate["gate"], gate["qubits"]) for gate in known):
            on = ", ".join(map(str, each.qubits))
            raise InvalidRequest(f"{device.name} has no {each.gate} on the qubits {on}: name another gate.")


def found(catalogue: Catalogue, parts: Broken | None, device: str, wanted: str) -> Calibration:
    """Return the calibration of an id: one that was measured, or one of which the ``parts`` are broken.

    Raises:
        UnknownDevice, UnknownCalibration
    """
    try:
        return catalogue.calibration(device, calibration_id=wanted)
    except UnknownCalibration:
        if parts is not None:
            for base in _measured(catalogue, device):
                if calibration_id(base.id, parts) == wanted:
                    return calibration(base, parts)
        raise


def _measured(catalogue: Catalogue, device: str) -> Iterator[Calibration]:
    """Yield the calibrations of a device, newest first."""
    base, newer = catalogue.calibration(device), None
    while base != newer:
        yield base
        newer, base = base, catalogue.calibration(device, before=base.at - A_MOMENT)


class SentToWorkers:
    """`core.ports.AddedDevices` as workers get them: those that were added, and every device that is broken now."""

    def __init__(self, added: AddedDevices, catalogue: Catalogue, faults: FaultStore) -> None:
        """``catalogue`` has all devices as they are without ``faults``, the ``added`` ones among them."""
        self._added = added
        self._catalogue = catalogue
        self._faults = faults

    def all(self) -> Mapping[str, AddedDevice]:
        """Return all of them by name. See `AddedDevices.all`."""
        known = self._added.all()
        of_parts = (fault.rule for fault in self._faults.active() if fault.rule.kind is FaultKind.DEVICE_BROKEN)
        parts = {name: self._parts(name) for rule in of_parts if (name := rule.device) is not None}
        hurt = {name: self._broken(name, each, known) for name, each in parts.items() if each is not None}
        return {**known, **hurt} if hurt else known

    def _parts(self, device: str) -> Broken | None:
        return broken(self._faults.of_device(device))

    def _broken(self, name: str, parts: Broken, known: Mapping[str, AddedDevice]) -> AddedDevice:
        base = self._catalogue.calibration(name)
        now = calibration(base, parts)
        series = known[name].series if name in known else (base,)
        earlier = tuple(each for each in series if each.at <= base.at)
        later = tuple(each for each in series if each.at > now.at)
        return AddedDevice(device=self._catalogue.device(name), series=(*earlier, now, *later))

    def configuration(self, device: str) -> Mapping[str, Any]:
        """Return the configuration of one of them. See `AddedDevices.configuration`."""
        return self._catalogue.configuration(device)

    def properties(self, device: str, calibration_id: str) -> Mapping[str, Any]:
        """Return the document of a calibration. See `AddedDevices.properties`."""
        return found(self._catalogue, self._parts(device), device, calibration_id).properties

    def add(self, added: DescribedDevice, *, made: Collection[str] = ()) -> None:
        """Add a device. See `AddedDevices.add`."""
        self._added.add(added, made=made)

    def unmake(self, device: str) -> bool:
        """Remove calibrations that nobody has measured. See `AddedDevices.unmake`."""
        return self._added.unmake(device)

    def remove(self, device: str) -> None:
        """Remove one that was added. See `AddedDevices.remove`."""
        self._added.remove(device)
