"""`device_info.zip`: the qubits of a device, what connects them, and how good both are.

An engine says it in one of three ways: as JSON text in a request; by an upload, which a request then says the time of; or by
an upload that the request names. An upload counts from that request on, and waits until then under a name of its own. Nothing
of what an engine sends is opened here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from qumulus.core.devices import Device, DeviceReport
from qumulus.core.errors import InvalidRequest, NotFound, UnknownDevice
from qumulus.core.ports import Catalogue, DeviceSettingsStore
from qumulus.core.ports.devices import DeviceImports
from qumulus.payloads.openqasm import SHOWN
from qumulus.payloads.zip_files import pack

from .device_descriptions import described
from .unpacking import unpacked

NAME = "device_info.zip"
ENTRY = "device_info.json"
ZIP = b"PK"  # how every zip file begins, and no JSON text
LAST = "last"  # in the place of an upload's id: which one came last


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
