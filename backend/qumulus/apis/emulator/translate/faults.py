"""Faults."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from pydantic import MISSING

from qumulus.apis.emulator.schemas.faults import BrokenGate, Fault, FaultKind, NewFault, Purpose
from qumulus.apis.given import given
from qumulus.core import faults
from qumulus.core.errors import InvalidRequest
from qumulus.core.ports import Catalogue, Listening
from qumulus.emulation.broken import check

RELATIVE = {"after_seconds", "for_seconds"}
SERVICE = "service:"  # how the devices of services are called, which are in no catalogue


def rule(body: NewFault, now: datetime, catalogue: Catalogue) -> faults.FaultRule:
    """The rule that is asked for ``now``.

    Raises:
        UnknownDevice
        InvalidRequest: a time is said twice, or beyond all dates; or the device has no such qubit or gate.
    """
    said: dict[str, Any] = {
        name: value for name, value in dict(body).items() if value is not MISSING and name not in RELATIVE
    }
    said["kind"] = faults.FaultKind(body.kind)
    if (qubits := given(body.qubits)) is not None:
        said["qubits"] = tuple(qubits)
    if (gates := given(body.gates)) is not None:
        said["gates"] = tuple(faults.BrokenGate(gate=each.gate, qubits=tuple(each.qubits)) for each in gates)
    if body.purpose is not MISSING:
        said["purpose"] = faults.Purpose(body.purpose)
    if (device := given(body.device)) is not None and not device.startswith(SERVICE):
        said["device"] = catalogue.device(device).name
    said |= _times(body, now)
    made = faults.FaultRule(**said)
    check(made, catalogue)
    return made


def _times(body: NewFault, now: datetime) -> dict[str, datetime]:
    times: dict[str, datetime] = {}
    begins, ends = given(body.begins_at), given(body.ends_at)
    after, lasts = given(body.after_seconds), given(body.for_seconds)
    if (begins is not None and after is not None) or (ends is not None and lasts is not None):
        raise InvalidRequest("A fault begins and ends at a time, or in seconds: say one of the two.")
    try:
        if after is not None:
            begins = now + timedelta(seconds=after)
        if lasts is not None:
            ends = (begins or now) + timedelta(seconds=lasts)
    except OverflowError:
        raise InvalidRequest("The fault ends beyond all dates: give it an earlier end.") from None
    if begins is not None:
        times["begins_at"] = begins
    if ends is not None:
        times["ends_at"] = ends
    return times


def fault(known: faults.Fault, listening: Listening) -> Fault:
    """A rule with what became of it, and with where it can be taken back when the server listens no more."""
    made = Fault(id=known.id, created_at=known.created_at, seen=known.seen, hits=known.hits, rule=_said(known.rule))
    if known.rule.kind is faults.FaultKind.REFUSED and (control := listening.control()) is not None:
        made.control_url = control
    return made


def _said(rule: faults.FaultRule) -> NewFault:
    said: dict[str, Any] = {name: value for name, value in asdict(rule).items() if value != faults.DEFAULTS[name]}
    if rule.purpose is not None:
        said["purpose"] = Purpose(rule.purpose)
    if rule.qubits is not None:
        said["qubits"] = list(rule.qubits)
    if rule.gates is not None:
        said["gates"] = [BrokenGate(gate=each.gate, qubits=list(each.qubits)) for each in rule.gates]
    return NewFault(**{**said, "kind": FaultKind(rule.kind)})
