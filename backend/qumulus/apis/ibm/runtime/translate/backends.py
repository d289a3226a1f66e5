"""Devices and calibrations, from the core's words to the service's."""

from __future__ import annotations

from pydantic import MISSING

from qumulus.apis.ibm import names
from qumulus.apis.ibm.runtime.schemas.backend import (
    BackendDevice,
    BackendStatus,
    Clops,
    DeviceStatus,
    Metric,
    PerformanceMetrics,
    ProcessorType,
    StatusName,
    Type,
)
from qumulus.apis.ibm.runtime.schemas.defaults import BackendDefaults
from qumulus.core.devices import Calibration, Device, DeviceSettings

SECONDS_A_JOB = 1.0  # for the waiting time that is shown, before anything is known of the jobs
AVAILABLE = "available"


def device(
    device: Device, settings: DeviceSettings, queue_length: int, *, mock: bool = False, with_wait_time: bool = False
) -> BackendDevice:
    """A device as the list shows it."""
    return BackendDevice(
        name=names.to_wire(device.name),
        status=DeviceStatus(
            name=StatusName.ONLINE if settings.online else StatusName.PAUSED, reason=settings.message or AVAILABLE
        ),
        class_="mock" if mock else MISSING,
        is_simulator=False,
        qubits=device.n_qubits,
        physical_qubits=device.n_qubits,
        clops=MISSING if device.clops is None else Clops(type=Type.HARDWARE, value=device.clops),
        processor_type=ProcessorType(
            family=device.family or MISSING, revision=device.revision or MISSING, segment=device.segment or MISSING
        ),
        queue_length=queue_length,
        wait_time_seconds=queue_length * SECONDS_A_JOB if with_wait_time else MISSING,
        performance_metrics=_performance(device),
    )


def _performance(device: Device) -> PerformanceMetrics | MISSING:
    """What is known of gates on two qubits; nothing of a device that has none."""
    best, layered = (
        MISSING if value is None else Metric(value=value, unit="")
        for value in (device.two_qubit_error_best, device.two_qubit_error_layered)
    )
    if best is MISSING and layered is MISSING:
        return MISSING
    return PerformanceMetrics(two_q_error_best=best, two_q_error_layered=layered)


def status(device: Device, settings: DeviceSettings, queue_length: int) -> BackendStatus:
    """Whether a device is operational; the client warns of any status but `active`."""
    return BackendStatus(
        backend_name=names.to_wire(device.name),
        backend_version=device.version,
        operational=settings.online,
        status_msg="active" if settings.online else "maintenance",
        message=settings.message or AVAILABLE,
        pending_jobs=queue_length,
    )


def defaults(calibration: Calibration) -> BackendDefaults:
    """What is left of pulse defaults: frequencies in GHz."""
    frequencies = [
        value["value"] for qubit in calibration.properties["qubits"] for value in qubit if value["name"] == "frequency"
    ]
    return BackendDefaults(qubit_freq_est=frequencies, meas_freq_est=[], buffer=0, pulse_library=[], cmd_def=[])
