"""A device that no package knows, on its way to a worker: with its configuration and one calibration, as compressed JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .devices import AddedDevice, Calibration, DescribedDevice, Device, from_values, to_values
from .ports.devices import AddedDevices

LARGEST_BYTES = 256 << 20  # of the JSON


def sent(devices: AddedDevices, name: str, calibration_id: str | None, now: datetime) -> tuple[bytes, str | None]:
    """Return what a worker needs of a device, and the id of the calibration: the newest at ``now`` where none is named.

    Nothing is needed of a device that was not added. A calibration that is gone is not sent: the worker says so.
    """
    added = devices.all().get(name)
    if added is None:
        return b"", calibration_id
    newest = next((one for one in reversed(added.series) if one.at <= now), added.series[0])
    calibration = next((one for one in added.series if one.id == calibration_id), newest)
    if calibration_id not in (None, calibration.id):
        return b"", calibration_id
    return packed(added, calibration, devices), calibration.id


def packed(added: AddedDevice, calibration: Calibration, devices: AddedDevices) -> bytes:
    """Return a device with one of its calibrations as bytes."""
    name = added.device.name
    return with_documents(
        added.device, calibration, devices.configuration(name), devices.properties(name, calibration.id)
    )


def with_documents(
    device: Device, calibration: Calibration, configuration: Mapping[str, Any], properties: Mapping[str, Any]
) -> bytes:
    """Return a device with one of its calibrations as bytes, from its documents."""
    values = {
        "device": to_values(device),
        "calibration": {"id": calibration.id, "at": calibration.at.isoformat()},
        "configuration": configuration,
        "properties": properties,
    }
    return zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 1)


def unpacked(data: bytes) -> DescribedDevice:
    """Return a device with one of its calibrations from what `packed` gave.

    Raises:
        ValueError: it is something else.
    """
    inflating = zlib.decompressobj()
    text = inflating.decompress(data, LARGEST_BYTES)
    if inflating.unconsumed_tail:
        raise ValueError("The documents of a device are too large.")
    values = json.loads(text)
    device, calibration = from_values(values["device"]), values["calibration"]
    return DescribedDevice(
        device=device,
        configuration=values["configuration"],
        calibrations=(
            Calibration(
                id=calibration["id"],
                device=device.name,
                at=datetime.fromisoformat(calibration["at"]),
                properties=values["properties"],
            ),
        ),
    )
