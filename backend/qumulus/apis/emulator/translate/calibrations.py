"""Calibrations that follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from qumulus.apis.emulator.schemas.calibrations import Entry, NewSeries, Series
from qumulus.apis.given import given
from qumulus.core.devices import Calibration
from qumulus.core.seeds import Seeds
from qumulus.emulation.calibrations import SeriesSetting


def series(device: str, known: Sequence[Calibration], now: datetime) -> Series:
    """The calibrations of a device, one of which is current."""
    current = next((each.id for each in reversed(known) if each.at <= now), known[0].id)
    return Series(
        device=device, calibrations=[Entry(id=each.id, at=each.at, current=each.id == current) for each in known]
    )


def setting(device: str, body: NewSeries, seeds: Seeds) -> SeriesSetting:
    """How those of a device are to follow each other."""
    return SeriesSetting(
        number=body.number,
        every_hours=body.every_hours,
        drift=body.drift,
        seed=given(body.seed, seeds.of(f"calibrations {device}")),
        bad_qubits={each.qubit: each.since for each in given(body.bad_qubits, [])},
    )
