"""`device_info.zip`: the qubits of a device, what connects them, and how good both are.

An engine says it in one of three ways: as JSON text in a request; by an upload, which a request then says the time of; or by
an upload that the request names. An upload counts from that request on, and waits until then under a name of its own. Nothing
of what an engine sends is opened here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from qumulus.core.devices import Calibration, Device, DeviceKind, DeviceReport
from qumulus.core.errors import InvalidRequest, NotFound, UnknownDevice
from qumulus.core.ports import Catalogue, DeviceSettingsStore
from qumulus.core.ports.devices import DeviceImports
from qumulus.payloads.openqasm import SHOWN
from qumulus.payloads.zip_files import pack

from .names import name_of
from .unpacking import unpacked

NAME = "device_info.zip"
ENTRY = "device_info.json"
ZIP = b"PK"  # how every zip file begins, and no JSON text
LAST = "last"  # in the place of an upload's id: which one came last
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def packed(name: str, devices: Catalogue, device_settings: DeviceSettingsStore) -> bytes:
    """The zip file: what the device's engine said, else what its calibration says.

    Raises:
        UnknownDevice
    """
    device = devices.device(name)
    reported = device_settings.report(device.name).information
    if reported is not None and reported.startswith(ZIP):
        return reported
    return _packed(described(device, devices) if reported is None else reported.decode())


def inline(device: Device, devices: Catalogue, device_settings: DeviceSettingsStore) -> str | None:
    """The same as JSON text; None where its engine uploaded a zip file."""
    reported = device_settings.report(device.name).information
    if reported is None:
        return described(device, devices)
    return None if reported.startswith(ZIP) else reported.decode()


def described(device: Device, devices: Catalogue) -> str:
    """The content as JSON text."""
    if device.kind is DeviceKind.SIMULATOR:
        qubits = [{"id": index, "physical_id": index} for index in range(device.n_qubits)]
        return json.dumps({"device_id": name_of(device), "qubits": qubits, "couplings": []})
    return _described(name_of(device), _Known(devices.calibration(device.name)))


def keep(place: str, content: bytes, devices: Catalogue, device_settings: DeviceSettingsStore) -> None:
    """Store an upload for `DEVICE/UPLOAD/device_info.zip`, as it is, until a request makes it count.

    Raises:
        UnknownDevice: the place is no device's.
        InvalidRequest: it is no zip file.
    """
    name, _, rest = place.partition("/")
    upload_id, _, file_name = rest.partition("/")
    if file_name != NAME:
        raise UnknownDevice(place)
    if not content.startswith(ZIP):
        raise InvalidRequest(f"{NAME} is not a zip file: pack {ENTRY} again.")
    device = devices.device(name).name
    device_settings.set_report(_waiting(device, upload_id), DeviceReport(information=content))
    device_settings.set_report(_waiting(device, LAST), DeviceReport(information=upload_id.encode()))


def uploaded(device: str, upload_id: str | None, device_settings: DeviceSettingsStore) -> bytes | None:
    """Take an upload that waits: the one with that id, or the last one where none is named.

    Returns None where none is named and none waits.

    Raises:
        NotFound: nothing was uploaded under that id.
    """
    last = device_settings.report(_waiting(device, LAST)).information
    name = upload_id or (last or b"").decode()
    content = device_settings.report(_waiting(device, name)).information if name and name != LAST else None
    if content is None:
        if upload_id is not None:
            raise NotFound(f"Nothing was uploaded as {upload_id[:64]!r}: upload the file first.")
        return None
    for place in (name, LAST) if name.encode() == last else (name,):
        device_settings.set_report(_waiting(device, place), DeviceReport())
    return content


def known(information: Mapping[str, Any]) -> bool:
    """Say whether it tells of qubits at all: an engine registers its device before it has measured any."""
    return bool(information.get("qubits"))


def learn(device: str, information: Mapping[str, Any], imports: DeviceImports, at: datetime | None = None) -> None:
    """Simulate a registered device as its engine tells it; a device that came with this server stays as it is.

    Raises:
        InvalidRequest: it is not as OQTOPUS declares it.
    """
    if known(information) and imports.own(device):
        dated = {} if at is None else {"calibrated_at": at.isoformat()}
        imports.add([{"couplings": [], **information, **dated}], name=device)


def learn_report(device: str, report: DeviceReport, imports: DeviceImports) -> str:
    """Have the simulation learn what an engine reports. Return what hinders it, or nothing: the report itself stands in any case."""
    if report.information is None or not imports.own(device):
        return ""
    try:
        learn(device, _opened(report.information), imports, report.calibrated_at)
    except (InvalidRequest, ValueError, RecursionError) as error:
        return f"The simulation knows the device as before: {error}"
    return ""


def _opened(content: bytes) -> Mapping[str, Any]:
    """The JSON object; a zip file is opened in a process of its own.

    Raises:
        ValueError: there is none.
    """
    text = unpacked({"device_info": content})[SHOWN] if content.startswith(ZIP) else b'{"device_info":%b}' % content
    information = json.loads(text).get("device_info")
    if not isinstance(information, dict):
        raise ValueError("device_info is not a JSON object.")
    return information


def _waiting(device: str, upload_id: str) -> str:
    """What stands for a device where an upload for it waits."""
    return f"{device}/{upload_id}"


@lru_cache(maxsize=128)
def _packed(text: str) -> bytes:
    """A zip file with the JSON text as its only entry."""
    return pack(ENTRY, text)


class _Known:
    """A calibration, told apart by its id: equal ones are described once."""

    def __init__(self, calibration: Calibration) -> None:
        self.properties: Mapping[str, Any] = calibration.properties
        self._id = calibration.device, calibration.id

    def __hash__(self) -> int:
        return hash(self._id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and other._id == self._id


@lru_cache(maxsize=128)
def _described(name: str, calibration: _Known) -> str:
    gates = [(gate["gate"], gate["qubits"], _values(gate["parameters"])) for gate in calibration.properties["gates"]]
    broken = {
        index
        for index, entries in enumerate(calibration.properties["qubits"])
        if not _values(entries).get("operational", 1)
    }
    gates = [each for each in gates if each[2].get("operational", 1) and broken.isdisjoint(each[1])]
    durations: dict[int, dict[str, float]] = {}
    for gate, on, values in gates:
        if len(on) == 1 and "gate_length" in values:
            durations.setdefault(on[0], {})[gate] = values["gate_length"]
    qubits = [
        _qubit(index, _values(entries), durations.get(index, {}))
        for index, entries in enumerate(calibration.properties["qubits"])
    ]
    couplings = [
        {
            "control": on[0],
            "target": on[1],
            "fidelity": 1.0 - values.get("gate_error", 0.0),
            "gate_duration": {gate: values.get("gate_length", 0.0)},
        }
        for gate, on, values in gates
        if len(on) == 2
    ]
    return json.dumps({"device_id": name, "qubits": qubits, "couplings": couplings}, separators=(",", ":"))


def _qubit(index: int, values: Mapping[str, float], durations: Mapping[str, float]) -> dict[str, Any]:
    return {
        "id": index,
        "physical_id": index,
        "meas_error": {
            "prob_meas1_prep0": values.get("prob_meas1_prep0"),
            "prob_meas0_prep1": values.get("prob_meas0_prep1"),
            "readout_assignment_error": values.get("readout_error"),
        },
        "qubit_lifetime": {"t1": values.get("T1"), "t2": values.get("T2")},
        "gate_duration": dict(durations),
    }


def _values(entries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Name to value, times in seconds."""
    return {
        entry["name"]: entry["value"] * _SECONDS.get(entry["unit"], 1.0)
        for entry in entries
        if entry["value"] is not None
    }
